"""Configured indexes become candidates."""
