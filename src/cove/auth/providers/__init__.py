"""Credential providers, one file each, tried in the order of PROVIDERS."""
