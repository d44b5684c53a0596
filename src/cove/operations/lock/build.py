"""From what was chosen to the lock that records it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from pathlib import Path
from urllib.parse import urlsplit

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from cove.formats.file_url import to_path
from cove.formats.locked_requirement import requirement_entry, specifier_text
from cove.formats.marker_sets import EVERYTHING, NOTHING, MarkerSet, marker_set
from cove.formats.marker_text import normalized
from cove.formats.python_range import requires_python_text, wheel_may_run
from cove.formats.uv_lock import REVISION
from cove.formats.wheel_markers import may_be_used
from cove.model.candidate import Candidate
from cove.model.conflict import Choice
from cove.model.dataclasses import replace
from cove.model.dist import File, WheelName, parse_filename
from cove.model.index import Index
from cove.model.lock import Lock, LockedFile, LockedPackage, LockedSource
from cove.model.name import Name
from cove.operations.lock.conflicts import declared
from cove.operations.lock.exclusions import Exclusions
from cove.operations.lock.graph import Graph, Key, Node, Section, needed
from cove.operations.project.project import location_of, relative_path
from cove.operations.project.requirements import Asked
from cove.operations.project.together import Member, Together
from cove.operations.resolution.direct import Direct
from cove.operations.resolution.resolution import Division

_STRONGEST_LAST = ("md5", "sha256", "sha384", "sha512", "blake2b")


def build_lock(
    together: Together,
    divisions: Sequence[Division],
    requires_python: SpecifierSet,
    *,
    options: Mapping[str, object],
    manifest: Mapping[str, object],
) -> Lock:
    """The lock of everything that was asked for ``together``, for everything in ``divisions``."""
    place, own = together.root, together.names
    maker = _Maker(together, divisions, requires_python)
    parts = [division.part for division in divisions]
    return Lock(
        requires_python=requires_python_text(requires_python),
        packages=(
            *(maker.package(key, node) for key, node in maker.graph.nodes.items() if key.name not in own),
            *(maker.member(member) for member in together.members),
        ),
        resolution_markers=maker.graph.markers_of(parts),
        conflicts=declared(place),
        supported_markers=stated_markers(place.project.environments, requires_python),
        required_markers=stated_markers(place.project.required_environments, requires_python),
        options=options,
        manifest=manifest,
        revision=REVISION,
    )


def sections_of(together: Together) -> dict[Section, tuple[Requirement, ...]]:
    """What all projects require, as it stands side by side."""
    excluding = frozenset(choice for members in declared(together.root) for choice in members)
    found: dict[Section, tuple[Requirement, ...]] = {}
    for member in together.members:
        found |= {
            replace(section, condition=_condition(section.choice, excluding)): several
            for section, several in _sections_of(member.name, member.asked)
        }
    for group, several in together.groups.groups.items() if together.groups is not None else ():
        found[Section("group", group)] = several
    return found


def _sections_of(name: Name, asked: Asked) -> Iterator[tuple[Section, tuple[Requirement, ...]]]:
    yield Section("project", Name(""), name), asked.dependencies
    yield from ((Section("extra", extra, name), several) for extra, several in sorted(asked.extras.items()))
    yield from ((Section("group", group, name), several) for group, several in sorted(asked.groups.items()))


def _condition(choice: Choice, excluding: Collection[Choice]) -> str:
    """The marker under which a choice counts, where something excludes it.

    An extra brings its project with it, and can only be had with that: it is left out together with it, unless something
    excludes the extra itself.
    """
    project = Choice(choice.package, "project")
    counting = {choice} & frozenset(excluding)
    if choice.kind == "extra" and not counting:
        counting = {project} & frozenset(excluding)
    if choice.kind == "project" and counting:
        counting |= {each for each in excluding if each.package == choice.package and each.kind == "extra"}
    return " or ".join(f'extra == "{each.code}"' for each in sorted(counting))


def roots_of(sections: Mapping[Section, Sequence[Requirement]], exclusions: Exclusions) -> list[list[Requirement]]:
    """The requirements as they stand side by side, with the conditions under which they count in their markers."""
    conditions = {section.choice: section.condition for section in sections}

    def counting(section: Section, requirement: Requirement) -> Requirement:
        others = (conditions.get(choice, "") for choice in needed(section, requirement, exclusions))
        return _counting(requirement, section.condition, *others)

    return [[counting(section, each) for each in several] for section, several in sections.items()]


def _counting(requirement: Requirement, *conditions: str) -> Requirement:
    for condition in filter(None, conditions):
        told, requirement = Marker(condition), Requirement(str(requirement))
        requirement.marker = told if requirement.marker is None else requirement.marker & told
    return requirement


def stated_markers(markers: Iterable[Marker], requires_python: SpecifierSet) -> tuple[str, ...]:
    """``environments`` and ``required-environments`` as the lock has them."""
    return tuple(normalized(marker, requires_python) for marker in markers)


class _Maker:
    def __init__(self, together: Together, divisions: Sequence[Division], requires_python: SpecifierSet) -> None:
        place = self._place = together.root
        self._requires_python = requires_python
        # As in uv, what is known of a package that depends on what is asked for rules out no platform; the project may.
        environments = map(marker_set, place.project.environments)
        self._supported = reduce(or_, environments, NOTHING if place.project.environments else EVERYTHING)
        self._sections = sections_of(together)
        self.graph = Graph(
            divisions,
            self._sections,
            requires_python,
            self._source,
            exclusions=Exclusions(declared(place)),
            overrides=together.overrides,
            excludes=frozenset(place.project.exclude_dependencies),
        )

    def member(self, member: Member) -> LockedPackage:
        """The entry of a project of the workspace."""
        project, asked = member.place.project, member.asked
        edges = {
            (section.kind, section.name): self.graph.edges(section)
            for section in self._sections
            if section.of == project.name
        }
        extras = {name: edges["extra", name] for name in asked.extras}
        groups = {name: edges["group", name] for name in asked.groups}
        return LockedPackage(
            name=project.name,
            version=str(project.version) if project.version is not None else "",
            source=LockedSource(member.source.kind, member.source.location),
            dependencies=edges["project", Name("")],
            optional_dependencies={name: edges for name, edges in extras.items() if asked.extras[name]},
            dev_dependencies={name: edges for name, edges in groups.items() if asked.groups[name]},
            requires_dist=asked.requires_dist,
            requires_dev=asked.requires_dev,
            provides_extras=tuple(project.optional_dependencies),
            default_groups=project.default_groups,
            group_requires_python={
                group: specifier_text(python) for group, python in project.group_requires_python.items()
            },
        )

    def _source(self, _: Name, candidate: Candidate | None, direct: Direct | None) -> LockedSource:
        if direct is not None:
            return direct.locked_source(self._place.base)
        assert candidate is not None, "what is chosen comes from an index or from a direct reference"
        return LockedSource("registry", location_of(candidate.index, self._place))

    def package(self, key: Key, node: Node) -> LockedPackage:
        """The entry of something that was chosen."""
        edges = self.graph.edges((key, None))
        optional = {extra: self.graph.edges((key, extra)) for extra in sorted(node.extras)}
        package = LockedPackage(
            name=key.name,
            version=key.version,
            source=key.source,
            dependencies=edges,
            optional_dependencies={extra: found for extra, found in optional.items() if found},
            resolution_markers=self.graph.markers_of(node.parts) if self.graph.is_ambiguous(key.name) else (),
        )
        if node.direct is not None:
            return self._direct_package(package, node.direct)
        assert node.candidate is not None, "what is chosen comes from an index or from a direct reference"
        sdist, wheels = self._files(node.candidate, self.graph.known((key, None)) & self._supported)
        return replace(package, sdist=sdist, wheels=wheels)

    def _direct_package(self, package: LockedPackage, direct: Direct) -> LockedPackage:
        """Files only of archives; what it requires for all that may change without its version doing so."""
        kind = package.source.kind
        if kind == "git":
            return package
        if direct.stated is not None:
            requires_dist, requires_dev = direct.stated.requires_dist, direct.stated.requires_dev
        else:
            requires_dist, requires_dev = tuple(map(requirement_entry, direct.metadata.requires_dist)), {}
        filename, is_archive = direct.url.filename, kind in ("url", "path")
        file = LockedFile(direct.url.without_fragment().public if kind == "url" else "", f"sha256:{direct.sha256}")
        wheel = file if file.url else replace(file, path=filename)
        return replace(
            package,
            version="" if direct.has_dynamic_version else package.version,
            # The address of an archive is that of its source, and said there.
            sdist=replace(file, url="") if is_archive and not filename.endswith(".whl") else None,
            wheels=(wheel,) if is_archive and filename.endswith(".whl") else (),
            requires_dist=requires_dist,
            requires_dev=requires_dev,
            provides_extras=direct.metadata.provides_extra,
        )

    def _files(self, candidate: Candidate, reached: MarkerSet) -> tuple[LockedFile | None, tuple[LockedFile, ...]]:
        """The sdist and the wheels of a version, less the wheels that no Python of the project, or no platform that needs the
        version, can use."""
        sdist: LockedFile | None = None
        wheels: list[LockedFile] = []
        for file in candidate.files:
            parsed = parse_filename(file.filename, candidate.name)
            if isinstance(parsed, WheelName):
                if wheel_may_run(parsed, self._requires_python) and may_be_used(parsed, reached):
                    wheels.append(self._file(file, candidate.index))
            elif parsed is not None and (sdist is None or file.filename.endswith(".tar.gz")):
                sdist = self._file(file, candidate.index)
        return sdist, tuple(sorted(wheels, key=lambda wheel: wheel.filename))

    def _file(self, file: File, index: Index) -> LockedFile:
        """Of a local index the path as the index has it: from its folder on where that is relative, else absolute."""
        url = file.url.without_fragment().public
        if index.url.scheme != "file" or file.url.scheme != "file":
            return LockedFile(url, _hash(file), file.size, upload_time(file.upload_time))
        folder, path = to_path(urlsplit(index.url.public).path), to_path(urlsplit(url).path)
        return LockedFile("", _hash(file), path=relative_path(url, Path(folder)) if index.is_relative else path)


def _hash(file: File) -> str:
    """The strongest digest that the index gives."""
    known = [algorithm for algorithm in _STRONGEST_LAST if algorithm in file.hashes]
    return f"{known[-1]}:{file.hashes[known[-1]]}" if known else ""


def upload_time(text: str | None) -> str:
    """The upload time of a file as the lock has it: in UTC, cut to milliseconds, without zeros at the end."""
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return ""
    whole = moment.strftime("%Y-%m-%dT%H:%M:%S")
    milliseconds = moment.microsecond // 1000
    return f"{whole}.{milliseconds:03d}".rstrip("0") + "Z" if milliseconds else f"{whole}Z"
