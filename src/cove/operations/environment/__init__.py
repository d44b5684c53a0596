"""Environments: looked at, made, and brought to what they should have."""
