"""From what was chosen to the lock that records it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from cove.formats.locked_requirement import requirement_entry, requires_python_text
from cove.formats.marker_text import NEVER, normalized
from cove.formats.uv_lock import REVISION
from cove.index.candidates import wheel_may_run
from cove.model.candidate import Candidate
from cove.model.dist import File, WheelName, parse_filename
from cove.model.index import Index
from cove.model.lock import Lock, LockedDependency, LockedFile, LockedPackage, LockedSource
from cove.model.name import Name, normalize
from cove.operations.direct import Direct
from cove.operations.project import Place, location_of, relative_path
from cove.operations.requirements import Asked, Local
from cove.operations.resolution import Resolution
from cove.resolve.questions import Resolved

_STRONGEST_LAST = ("md5", "sha256", "sha384", "sha512", "blake2b")


def build_lock(
    place: Place,
    asked: Asked,
    resolution: Resolution,
    requires_python: SpecifierSet,
    *,
    options: Mapping[str, object],
    manifest: Mapping[str, object],
) -> Lock:
    """The lock of the project at ``place`` for everything in ``resolution``."""
    maker = _Maker(place, asked, resolution, requires_python)
    packages = [maker.package(resolved) for resolved in resolution.solution.packages.values()]
    return Lock(
        requires_python=requires_python_text(requires_python),
        packages=(*packages, maker.project()),
        options=options,
        manifest=manifest,
        revision=REVISION,
    )


class _Maker:
    def __init__(self, place: Place, asked: Asked, resolution: Resolution, requires_python: SpecifierSet) -> None:
        self._place = place
        self._asked = asked
        self._resolution = resolution
        self._requires_python = requires_python

    def project(self) -> LockedPackage:
        """The entry of the project itself."""
        project, asked = self._place.project, self._asked
        kind: LockedSource = LockedSource("editable" if project.is_package else "virtual", ".")
        stated = project.default_groups if project.default_groups_stated else None
        return LockedPackage(
            name=project.name,
            version=str(project.version) if project.version is not None else "",
            source=kind,
            dependencies=self._edges(asked.dependencies),
            optional_dependencies={extra: self._edges(each) for extra, each in asked.extras.items() if each},
            dev_dependencies={group: self._edges(each) for group, each in asked.groups.items() if each},
            requires_dist=asked.requires_dist,
            requires_dev=asked.requires_dev,
            provides_extras=tuple(project.optional_dependencies),
            default_groups=(Name("all"),) if stated == "all" else stated,
        )

    def package(self, resolved: Resolved) -> LockedPackage:
        """The entry of something that was chosen."""
        name = resolved.name
        direct = self._resolution.directs.get(name)
        edges = self._edges(resolved.requires)
        optional = {
            extra: found
            for extra in sorted(resolved.extras)
            if (found := self._edges(_with_extras(resolved), extra, beyond=edges))
        }
        if direct is not None:
            return self._direct_package(resolved, direct, edges, optional)
        candidate = self._resolution.candidates[name]
        sdist, wheels = self._files(candidate)
        return LockedPackage(
            name=name,
            version=str(resolved.version),
            source=LockedSource("registry", location_of(candidate.index, self._place)),
            dependencies=edges,
            optional_dependencies=optional,
            sdist=sdist,
            wheels=wheels,
        )

    def _direct_package(
        self,
        resolved: Resolved,
        direct: Direct,
        edges: tuple[LockedDependency, ...],
        optional: Mapping[Name, tuple[LockedDependency, ...]],
    ) -> LockedPackage:
        local = self._asked.locals.get(resolved.name) or Local(direct.url.public, "url", direct.url.public)
        hashed = f"sha256:{direct.wheel.sha256}"
        is_wheel = direct.url.filename.endswith(".whl")
        url = direct.url.without_fragment().public if local.kind == "url" else ""
        is_archive = local.kind in ("url", "path")
        wheel = LockedFile(url, hashed, path="" if url else direct.url.filename)
        wheels = (wheel,) if is_archive and is_wheel else ()
        sdist = _archive_hash(direct, url) if is_archive and not is_wheel else None
        return LockedPackage(
            name=resolved.name,
            version=str(resolved.version),
            source=LockedSource(local.kind, local.location),
            dependencies=edges,
            optional_dependencies=optional,
            sdist=sdist,
            wheels=wheels,
            requires_dist=tuple(requirement_entry(each) for each in direct.metadata.requires_dist),
            provides_extras=direct.metadata.provides_extra,
        )

    def _edges(
        self, requirements: Iterable[Requirement], extra: Name | None = None, beyond: tuple[LockedDependency, ...] = ()
    ) -> tuple[LockedDependency, ...]:
        """Edges to what was chosen; several requirements of one project under the same marker become one edge.

        A requirement whose marker no environment can meet has none, nor has one that ``beyond`` already has.
        """
        found: dict[tuple[Name, str], set[Name]] = {}
        for requirement in requirements:
            name = normalize(requirement.name)
            marker = normalized(requirement.marker, self._requires_python, extra)
            if marker == NEVER or name not in self._resolution.solution.packages:
                continue
            found.setdefault((name, marker), set()).update(map(normalize, requirement.extras))
        edges = [LockedDependency(name, tuple(sorted(extras)), marker) for (name, marker), extras in found.items()]
        return tuple(edge for edge in sorted(edges, key=lambda edge: (edge.name, edge.marker)) if edge not in beyond)

    def _files(self, candidate: Candidate) -> tuple[LockedFile | None, tuple[LockedFile, ...]]:
        """The sdist and the wheels of a version, less the wheels that no Python of the project can use."""
        sdist: LockedFile | None = None
        wheels: list[LockedFile] = []
        for file in candidate.files:
            parsed = parse_filename(file.filename, candidate.name)
            if isinstance(parsed, WheelName):
                if wheel_may_run(parsed, self._requires_python):
                    wheels.append(self._file(file, candidate.index))
            elif parsed is not None and (sdist is None or file.filename.endswith(".tar.gz")):
                sdist = self._file(file, candidate.index)
        return sdist, tuple(sorted(wheels, key=lambda wheel: wheel.filename))

    def _file(self, file: File, index: Index) -> LockedFile:
        url = file.url.without_fragment().public
        path = relative_path(url, self._place.folder) if index.url.scheme == "file" else ""
        return LockedFile("" if path else url, _hash(file), file.size, upload_time(file.upload_time), path)


def _with_extras(resolved: Resolved) -> Iterable[Requirement]:
    """The requirements whose marker speaks of extras."""
    return (each for each in resolved.requires if each.marker is not None and "extra" in str(each.marker))


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
