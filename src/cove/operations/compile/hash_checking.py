"""``--require-hashes``: nothing is taken whose digest nobody has written down."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from cove.errors import UsageError
from cove.operations.compile.requirement_files import Demand, Root

if TYPE_CHECKING:
    from cove.operations.resolution.resolution import Resolution


def check_digests(demand: Demand, roots: Iterable[Root]) -> None:
    """With ``--require-hashes``: that every requirement is pinned and has one. Raises ``UsageError``."""
    if not demand.session.settings.require_hashes:
        return
    known = demand.digests()
    for root in roots:
        where = f" ({root.via})" if root.via else ""
        if root.url is None and not _is_pinned(root.requirement):
            raise UsageError(
                f"hashes are required, and `{root.requirement}`{where} is not pinned",
                hints=(f"pin it: `{root.name}==<version>`",),
            )
        if not known.get(root.name) and "sha256=" not in (root.requirement.url or ""):
            raise UsageError(
                f"hashes are required, and `{root.requirement}`{where} has none",
                hints=("`cove pip compile --generate-hashes` writes them",),
            )


def check_all_have_digests(demand: Demand, resolution: "Resolution") -> None:
    """With ``--require-hashes``: that nothing was chosen of which no digest is known. Raises ``UsageError``."""
    if not demand.session.settings.require_hashes:
        return
    known = demand.digests().keys() | resolution.directs.keys()
    missing = sorted(resolution.solution.packages.keys() - known)
    if missing:
        raise UsageError(
            f"hashes are required, and `{missing[0]}`, which something asked for requires, is not listed with one",
            hints=("`cove pip compile --generate-hashes` lists everything",),
        )


def _is_pinned(requirement: Requirement) -> bool:
    return any(each.operator in ("==", "===") and not each.version.endswith(".*") for each in requirement.specifier)
