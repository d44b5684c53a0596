"""From what was chosen to the lock that records it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from cove.formats.file_url import to_path
from cove.formats.locked_requirement import requirement_entry
from cove.formats.marker_sets import MarkerSet
from cove.formats.marker_text import normalized
from cove.formats.pyproject import Project
from cove.formats.python_range import requires_python_text, wheel_may_run
from cove.formats.uv_lock import REVISION
from cove.formats.wheel_markers import may_be_used
from cove.model.candidate import Candidate
from cove.model.dataclasses import replace
from cove.model.dist import File, WheelName, parse_filename
from cove.model.index import Index
from cove.model.lock import Lock, LockedFile, LockedPackage, LockedSource, conflict_code
from cove.model.name import Name
from cove.operations.direct import Direct
from cove.operations.lock_graph import Graph, Key, Node, Section, when
from cove.operations.project import location_of, relative_path
from cove.operations.requirements import Asked
from cove.operations.resolution import Division
from cove.operations.together import Member, Together

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
        conflicts=stated_conflicts(place.project),
        supported_markers=stated_markers(place.project.environments, requires_python),
        required_markers=stated_markers(place.project.required_environments, requires_python),
        options=options,
        manifest=manifest,
        revision=REVISION,
    )


def sections_of(together: Together) -> dict[Section, tuple[Requirement, ...]]:
    """What all projects require, as it stands side by side."""
    found: dict[Section, tuple[Requirement, ...]] = {}
    for member in together.members:
        found |= _sections_of(member.place.project, member.asked)
    for group, several in together.groups.groups.items() if together.groups is not None else ():
        found[Section("group", group)] = several
    return found


def _sections_of(project: Project, asked: Asked) -> dict[Section, tuple[Requirement, ...]]:
    """What a project requires, as it stands side by side; what excludes each other has a marker that tells it apart."""
    excluding = {each for members in project.conflicts for each in members}
    found = {Section("project", Name(""), of=project.name): asked.dependencies}
    for kind, sections in (("extra", asked.extras), ("group", asked.groups)):
        for name, several in sections.items():
            code = conflict_code(kind, project.name, name) if (kind, name) in excluding else ""
            found[Section(kind, name, code, project.name)] = (
                tuple(when(code, each) for each in several) if code else several
            )
    return found


def conflict_codes(project: Project) -> list[list[str]]:
    """The sets of extras and groups that exclude each other, as markers spell them."""
    return [[conflict_code(kind, project.name, name) for kind, name in members] for members in project.conflicts]


def stated_conflicts(project: Project) -> tuple[tuple[Mapping[str, str], ...], ...]:
    """``conflicts`` as the lock has them."""
    return tuple(
        tuple({"package": project.name, kind: name} for kind, name in sorted(members)) for members in project.conflicts
    )


def stated_markers(markers: Iterable[Marker], requires_python: SpecifierSet) -> tuple[str, ...]:
    """``environments`` and ``required-environments`` as the lock has them."""
    return tuple(normalized(marker, requires_python) for marker in markers)


class _Maker:
    def __init__(self, together: Together, divisions: Sequence[Division], requires_python: SpecifierSet) -> None:
        place = self._place = together.root
        self._requires_python = requires_python
        self.graph = Graph(
            divisions,
            sections_of(together),
            requires_python,
            self._source,
            conflicts=conflict_codes(place.project),
            overrides=place.project.override_dependencies,
            excludes=frozenset(place.project.exclude_dependencies),
        )

    def member(self, member: Member) -> LockedPackage:
        """The entry of a project of the workspace."""
        project, asked = member.place.project, member.asked
        edges = {(section.kind, section.name): self.graph.edges(section) for section in _sections_of(project, asked)}
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
        sdist, wheels = self._files(node.candidate, node.reached)
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
