"""The embedded index: a private registry in a folder."""
