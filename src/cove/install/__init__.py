"""Interpreters, environments, the store of wheels, and changing an environment by a plan."""
