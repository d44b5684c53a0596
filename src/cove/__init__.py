"""cove: a Python package manager for packages that live on alternative indexes."""

__version__ = "0.1.0"
