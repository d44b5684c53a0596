"""Any server of which nothing more is known than the standards."""

from cove.registries.registry import Registry

GENERIC = Registry("generic", "an index", lambda url: True, duplicates=((409, ""), (400, "already exist")))  # noqa: ARG005
