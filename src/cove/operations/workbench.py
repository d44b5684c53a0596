"""What one interpreter can be given: wheels fetched from indexes, or built from sources in environments of their own."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from cove.errors import BuildFailed, InvalidArtifact, NoCompatibleFile
from cove.formats import core_metadata
from cove.formats.direct_url import Archive, Directory, DirectUrl
from cove.formats.file_url import from_path, to_path
from cove.index.candidates import Rules
from cove.index.chain import Kept
from cove.index.metadata import MetadataReader
from cove.install.interpreter import Interpreter
from cove.model.candidate import Candidate
from cove.model.dataclasses import replace
from cove.model.dist import File
from cove.model.event import Event, Finished, Listener
from cove.model.index import Index
from cove.model.metadata import CoreMetadata
from cove.model.name import Name, normalize
from cove.model.url import Url
from cove.operations.direct import Direct, fragment_digests
from cove.operations.parallel import each
from cove.operations.policy import file_rules
from cove.operations.resolution import Resolution, Universe, resolve
from cove.operations.targets import for_target
from cove.wiring import Session

if TYPE_CHECKING:  # most resolutions neither fetch a wheel nor build one
    from cove.install.build import Builder
    from cove.install.store import StoredWheel


class Workbench:
    """All that resolving and building for ``interpreter`` takes; ``pins`` maps projects to the names of their indexes."""

    def __init__(
        self,
        session: Session,
        interpreter: Interpreter,
        *,
        pins: Mapping[Name, str] | None = None,
        editable: frozenset[Name] = frozenset(),
        building: frozenset[str] = frozenset(),
    ) -> None:
        """``editable`` names the projects whose folders are installed in place; ``building`` the sdists being built."""
        self.session = session
        self.interpreter = interpreter
        self._pins = dict(pins or {})
        self._editable = editable
        self._building = building

    @cached_property
    def metadata(self) -> MetadataReader:
        """Reads metadata of candidates; what had to be downloaded whole goes into the store."""
        return MetadataReader(
            self.session.client, self.session.cache_dir / "metadata", build=self._built_metadata, keep=self._keep
        )

    @cached_property
    def builder(self) -> "Builder":
        """Runs build backends, each in an environment that is made for it and thrown away."""
        from cove.install.build import Builder

        return Builder(self.provision, self.session.environ, report=self.session.listener)

    def universe(
        self,
        rules: Rules,
        urls: Mapping[Name, str] | None = None,
        *,
        digests: Mapping[Name, frozenset[str]] | None = None,
        present: Mapping[Name, CoreMetadata] | None = None,
        follow: bool = True,
        kept: Mapping[Name, Kept] | None = None,
        python_ok: Callable[[str], bool] | None = None,
    ) -> Universe:
        """What can be chosen under ``rules``; ``urls`` are the direct references of those who ask, ``digests`` those of the
        files that may be taken of a project, ``kept`` the indexes that a lock has projects from. ``present``, ``follow`` and
        ``python_ok`` as in ``Universe``."""
        of = file_rules(self.session.settings, rules)
        return Universe(
            self.session.router(self._pins, kept),
            self.metadata,
            lambda name: replace(of(name), digests=(digests or {}).get(name, frozenset())),
            self.direct,
            urls or {},
            present=present,
            follow=follow,
            doubt=self.session.doubt,
            python_ok=python_ok,
        )

    # -- wheels -------------------------------------------------------------------------------------------------------

    def wheel(
        self, file: File, *, name: Name, version: str, index: Index | None, hashes: Mapping[str, str]
    ) -> "StoredWheel":
        """The wheel of a file: itself, or built from it. ``hashes`` are those that a lock promises."""
        from cove.install.fetch import fetch
        from cove.install.store import StoredWheel

        session = self.session
        fetched = fetch(
            session.client,
            file,
            name=name,
            version=version,
            index=index,
            store=session.store,
            expected_hashes=hashes,
            listener=session.listener,
        )
        return fetched if isinstance(fetched, StoredWheel) else self._from_sdist(fetched, f"{name} {version}")

    def wheels(self, resolution: Resolution) -> "dict[Name, StoredWheel]":
        """The wheels of everything that was chosen, fetched side by side."""

        def one(item: tuple[Name, Candidate]) -> "tuple[Name, StoredWheel]":
            name, chosen = item
            return name, self.wheel(chosen.file, name=name, version=str(chosen.version), index=chosen.index, hashes={})

        fetched = dict(each(one, resolution.candidates.items(), workers=self.session.workers))
        return fetched | {name: direct.wheel for name, direct in resolution.directs.items()}

    # -- direct references --------------------------------------------------------------------------------------------

    def direct(self, name: Name, text: str) -> Direct:
        """What the URL ``text`` of a requirement for ``name`` leads to. Raises ``InvalidArtifact`` if it is another project."""
        found = self.direct_at(Url.parse(text), f"{name} @ {Url.parse(text)}", is_editable=name in self._editable)
        if found.metadata.name != name:
            raise InvalidArtifact(f"{Url.parse(text)} is {found.metadata.name}, but `{name}` was required from there")
        return found

    def direct_at(self, url: Url, label: str, *, is_editable: bool = False) -> Direct:
        """The distribution at ``url``: a wheel or an sdist, remote or local, or a local folder."""
        if url.scheme == "file":
            path = Path(to_path(url.path))
            if path.is_dir():
                return self._direct_folder(path, label, is_editable=is_editable)
            if not path.is_file():
                raise NoCompatibleFile(f"{label}: there is no file or folder {path}")
        if not url.filename.endswith((".whl", ".tar.gz", ".zip")):
            raise InvalidArtifact(
                f"{label}: only wheels, sdists (.tar.gz, .zip) and local folders can be required by URL, not {url}",
                hints=("A version control repository is required through an archive of it, or a local checkout.",),
            )
        hashes = fragment_digests(url)
        bare = url.without_fragment()
        wheel = self.wheel(File(url.filename, bare, {}), name=Name(label), version="", index=None, hashes=hashes)
        return Direct(url, wheel, _metadata(wheel), DirectUrl(bare.without_credentials(), Archive(hashes)))

    def _direct_folder(self, path: Path, label: str, *, is_editable: bool) -> Direct:
        wheel = self.from_folder(path, label, is_editable=is_editable)
        url = Url.parse(from_path(str(path)))
        return Direct(url, wheel, _metadata(wheel), DirectUrl(url, Directory(is_editable)))

    # -- building -----------------------------------------------------------------------------------------------------

    def from_folder(self, path: Path, label: str, *, is_editable: bool = False) -> "StoredWheel":
        """The wheel of a local project, built anew: its files may have changed."""
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix="cove-build-") as out:
            build = self.builder.build_editable if is_editable else self.builder.build_wheel
            made = build(path, Path(out), label)
            return self.session.store.add(made, made.name)

    def _from_sdist(self, sdist: Path, label: str) -> "StoredWheel":
        """The wheel of an sdist in the store, built once for each interpreter and platform."""
        digest, settings = sdist.parent.name, self._build_settings()
        known = self.session.store.built(digest, settings)
        if known is not None:
            return known
        if digest in self._building:
            raise BuildFailed(f"{label} needs itself to be built", hints=("A wheel of it would break the circle.",))
        from tempfile import TemporaryDirectory

        from cove.install.sdist import unpack_sdist

        nested = Workbench(self.session, self.interpreter, pins=self._pins, building=self._building | {digest})
        with TemporaryDirectory(prefix="cove-build-") as folder:
            source = unpack_sdist(sdist, Path(folder) / "source")
            made = nested.builder.build_wheel(source, Path(folder) / "out", label)
            return self.session.store.add_built(digest, settings, made)

    def _build_settings(self) -> str:
        import platform

        target = self.interpreter.target
        return f"{target.tags[0]} {target.python} {platform.machine()} {os.name}"

    def _built_metadata(self, candidate: Candidate) -> CoreMetadata:
        wheel = self.wheel(
            candidate.file, name=candidate.name, version=str(candidate.version), index=candidate.index, hashes={}
        )
        return _metadata(wheel)

    def _keep(self, file: File, content: bytes) -> None:
        store = self.session.store
        if file.filename.endswith(".whl"):
            store.keep(content, file.filename, sha256(content).hexdigest())
            return
        with store.workplace() as work:
            path = work / "download"
            path.write_bytes(content)
            store.add_sdist(path, file.filename)

    @contextmanager
    def provision(self, requirements: Sequence[str]) -> Iterator["_BuildEnvironment"]:
        """An environment that has these requirements and nothing else (PEP 517's isolation)."""
        from tempfile import TemporaryDirectory

        from cove.install import environment

        with TemporaryDirectory(prefix="cove-build-env-") as folder:
            made = environment.create(Path(folder) / "env", self.interpreter)
            prepared = _BuildEnvironment(self, made)
            prepared.add(requirements)
            yield prepared


class _BuildEnvironment:
    """``install.build.BuildEnvironment`` over a virtual environment."""

    def __init__(self, bench: Workbench, interpreter: Interpreter) -> None:
        self._bench = bench
        self._interpreter = interpreter
        self._present: list[str] = []

    @property
    def executable(self) -> Path:
        """Its interpreter."""
        return self._interpreter.executable

    @property
    def scripts(self) -> Path:
        """The folder of its programs."""
        return Path(self._interpreter.paths["scripts"])

    def add(self, requirements: Sequence[str]) -> None:
        """Resolve what is asked for now together with what was asked for before, and install what is not there yet."""
        if not requirements:
            return
        first = not self._present
        self._present += requirements
        asked = [Requirement(text) for text in self._present]
        bench, target = self._bench, self._bench.interpreter.target
        urls = {normalize(each.name): each.url for each in asked if each.url}
        request = for_target(asked, target, root_name="the build")
        found = resolve(
            request,
            bench.universe(Rules(target=target), urls),
            workers=bench.session.workers,
            listener=_without_summaries(bench.session.listener),
        )
        from cove.install.apply import Addition, apply
        from cove.install.installed import scan
        from cove.install.site import scheme_of

        present = {} if first else scan(self._interpreter.sites)
        wheels = bench.wheels(found)
        changed = {
            name: wheel
            for name, wheel in wheels.items()
            if name not in present or present[name].version != str(found.solution.packages[name].version)
        }
        apply(
            scheme_of(self._interpreter),
            remove=[Path(present[name].path) for name in changed if name in present],
            install=[Addition(wheel) for _, wheel in sorted(changed.items())],
        )


def _without_summaries(listener: Listener) -> Listener:
    """What a build needs is a detail of the work: it is shown while it goes on, and not summed up."""

    def pass_on(event: Event) -> None:
        listener(replace(event, detail="") if isinstance(event, Finished) else event)

    return pass_on


def _metadata(wheel: "StoredWheel") -> CoreMetadata:
    return core_metadata.read((wheel.files / wheel.manifest.dist_info / "METADATA").read_bytes())
