"""Project and extra names, normalised as the standards say."""

from typing import NewType

Name = NewType("Name", str)
"""A normalised project, extra or group name."""

_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def normalize(text: str) -> Name:
    """Lower-case, with every run of ``-``, ``_`` and ``.`` replaced by one ``-`` (PEP 503, "Normalized Names").

    Done without a regular expression because the no-op path of ``cove sync`` does not import one.
    """
    lowered = text.lower().replace("_", "-").replace(".", "-")
    while "--" in lowered:
        lowered = lowered.replace("--", "-")
    return Name(lowered)


def is_valid_name(text: str) -> bool:
    """Whether ``text`` is a name: ASCII letters, digits, ``-_.``, beginning and ending with a letter or digit (PEP 508)."""
    return bool(text) and _ALLOWED.issuperset(text) and text[0] not in "-_." and text[-1] not in "-_."
