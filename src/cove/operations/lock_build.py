"""From what was chosen to the lock that records it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from cove.formats.locked_requirement import requirement_entry, requires_python_text
from cove.formats.marker_sets import MarkerSet
from cove.formats.marker_text import normalized
from cove.formats.pyproject import Project
from cove.formats.uv_lock import REVISION
from cove.formats.wheel_markers import may_be_used
from cove.index.candidates import wheel_may_run
from cove.model.candidate import Candidate
from cove.model.dataclasses import replace
from cove.model.dist import File, WheelName, parse_filename
from cove.model.index import Index
from cove.model.lock import Lock, LockedFile, LockedPackage, LockedSource, conflict_code
from cove.model.name import Name
from cove.operations.direct import Direct
from cove.operations.lock_graph import Graph, Key, Node, Section, when
from cove.operations.project import Place, location_of, relative_path
from cove.operations.requirements import Asked, Local
from cove.operations.resolution import Division

_OWN = Section("project", Name(""))
_STRONGEST_LAST = ("md5", "sha256", "sha384", "sha512", "blake2b")


def build_lock(
    place: Place,
    asked: Asked,
    divisions: Sequence[Division],
    requires_python: SpecifierSet,
    *,
    options: Mapping[str, object],
    manifest: Mapping[str, object],
) -> Lock:
    """The lock of the project at ``place`` for everything in ``divisions``."""
    maker = _Maker(place, asked, divisions, requires_python)
    parts = [division.part for division in divisions]
    return Lock(
        requires_python=requires_python_text(requires_python),
        packages=(*(maker.package(key, node) for key, node in maker.graph.nodes.items()), maker.project()),
        resolution_markers=maker.graph.markers_of(parts),
        conflicts=stated_conflicts(place.project),
        supported_markers=stated_markers(place.project.environments, requires_python),
        required_markers=stated_markers(place.project.required_environments, requires_python),
        options=options,
        manifest=manifest,
        revision=REVISION,
    )


def sections_of(project: Project, asked: Asked) -> dict[Section, tuple[Requirement, ...]]:
    """What the project requires, as it stands side by side; what excludes each other has a marker that tells it apart."""
    excluding = {each for members in project.conflicts for each in members}
    found = {_OWN: asked.dependencies}
    for kind, sections in (("extra", asked.extras), ("group", asked.groups)):
        for name, several in sections.items():
            code = conflict_code(kind, project.name, name) if (kind, name) in excluding else ""
            found[Section(kind, name, code)] = tuple(when(code, each) for each in several) if code else several
    return found


def conflict_codes(project: Project) -> list[list[str]]:
    """The sets of extras and groups that exclude each other, as markers spell them."""
    return [[conflict_code(kind, project.name, name) for kind, name in members] for members in project.conflicts]


def stated_conflicts(project: Project) -> tuple[tuple[Mapping[str, str], ...], ...]:
    """``conflicts`` as the lock has them."""
    return tuple(
        tuple({"package": project.name, kind: name} for kind, name in members) for members in project.conflicts
    )


def stated_markers(markers: Iterable[Marker], requires_python: SpecifierSet) -> tuple[str, ...]:
    """``environments`` and ``required-environments`` as the lock has them."""
    return tuple(normalized(marker, requires_python) for marker in markers)


class _Maker:
    def __init__(
        self, place: Place, asked: Asked, divisions: Sequence[Division], requires_python: SpecifierSet
    ) -> None:
        self._place = place
        self._asked = asked
        self._requires_python = requires_python
        sections = sections_of(place.project, asked)
        self.graph = Graph(
            divisions,
            sections,
            requires_python,
            self._source,
            conflicts=conflict_codes(place.project),
            overrides=place.project.override_dependencies,
        )

    def project(self) -> LockedPackage:
        """The entry of the project itself."""
        project, asked = self._place.project, self._asked
        kind: LockedSource = LockedSource("editable" if project.is_package else "virtual", ".")
        stated = project.default_groups if project.default_groups_stated else None
        edges = {(section.kind, section.name): self.graph.edges(section) for section in sections_of(project, asked)}
        extras = {name: edges["extra", name] for name in asked.extras}
        groups = {name: edges["group", name] for name in asked.groups}
        return LockedPackage(
            name=project.name,
            version=str(project.version) if project.version is not None else "",
            source=kind,
            dependencies=self.graph.edges(_OWN),
            optional_dependencies={name: edges for name, edges in extras.items() if asked.extras[name]},
            dev_dependencies={name: edges for name, edges in groups.items() if asked.groups[name]},
            requires_dist=asked.requires_dist,
            requires_dev=asked.requires_dev,
            provides_extras=tuple(project.optional_dependencies),
            default_groups=(Name("all"),) if stated == "all" else stated,
        )

    def _source(self, name: Name, candidate: Candidate | None, direct: Direct | None) -> LockedSource:
        if direct is not None:
            local = self._local(name, direct)
            return LockedSource(local.kind, local.location)
        assert candidate is not None, "what is chosen comes from an index or from a direct reference"
        return LockedSource("registry", location_of(candidate.index, self._place))

    def _local(self, name: Name, direct: Direct) -> Local:
        return self._asked.locals.get(name) or Local(direct.url.public, "url", direct.url.public)

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
        local = self._local(package.name, direct)
        hashed = f"sha256:{direct.wheel.sha256}"
        is_wheel = direct.url.filename.endswith(".whl")
        url = direct.url.without_fragment().public if local.kind == "url" else ""
        is_archive = local.kind in ("url", "path")
        wheel = LockedFile(url, hashed, path="" if url else direct.url.filename)
        return replace(
            package,
            sdist=_archive_hash(direct, url) if is_archive and not is_wheel else None,
            wheels=(wheel,) if is_archive and is_wheel else (),
            requires_dist=tuple(requirement_entry(each) for each in direct.metadata.requires_dist),
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
        url = file.url.without_fragment().public
        path = relative_path(url, self._place.folder) if index.url.scheme == "file" else ""
        return LockedFile("" if path else url, _hash(file), file.size, upload_time(file.upload_time), path)


def _archive_hash(direct: Direct, url: str) -> LockedFile:
    info = direct.origin.info
    digest = getattr(info, "hashes", {}).get("sha256", "")
    return LockedFile(url, f"sha256:{digest}" if digest else "")


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
