"""What one interpreter can be given: wheels fetched from indexes, or built from sources in environments of their own."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.markers import Marker
from packaging.requirements import Requirement

from cove.errors import BuildFailed, ConfigurationError, HashMismatch, InvalidArtifact, NoCompatibleFile
from cove.formats import core_metadata, git_url
from cove.formats.direct_url import Archive, Directory, DirectUrl, Repository
from cove.formats.file_url import from_path, to_path
from cove.formats.git_url import GitUrl
from cove.index.candidates import Rules
from cove.index.chain import Kept
from cove.index.metadata import MetadataReader
from cove.index.sdist_metadata import stated
from cove.install.interpreter import Interpreter
from cove.model.candidate import Candidate
from cove.model.dataclasses import replace
from cove.model.dist import File
from cove.model.index import Index
from cove.model.metadata import CoreMetadata
from cove.model.name import Name, normalize
from cove.model.url import Url
from cove.operations.build.environment import BuildEnvironment, BuildLimits, PresentEnvironment
from cove.operations.build.options import build_options
from cove.operations.build.sources import Opened, SourceBuild, metadata_text
from cove.operations.project.locations import flags, is_absolute
from cove.operations.resolution.direct import Direct, fragment_digests
from cove.operations.resolution.parallel import each
from cove.operations.resolution.parts import Part
from cove.operations.resolution.policy import file_rules
from cove.operations.resolution.resolution import Resolution, Universe
from cove.operations.resolution.stated_metadata import StatedMetadata
from cove.resolve.catalogue import may_hold
from cove.resolve.request import Request
from cove.wiring import Session

if TYPE_CHECKING:  # most resolutions neither fetch a wheel nor build one
    from cove.install.build import Builder
    from cove.install.store import StoredWheel
    from cove.install.vcs import Repositories
    from cove.operations.project.locations import Checkout


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
        base: Path | None = None,
        commits: Mapping[str, str] | None = None,
        sent: Mapping[Name, str] | None = None,
        full_urls: Mapping[str, str] | None = None,
        build_limits: BuildLimits | None = None,
    ) -> None:
        """``editable`` names the projects whose folders are installed in place; ``building`` what is being built. Paths of
        local projects are written relative to ``base``; ``commits`` are those that references of repositories are locked
        at. ``sent`` are what builds require and come from no index, with their URLs; ``build_limits`` limit them.
        ``full_urls`` are URLs of requirements with the user info that those do not show."""
        self.session = session
        self.build_limits = build_limits or BuildLimits()
        self.interpreter = interpreter
        self._pins = dict(pins or {})
        self._editable = editable
        self._building = building
        self._base = base
        self._commits = commits or {}
        self._sent = sent or {}
        self._full_urls = full_urls or {}
        self.runtime: Mapping[Name, str] = {}
        """The versions of what is installed beside what is built, once they are known."""
        self._directs: dict[tuple[Name, str], Direct] = {}

    @cached_property
    def metadata(self) -> MetadataReader:
        """Reads metadata of candidates; what had to be downloaded whole goes into the store."""
        return MetadataReader(
            self.session.client,
            self.session.cache_dir / "metadata",
            build=self._built_metadata,
            keep=self._keep,
            known=StatedMetadata(self.session.settings).of,
        )

    def builder(self, label: str, *, is_ours: bool = True) -> "Builder":
        """Runs build backends of the project ``label``: each in an environment that is made for it and thrown away, unless it
        is to be built in the one that is there. An sdist is somebody else's, not ``is_ours``."""
        from cove.install.build import Builder

        options = build_options(self.session.settings, label)
        return Builder(
            partial(self.provision, more=options.requirements(label, self.runtime))
            if options.is_isolated
            else self._present,
            self.session.environ,
            config_settings=options.config_settings,
            variables=options.variables,
            turns=self.session.turns,
            is_ours=is_ours,
            hides_output=self.session.settings.hide_build_output,
            report=self.session.listener,
        )

    @contextmanager
    def _present(self, _: Sequence[str]) -> Iterator[PresentEnvironment]:
        yield PresentEnvironment(self.interpreter)

    def universe(
        self,
        rules: Rules,
        *,
        digests: Mapping[Name, frozenset[str]] | None = None,
        present: Mapping[Name, CoreMetadata] | None = None,
        follow: bool = True,
        kept: Mapping[Name, Kept] | None = None,
        everywhere: Part | None = None,
    ) -> Universe:
        """What can be chosen under ``rules``; ``digests`` are those of the files that may be taken of a project, ``kept`` the
        indexes that a lock has projects from. ``present``, ``follow`` and ``everywhere`` as in ``Universe``."""
        of = file_rules(self.session, rules)
        return Universe(
            self.session.router(self._pins, kept),
            self.metadata,
            lambda name: replace(of(name), digests=(digests or {}).get(name, frozenset())),
            self.direct,
            present=present,
            follow=follow,
            doubt=self.session.doubt,
            everywhere=everywhere,
        )

    # -- wheels -------------------------------------------------------------------------------------------------------

    def wheel(
        self, file: File, *, name: Name, version: str, index: Index | None, hashes: Mapping[str, str]
    ) -> "StoredWheel":
        """The wheel of a file: itself, or built from it. ``hashes`` are those that a lock promises."""
        fetched = self._fetched(file, name, version, index, hashes)
        return self._sdist(fetched, f"{name} {version}").wheel() if isinstance(fetched, Path) else fetched

    def _fetched(
        self, file: File, name: str, version: str, index: Index | None, hashes: Mapping[str, str]
    ) -> "StoredWheel | Path":
        from cove.install.fetch import fetch

        session = self.session
        return fetch(
            session.client,
            file,
            name=Name(name),
            version=version,
            index=index,
            store=session.store,
            expected_hashes=hashes,
            listener=session.listener,
        )

    def wheels(
        self, resolution: Resolution, digests: Mapping[Name, frozenset[str]] | None = None
    ) -> "dict[Name, StoredWheel]":
        """The wheels of everything that was chosen, fetched side by side; ``digests`` as for ``chosen``."""

        def one(item: tuple[Name, Candidate]) -> "tuple[Name, StoredWheel]":
            name, candidate = item
            return name, self.chosen(candidate, (digests or {}).get(name, frozenset()))

        fetched = dict(each(one, resolution.candidates.items(), workers=self.session.workers))
        return fetched | {name: direct.make() for name, direct in resolution.directs.items()}

    def chosen(self, candidate: Candidate, digests: frozenset[str] = frozenset()) -> "StoredWheel":
        """The wheel of ``candidate``; its file must have one of ``digests`` (``sha256:…``), where there are any."""
        take = partial(
            self.wheel, candidate.file, name=candidate.name, version=str(candidate.version), index=candidate.index
        )
        told = {f"{algorithm}:{digest}" for algorithm, digest in candidate.file.hashes.items()}
        if not digests or told & digests:
            return take(hashes={})
        refusal: HashMismatch | None = None
        for text in sorted(digests):  # the page does not tell which of the allowed files this is
            algorithm, _, digest = text.partition(":")
            try:
                return take(hashes={algorithm: digest})
            except HashMismatch as error:
                refusal = error
        assert refusal is not None
        raise refusal

    # -- direct references --------------------------------------------------------------------------------------------

    def located(self, requirement: Requirement) -> Requirement:
        """What a build requires, at the place that its project's sources send it to."""
        url = self._sent.get(normalize(requirement.name))
        if url is None or requirement.url:
            return requirement
        found = Requirement(str(requirement))
        found.url, found.specifier = url, type(requirement.specifier)()
        return found

    def in_force(self, request: Request, known: Collection[str] = ()) -> Request:
        """``request`` with the direct references that it states, and those that what is there requires in turn: only what
        somebody was sent to may send on. What the places ``known`` require is stated already."""
        found: dict[Name, dict[str, Marker | None]] = {}
        new = [*request.roots, *request.constraints, *request.overrides]
        while new:
            requirement = new.pop(0)
            name, url = normalize(requirement.name), requirement.url
            if (
                not url
                or name in request.excludes
                or url in found.get(name, ())
                or not may_hold(requirement.marker, request.applies)
            ):
                continue
            found.setdefault(name, {})[url] = requirement.marker
            if url not in known:
                new += self.direct(name, url).metadata.requires_dist
        places = {name: [(marker, url) for url, marker in several.items()] for name, several in found.items()}
        return replace(request, places={**places, **request.places})

    def direct(self, name: Name, text: str) -> Direct:
        """What the URL ``text`` of a requirement for ``name`` leads to. Raises ``InvalidArtifact`` if it is another project."""
        known = self._directs.get((name, text))
        if known is not None:
            return known
        url = Url.parse(self._full_urls.get(text, text))
        found = self.direct_at(url, f"{name} @ {url}", is_editable=name in self._editable)
        if found.metadata.name != name:
            raise InvalidArtifact(f"{url} is {found.metadata.name}, but `{name}` was required from there")
        found = replace(found, is_absolute=url.scheme == "file" and is_absolute(url.public))
        self._directs[name, text] = found
        return found

    def direct_at(self, url: Url, label: str, *, is_editable: bool = False) -> Direct:
        """The distribution at ``url``: a wheel or an sdist, remote or local, a local folder, or a repository."""
        if git_url.is_git(url.public):
            return self._direct_repository(_as_git(url), label)
        if url.scheme == "file":
            path = Path(to_path(url.path))
            if path.is_dir():
                return self._direct_folder(path, label, flags(url).get("kind", "editable" if is_editable else ""))
            if not path.is_file():
                raise NoCompatibleFile(f"{label}: there is no file or folder {path}")
        if not url.filename.endswith((".whl", ".tar.gz", ".zip")):
            raise InvalidArtifact(
                f"{label}: only wheels, sdists (.tar.gz, .zip), folders and repositories can be required by URL, not {url}",
                hints=("A repository is required as `name @ git+https://…`.",),
            )
        hashes, below = fragment_digests(url), flags(url).get("subdirectory", "")
        bare = url.without_fragment()
        fetched, (digest, path) = self._archive(File(url.filename, bare, {}), label, hashes)
        origin = DirectUrl(bare.without_credentials(), Archive(hashes), below)
        if fetched is not None:
            metadata = core_metadata.read(metadata_text(fetched))
            return Direct(url, metadata, origin, lambda: fetched, digest)
        source = self._sdist(path, label, below)
        with path.open("rb") as content:
            text = stated(content, path.name, below)
        metadata = core_metadata.read(text if text is not None else source.metadata())
        return Direct(url, metadata, origin, source.wheel, digest)

    def _archive(
        self, file: File, label: str, hashes: Mapping[str, str]
    ) -> "tuple[StoredWheel | None, tuple[str, Path]]":
        """A wheel, or nothing; and the digest of the file with its place in the store."""
        found = self._fetched(file, label, "", None, hashes)
        return (None, (found.parent.name, found)) if isinstance(found, Path) else (found, (found.sha256, Path()))

    def _direct_folder(self, path: Path, label: str, kind: str) -> Direct:
        from cove.operations.project.local_projects import local_project

        is_editable = kind == "editable"
        found = local_project(
            self.session, path, lambda: self.metadata_of_folder(path, label, is_editable=is_editable), base=self._base
        )
        url = Url.parse(from_path(str(path)))
        return Direct(
            url,
            found.metadata,
            DirectUrl(url, Directory(is_editable)),
            lambda: self.from_folder(path, label, is_editable=is_editable),
            stated=found.stated,
            is_virtual=kind == "virtual",
            has_dynamic_version=found.has_dynamic_version,
        )

    def metadata_of_folder(self, path: Path, label: str, *, is_editable: bool = False) -> bytes:
        """The core metadata that the build of a local project gives."""
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix="cove-build-") as out:
            builder = self._for_building(path).builder(label)
            return builder.prepare_metadata(path, Path(out), label, editable=is_editable).metadata

    # -- repositories -------------------------------------------------------------------------------------------------

    @cached_property
    def _repositories(self) -> "Repositories":
        from cove.install.vcs import Patience, Repositories

        session = self.session
        return Repositories(
            session.cache_dir / "git",
            session.environ,
            offline=session.settings.offline,
            patience=Patience(session.settings.http_timeout),
            report=session.listener,
        )

    def _direct_repository(self, wanted: GitUrl, label: str) -> Direct:
        from cove.operations.project.local_projects import local_project
        from cove.operations.project.locations import Checkout

        wanted = self._with_typed(wanted)
        git = self._repositories.resolve(wanted, label, self._commits.get(wanted.within("").requested, ""))
        checkout = Checkout(self._repositories.checkout(git, label), git)
        folder = self._within(checkout, git, label)
        source = self._repository(git, label)
        found = local_project(
            self.session,
            folder,
            source.metadata,
            base=self._base,
            checkout=checkout,
            key=f"{git.locked} {self._build_settings(label)}",
        )
        return Direct(
            git.url,
            found.metadata,
            origin_of(git),
            source.wheel,
            git=git,
            stated=found.stated,
        )

    def from_repository(self, git: GitUrl, label: str) -> "StoredWheel":
        """The wheel of the project in a repository, at its commit: built once for each interpreter and platform."""
        return self._repository(git, label).wheel()

    def _repository(self, git: GitUrl, label: str) -> SourceBuild:
        digest = sha256(f"git {git.locked}".encode()).hexdigest()

        @contextmanager
        def opened() -> Iterator[Opened]:
            import shutil

            from cove.operations.project.locations import Checkout

            tree = self._repositories.checkout(self._with_typed(git), label)
            checkout = Checkout(tree, git)
            with self._outside_of_itself(label, digest) as work:
                nested = self._for_building(self._within(checkout, git, label), digest, checkout)
                copy = work / "source"  # builds leave things behind, and the checkout is kept
                shutil.copytree(tree, copy, symlinks=True)
                yield Opened(nested.builder(label), self._within(Checkout(copy, git), git, label), work / "out")

        return self._built_once(label, digest, self._build_settings(label), opened)

    def _with_typed(self, git: GitUrl) -> GitUrl:
        return replace(git, url=self.session.credentials.with_typed(git.url))

    def _within(self, checkout: "Checkout", git: GitUrl, label: str) -> Path:
        root = checkout.folder.resolve()
        folder = (root / git.subdirectory).resolve()
        if not folder.is_relative_to(root) or not folder.is_dir():
            raise InvalidArtifact(f"{label}: {git} has no folder `{git.subdirectory}`")
        return folder

    def _for_building(self, folder: Path | None, digest: str = "", checkout: "Checkout | None" = None) -> "Workbench":
        """A workbench for the build of the project in ``folder``, whose sources say where its requirements come from."""
        sent: Mapping[Name, str] = {}
        if folder is not None and not self.session.settings.no_sources:
            from cove.operations.project.local_projects import build_sources

            sent = build_sources(self.session, folder, self.interpreter.target.markers, checkout)
        building = self._building | ({digest} if digest else set())
        if str(folder) in building:
            raise BuildFailed(f"{folder} needs itself to be built", hints=("A wheel of it would break the circle.",))
        building |= {str(folder)} if folder is not None and sent else set()
        nested = Workbench(
            self.session,
            self.interpreter,
            pins=self._pins,
            building=building,
            sent=sent,
            build_limits=self.build_limits,
        )
        nested.runtime = self.runtime
        return nested

    # -- building -----------------------------------------------------------------------------------------------------

    def from_folder(self, path: Path, label: str, *, is_editable: bool = False) -> "StoredWheel":
        """The wheel of a local project, built anew, for its files may have changed; once for each state that its cache keys
        tell apart, where it states any."""
        from tempfile import TemporaryDirectory

        from cove.operations.project.local_projects import stated_state

        store, settings = self.session.store, self._build_settings(label)
        state = stated_state(self.session, path)
        digest = sha256(f"{'editable' if is_editable else 'folder'} {path} {state}".encode()).hexdigest()
        if state is not None and not self._wants_anew and (known := store.built(digest, settings)) is not None:
            return known
        builder = self._for_building(path).builder(label)
        with TemporaryDirectory(prefix="cove-build-") as out:
            build = builder.build_editable if is_editable else builder.build_wheel
            made = build(path, Path(out), label)
            return store.add(made, made.name) if state is None else store.add_built(digest, settings, made)

    @property
    def _wants_anew(self) -> bool:
        settings = self.session.settings
        return settings.reinstall or bool(settings.reinstall_package) or settings.refresh

    def from_archive(self, file: File, label: str, hashes: Mapping[str, str], subdirectory: str) -> "StoredWheel":
        """The wheel of what lies in a folder of an archive."""
        fetched, (_, path) = self._archive(file, label, hashes)
        return fetched or self._sdist(path, label, subdirectory).wheel()

    def _sdist(self, sdist: Path, label: str, subdirectory: str = "") -> SourceBuild:
        """The build of an sdist in the store."""
        digest, settings = sdist.parent.name, self._build_settings(label)

        @contextmanager
        def opened() -> Iterator[Opened]:
            from cove.install.sdist import unpack_sdist

            with self._outside_of_itself(label, digest) as work:
                folder = _below(unpack_sdist(sdist, work / "source"), subdirectory, label)
                yield Opened(self._for_building(None, digest).builder(label, is_ours=False), folder, work / "out")

        return self._built_once(label, digest, f"{settings} {subdirectory}".rstrip(), opened)

    def _built_once(
        self, label: str, digest: str, settings: str, opened: Callable[[], AbstractContextManager[Opened]]
    ) -> SourceBuild:
        return SourceBuild(label, digest, settings, opened, self.session.store, self.session.cache_dir)

    @contextmanager
    def _outside_of_itself(self, label: str, digest: str) -> Iterator[Path]:
        """A folder for the build of the sources ``digest``, unless that is what is under way."""
        from tempfile import TemporaryDirectory

        if digest in self._building:
            raise BuildFailed(f"{label} needs itself to be built", hints=("A wheel of it would break the circle.",))
        with TemporaryDirectory(prefix="cove-build-") as work:
            yield Path(work)

    def _build_settings(self, label: str) -> str:
        import platform

        target = self.interpreter.target
        found = f"{target.tags[0]} {target.python} {platform.machine()} {os.name}"
        said = (str(self.build_limits), str(build_options(self.session.settings, label)))
        return " ".join([found, *filter(None, said)])

    def _built_metadata(self, candidate: Candidate) -> CoreMetadata:
        label = f"{candidate.name} {candidate.version}"
        sdist = self._fetched(candidate.file, candidate.name, str(candidate.version), candidate.index, {})
        assert isinstance(sdist, Path), "a wheel states its metadata"
        return core_metadata.read(self._sdist(sdist, label).metadata())

    def _keep(self, file: File, content: bytes) -> None:
        store = self.session.store
        if file.filename.endswith(".whl"):
            # Whoever read it for its metadata has compared it with the digest that the index gives.
            store.keep(content, file.filename, file.hashes.get("sha256") or sha256(content).hexdigest())
            return
        with store.workplace() as work:
            path = work / "download"
            path.write_bytes(content)
            store.add_sdist(path, file.filename)

    @contextmanager
    def provision(self, requirements: Sequence[str], more: Sequence[str] = ()) -> Iterator[BuildEnvironment]:
        """An environment that has these requirements and nothing else (PEP 517's isolation)."""
        from tempfile import TemporaryDirectory

        from cove.install import environment

        with TemporaryDirectory(prefix="cove-build-env-") as folder:
            made = environment.create(Path(folder) / "env", self.interpreter)
            prepared = BuildEnvironment(self, made)
            prepared.add([*requirements, *more])
            yield prepared


def _as_git(url: Url) -> GitUrl:
    try:
        found = git_url.parse(url.public)
    except ValueError as error:
        raise ConfigurationError(f"the repository {url} cannot be used: {error}") from None
    return replace(found, url=Url(found.url.public, url.username, url.password))


def origin_of(git: GitUrl) -> DirectUrl:
    """What an installation from a repository records (PEP 610)."""
    info = Repository("git", git.commit, git.reference)
    return DirectUrl(git.url.without_credentials(), info, git.subdirectory)


def _below(source: Path, subdirectory: str, label: str) -> Path:
    """The folder of the project in an unpacked archive."""
    folder = (source / subdirectory).resolve()
    if not folder.is_relative_to(source.resolve()) or not folder.is_dir():
        raise InvalidArtifact(f"{label}: the archive has no folder `{subdirectory}`")
    return folder
