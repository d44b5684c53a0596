"""What is known of each server product behind an index, one file each; pure.

To add a product, write its record and enter it into ``REGISTRIES``: the first that recognises a URL is taken, so those
known by their host come before those known by their path.
"""

from cove.model.url import Url
from cove.registries.artifactory import ARTIFACTORY
from cove.registries.azure import AZURE
from cove.registries.codeartifact import CODEARTIFACT
from cove.registries.devpi import DEVPI
from cove.registries.generic import GENERIC
from cove.registries.gitlab import GITLAB
from cove.registries.google import GOOGLE
from cove.registries.nexus import NEXUS
from cove.registries.pypi import PYPI
from cove.registries.pytorch import PYTORCH
from cove.registries.registry import Registry

__all__ = ["REGISTRIES", "Registry", "recognise"]

REGISTRIES: tuple[Registry, ...] = (
    PYPI, PYTORCH, CODEARTIFACT, GOOGLE, AZURE, ARTIFACTORY, GITLAB, NEXUS, DEVPI, GENERIC
)  # fmt: skip


def recognise(url: Url) -> Registry:
    """The product behind an index's URL; ``GENERIC`` when it is none of those that are known."""
    return next(registry for registry in REGISTRIES if registry.recognise(url))
