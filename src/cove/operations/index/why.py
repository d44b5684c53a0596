"""Why a name is taken from where it is taken from: which indexes were asked, by which rule, and what they answered."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

from cove.config.load import find_project
from cove.config.toml_lines import Lines
from cove.errors import UsageError
from cove.index.candidates import Rules, gather
from cove.index.chain import Search
from cove.install.interpreter import Interpreter
from cove.model.candidate import Candidate, Candidates
from cove.model.dataclasses import dataclass
from cove.model.index import Index
from cove.model.name import Name, is_valid_name, normalize
from cove.model.origin import Origin
from cove.model.outcome import Found, Outcome
from cove.operations.project.project import Place, base_interpreter, locking_interpreter, python_request, read
from cove.operations.project.requirements import Asked, asked_by
from cove.operations.resolution.policy import file_rules
from cove.wiring import Session


@dataclass(frozen=True, slots=True)
class Reply:
    """What one index answered, and the best candidate for the target that it has."""

    outcome: Outcome
    best: Candidate | None


@dataclass(frozen=True, slots=True)
class Why:
    """Everything there is to know about where a name comes from.

    ``origin`` is where the rule was given; ``replies`` are in the order of asking, those of ``--find-links`` last; ``unasked``
    are indexes of the search order at which the search did not arrive. ``candidates`` is ``None`` when nothing was found.
    """

    search: Search
    origin: Origin
    interpreter: Interpreter
    replies: tuple[Reply, ...]
    unasked: tuple[Index, ...]
    candidates: Candidates | None
    best: Candidate | None


def why(session: Session, text: str) -> Why:
    """Ask for the project ``text`` as a resolution for the interpreter at hand would, with the pins of the project around.

    Raises ``UsageError`` for what is no name of a project or comes from no index, ``ConfigurationError`` for a project that
    cannot be read, ``PythonNotFound``. What an index or the network did is in the answer.
    """
    if not is_valid_name(text):
        raise UsageError("that is not the name of a project", hints=("versions and extras are left out here",))
    name = normalize(text)
    folder = find_project(Path(session.settings.project or session.cwd))
    place = read(folder) if folder is not None else None
    interpreter = _interpreter(session, place)
    asked = _asked(session, place, interpreter)
    if asked is not None and name in asked.locals:
        [local, *_] = asked.locals[name]
        raise UsageError(
            f"`{name}` comes from no index: tool.uv.sources sends it to {local.location}",
            hints=("with `--no-sources` the indexes are asked",),
        )
    pins = asked.pins if asked is not None else {}
    search = session.router(pins).search(name)
    rules = file_rules(session, Rules(target=interpreter.target))(name)
    likes_prereleases = session.settings.prerelease == "allow"

    def reply(outcome: Outcome) -> Reply:
        usable = gather(name, (outcome,), rules).candidates if isinstance(outcome, Found) else ()
        return Reply(outcome, _best(usable, likes_prereleases=likes_prereleases))

    candidates = gather(name, search.found, rules, links=search.found_links) if _is_somewhere(search) else None
    return Why(
        search,
        _origin(session, search, place if name in pins else None),
        interpreter,
        tuple(reply(outcome) for outcome in (*search.answers, *search.links)),
        _unasked(session, search),
        candidates,
        _best(_first_tried(search, candidates), likes_prereleases=likes_prereleases)
        if candidates is not None
        else None,
    )


def _asked(session: Session, place: Place | None, interpreter: Interpreter) -> Asked | None:
    if place is None:
        return None
    settings = session.settings
    return asked_by(
        place,
        session.indexes,
        no_sources=None if settings.no_sources else settings.no_sources_package,
        markers=interpreter.target.markers,
    )


def _interpreter(session: Session, place: Place | None) -> Interpreter:
    folder = place.folder if place is not None else session.cwd
    if place is not None and python_request(session, folder) is None:
        return locking_interpreter(session, place)
    return base_interpreter(session, folder, None)


def _is_somewhere(search: Search) -> bool:
    return bool(search.found or search.found_links)


def _first_tried(search: Search, candidates: Candidates) -> Sequence[Candidate]:
    tiers = search.tiers(candidates.candidates)
    return [each for each in candidates.candidates if not tiers or each.version in tiers[0]]


def _best(candidates: Sequence[Candidate], *, likes_prereleases: bool) -> Candidate | None:
    """The one that is tried first when nothing speaks against it."""
    return max(
        candidates,
        key=lambda each: (each.yanked is None, likes_prereleases or not each.version.is_prerelease, each.version),
        default=None,
    )


def _origin(session: Session, search: Search, pinned_by: Place | None) -> Origin:
    if pinned_by is not None:
        return _pin_origin(pinned_by, search.name)
    if any(answer.index.packages for answer in search.answers) and search.rule.startswith("routed"):
        return search.answers[0].index.origin_of("packages")
    return session.settings.origin("index-strategy")


def _pin_origin(place: Place, name: Name) -> Origin:
    path = place.pyproject_path
    text = path.read_text("utf-8")
    sources = tomllib.loads(text)["tool"]["uv"]["sources"]
    written = next(key for key in sources if normalize(key) == name)
    return Origin("project", str(path), Lines(text).of(("tool", "uv", "sources", written)))


def _unasked(session: Session, search: Search) -> tuple[Index, ...]:
    if not search.rule.startswith("search order"):
        return ()
    asked = [answer.index for answer in search.answers]
    return tuple(index for index in session.indexes.search if index not in asked)
