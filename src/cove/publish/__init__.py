"""Artifacts, upload forms' journey to a registry."""
