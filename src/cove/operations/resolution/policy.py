"""What the settings say of single projects: which may be built, which must be, from when on files do not exist."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from packaging.requirements import InvalidRequirement, Requirement

from cove.config.settings import Given, Settings
from cove.errors import ConfigurationError
from cove.formats.cutoff import moment
from cove.index.candidates import Rules
from cove.model.dataclasses import replace
from cove.model.name import Name
from cove.operations.resolution.upload_dates import UploadDates
from cove.wiring import Session

ALL = ":all:"
"""Every project, in ``--no-binary`` and ``--only-binary``."""
_NONE = ":none:"


def file_rules(session: Session, rules: Rules) -> Callable[[Name], Rules]:
    """``rules`` for each project: ``--no-build``, ``--no-binary``, ``--exclude-newer`` and their like added."""
    settings, uploaded = session.settings, UploadDates(session)
    text, now = settings.exclude_newer, datetime.now(UTC)
    cutoff = moment(text, now) if text is not None else rules.exclude_newer
    own = {name: moment(told, now) if told else None for name, told in package_cutoffs(settings).items()}

    def of(name: Name) -> Rules:
        return replace(
            rules,
            no_build=_may_not_build(settings, name),
            no_binary=_may_not_use(settings, name),
            exclude_newer=own.get(name, cutoff),
            is_exempt=name in own,
            uploaded=uploaded,
        )

    return of


def package_cutoffs(settings: Settings) -> dict[Name, str | Literal[False]]:
    """What ``exclude-newer-package`` says, by name; a flag's word comes before a file's."""
    found: dict[Name, str | Literal[False]] = {}
    for told in reversed(settings.exclude_newer_package):
        found.update(told)
    return dict(sorted(found.items()))


def upgrade_limits(settings: Settings) -> list[Requirement]:
    """The specifiers beside names in ``--upgrade-package``, as constraints. Raises ``ConfigurationError``."""
    stated = [_requirement(given) for given in settings.given("upgrade-package")]
    return [requirement for requirement in stated if requirement.specifier]


def configured(
    settings: Settings,
    name: Literal["constraint-dependencies", "override-dependencies", "build-constraint-dependencies"],
) -> list[Requirement]:
    """The requirements that the configuration has under ``name``. Raises ``ConfigurationError``."""
    return [_requirement(given) for given in settings.given(name)]


def _requirement(given: Given) -> Requirement:
    try:
        return Requirement(str(given.value))
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise ConfigurationError(f"{given.origin}: `{given.value}` is not a requirement: {reason}") from error


def _may_not_build(settings: Settings, name: Name) -> bool:
    if settings.interface == "pip":
        return settings.no_build or _names(settings.pip_only_binary, name)
    return settings.no_build or name in settings.no_build_package


def _may_not_use(settings: Settings, name: Name) -> bool:
    if settings.interface == "pip":
        return _names(settings.pip_no_binary, name)
    return settings.no_binary or name in settings.no_binary_package


def _names(listed: tuple[str, ...], name: Name) -> bool:
    meant = in_force(listed)
    return ALL in meant or name in meant


def in_force(listed: tuple[str, ...]) -> tuple[str, ...]:
    """As pip has it: names add up, ``:all:`` means every project, ``:none:`` empties what was said before it."""
    meant: dict[str, None] = {}
    for item in listed:
        if item == _NONE:
            meant.clear()
        else:
            meant[item] = None
    return (ALL,) if ALL in meant else tuple(meant)
