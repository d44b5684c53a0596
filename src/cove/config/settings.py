"""Every setting, declared once: its name, where it may be given, how it is read, how sources are merged, what it means.

``Settings`` is read by attribute, with types (``settings.index_strategy``), and by name for the origin
(``settings.origin("index-strategy")``). Parsing, merging, the options of the command line and ``docs/settings.md`` are
derived from the declarations; to add a setting is to add one.
"""

from collections.abc import Callable, Mapping
from typing import Generic, Literal, Required, Self, TypedDict, TypeVar, Unpack, cast, get_args, overload

from cove.config.readers import (
    bool_of_text,
    commas,
    commas_or_words,
    int_of_text,
    list_of,
    maybe,
    one_of,
    present,
    read_anything,
    read_bool,
    read_build_dependencies,
    read_build_variables,
    read_config_settings,
    read_cutoff,
    read_dependency_metadata,
    read_int,
    read_package,
    read_package_config_settings,
    read_package_cutoffs,
    read_package_or_special,
    read_package_prereleases,
    read_proxy,
    read_secret,
    read_table,
    read_text,
    read_upgraded,
    read_url,
    requirements,
    words,
)
from cove.config.toml_lines import Lines, Path
from cove.model.dataclasses import dataclass, field, replace
from cove.model.event import Event
from cove.model.name import Name
from cove.model.origin import DEFAULT, Origin

T = TypeVar("T")

Table = Literal["uv", "pip", "cove"]
Form = Literal["value", "list", "switch", "count"]
KeyringProvider = Literal["disabled", "subprocess", "import", "auto"]
AnnotationStyle = Literal["split", "line"]
Bounds = Literal["lower", "major", "minor", "exact"]
"""What a requirement that is added without a version gets, by the version that is locked."""
Interface = Literal["project", "pip", "tool"]
"""uv's three interfaces: they differ in the files that are read and in the order of indexes."""

GROUPS = {
    "global": "Global options",
    "index": "Index options",
    "resolver": "Resolver options",
    "limits": "Resolver options",
    "lock": "Lock options",
    "add": "Requirement options",
    "selection": "Selection options",
    "making": "Options of what is made",
    "installer": "Installer options",
    "build": "Build options",
    "build-limits": "Build options",
    "binary": "Build options",
    "pip-binary": "Build options",
    "pip": "Environment options",
    "compile": "Options of compiled files",
    "cache": "Cache options",
    "python": "Python options",
    "publish": "Publish options",
    "output": "Output options",
    "environment": "Set by variables and files only",
}
"""Groups of settings by name, with their heading in help pages. Every command has ``global``."""


@dataclass(frozen=True, slots=True)
class Given:
    """A raw value and where it was given. Relative paths in it start from ``folder``, a ``file:`` URL that ends in ``/``.

    A value from a file stands there at ``path``, of which ``lines`` knows the line.
    """

    value: object
    origin: Origin
    folder: str = ""
    lines: Lines | None = field(default=None, compare=False, repr=False)
    path: Path = ()

    def origin_of(self, *keys: str | int) -> Origin:
        """Where the part of the value that ``keys`` lead to was given."""
        return self.origin if self.lines is None else replace(self.origin, line=self.lines.of((*self.path, *keys)))


class _Where(TypedDict, total=False):
    """The parts of a declaration that all kinds of settings share.

    ``also`` is another spelling of ``flag``. ``env`` lists variables, the first that is set wins; ``toml`` is a key of
    ``table``; ``text`` turns the text of a flag or variable into what TOML would hold; ``path`` says that the value is a
    path, made absolute where it is read; ``alone`` that of a list only the highest source counts.
    """

    group: Required[str]
    help: Required[str]
    flag: str
    also: str
    short: str
    negative: str
    env: tuple[str, ...]
    toml: str
    table: Table
    text: Callable[[str], object]
    choices: tuple[str, ...]
    metavar: str
    path: bool
    alone: bool


class Setting(Generic[T]):
    """One declaration. As an attribute of ``Settings`` it gives the value; of the class, itself.

    ``read`` turns what TOML holds into the value, and raises ``ValueError`` with a reason that does not quote what it was
    given.
    """

    def __init__(self, read: Callable[[object], T], default: T, form: Form = "value", **where: Unpack[_Where]) -> None:
        self.read = read
        self.default = default
        self.form: Form = form
        self.group = where["group"]
        self.help = where["help"]
        self.flag = where.get("flag", "")
        self.also = where.get("also", "")
        self.short = where.get("short", "")
        self.negative = where.get("negative", "")
        self.env = where.get("env", ())
        self.toml = where.get("toml", "")
        self.table: Table = where.get("table", "uv")
        self.text = where.get("text", str)
        self.choices = where.get("choices", ())
        self.metavar = where.get("metavar", "")
        self.path = where.get("path", False)
        self.alone = where.get("alone", False)
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name.replace("_", "-")

    @property
    def merge(self) -> Literal["override", "append"]:
        """Whether the highest source wins, or lists are joined, higher source first."""
        return "append" if self.form == "list" else "override"

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: "Settings", owner: type) -> T: ...
    def __get__(self, instance: "Settings | None", owner: type) -> "Self | T":
        """The value in ``instance``; the declaration itself on the class."""
        if instance is None:
            return self
        return instance.value(self)


# -- declaring -------------------------------------------------------------------------------------------------------


def _switch(**where: Unpack[_Where]) -> Setting[bool]:
    where.setdefault("text", bool_of_text)
    return Setting(read_bool, default=False, form="switch", **where)


def _several(item: Callable[[object], T], **where: Unpack[_Where]) -> Setting[tuple[T, ...]]:
    nothing: tuple[T, ...] = ()
    return Setting(list_of(item), nothing, form="list", **where)


def _packages(**where: Unpack[_Where]) -> Setting[tuple[Name, ...]]:
    where["text"] = commas_or_words
    where["metavar"] = "PACKAGE"
    return _several(read_package, **where)


def _file(**where: Unpack[_Where]) -> Setting[str | None]:
    where["path"] = True
    where["metavar"] = "PATH"
    return Setting(maybe(read_text), None, **where)


def _files(**where: Unpack[_Where]) -> Setting[tuple[str, ...]]:
    where["text"] = words
    where["metavar"] = "FILE"
    where["alone"] = True
    return _several(read_text, **where)


def _keyring_provider(raw: object) -> KeyringProvider:
    return cast("KeyringProvider", one_of(*get_args(KeyringProvider))(raw))


def _bounds(raw: object) -> Bounds:
    return cast("Bounds", one_of(*get_args(Bounds))(raw))


def _annotation_style(raw: object) -> AnnotationStyle:
    return cast("AnnotationStyle", one_of(*get_args(AnnotationStyle))(raw))


class Settings:
    """All settings of one run. Paths are absolute text; ``None`` and empty mean "not given".

    ``notices`` are warnings and notes about the configuration, to be reported once there is somebody to report to.
    ``member_indexes`` are those that projects of a workspace define for themselves.
    """

    # index
    index = _several(
        read_anything, group="index", toml="index", env=("UV_INDEX",), flag="--index", text=words,
        metavar="[NAME=]URL", help="An index to ask before the default one; may be given several times",
    )  # fmt: skip
    default_index = Setting(
        maybe(read_text), None, group="index", env=("UV_DEFAULT_INDEX",), flag="--default-index", metavar="[NAME=]URL",
        help="The index that is asked last, in place of PyPI",
    )  # fmt: skip
    index_url = Setting(
        maybe(read_text), None, group="index", toml="index-url", env=("UV_INDEX_URL",), flag="--index-url", short="-i",
        metavar="URL", help="The default index, as pip writes it; `--default-index` is the newer form",
    )  # fmt: skip
    extra_index_url = _several(
        read_text, group="index", toml="extra-index-url", env=("UV_EXTRA_INDEX_URL",), text=words,
        flag="--extra-index-url", metavar="URL", help="A further index, as pip writes it; `--index` is the newer form",
    )  # fmt: skip
    find_links = _several(
        read_text, group="index", toml="find-links", env=("UV_FIND_LINKS",), flag="--find-links",
        short="-f", text=commas, metavar="URL|PATH", help="A folder or page of files that complete what indexes offer",
    )  # fmt: skip
    no_index = _switch(
        group="index", toml="no-index", flag="--no-index", help="Ask no index at all, only `--find-links`"
    )
    index_strategy = Setting(
        one_of(
            "first-index", "unsafe-first-match", "unsafe-best-match",
            aliases={"first-match": "first-index", "unsafe-any-match": "unsafe-first-match"},
        ),
        "first-index", group="index", toml="index-strategy", env=("UV_INDEX_STRATEGY",), flag="--index-strategy",
        choices=("first-index", "unsafe-first-match", "unsafe-best-match"),
        help="Whether a project that the first index has is also looked for on the others",
    )  # fmt: skip
    keyring_provider = Setting[KeyringProvider](
        _keyring_provider, "disabled", group="index", toml="keyring-provider",
        env=("UV_KEYRING_PROVIDER",), flag="--keyring-provider", choices=get_args(KeyringProvider),
        help="Whether keyring is asked for credentials: its program, the library beside cove, or whichever is there",
    )  # fmt: skip
    native_auth = Setting(
        read_bool, default=True, form="switch", group="index", toml="native-auth", table="cove", env=("COVE_NATIVE_AUTH",),
        flag="--native-auth", negative="--no-native-auth", text=bool_of_text,
        help="Whether tokens for indexes in AWS, Google Cloud and Azure are fetched from whatever is logged in there",
    )  # fmt: skip
    index_options = _several(
        read_table, group="environment", toml="index", table="cove",
        help="A table of further options for each index by name: see [indexes](indexes.md)",
    )  # fmt: skip

    # resolver
    resolution = Setting(
        one_of("highest", "lowest", "lowest-direct"), "highest", group="resolver", toml="resolution",
        env=("UV_RESOLUTION",), flag="--resolution", choices=("highest", "lowest", "lowest-direct"),
        help="Which of the versions that fit is taken",
    )  # fmt: skip
    prerelease = Setting(
        one_of("disallow", "allow", "if-necessary", "explicit", "if-necessary-or-explicit"),
        "if-necessary", group="resolver", toml="prerelease", env=("UV_PRERELEASE",), flag="--prerelease",
        choices=("disallow", "allow", "if-necessary", "explicit", "if-necessary-or-explicit"),
        help="When pre-releases are taken",
    )  # fmt: skip
    prerelease_package = _several(
        read_package_prereleases, group="resolver", toml="prerelease-package", flag="--prerelease-package",
        metavar="PACKAGE=MODE", help="The same for one package, in place of the general mode",
    )  # fmt: skip
    fork_strategy = Setting(
        one_of("requires-python", "fewest"), "requires-python", group="resolver", toml="fork-strategy",
        env=("UV_FORK_STRATEGY",), flag="--fork-strategy", choices=("requires-python", "fewest"),
        help="Whether a lock has newer versions for newer Pythons, or as few versions as possible",
    )  # fmt: skip
    exclude_newer = Setting(
        maybe(read_cutoff), None, group="resolver", toml="exclude-newer", env=("UV_EXCLUDE_NEWER",),
        flag="--exclude-newer", metavar="DATE", help="Leave out files uploaded after this date or within this duration",
    )  # fmt: skip
    exclude_newer_package = _several(
        read_package_cutoffs, group="resolver", toml="exclude-newer-package", flag="--exclude-newer-package",
        metavar="PACKAGE=DATE", help="The same for one package, in place of the general date; `false` leaves out nothing",
    )  # fmt: skip
    upgrade = _switch(
        group="resolver", toml="upgrade", flag="--upgrade", short="-U", negative="--no-upgrade",
        help="Take newer versions than those that are locked",
    )  # fmt: skip
    upgrade_package = _several(
        read_upgraded, group="resolver", toml="upgrade-package", flag="--upgrade-package", short="-P", text=requirements,
        metavar="PACKAGE", help="Take a newer version of this package than the locked one, within limits: `name<3`",
    )  # fmt: skip
    no_sources = _switch(
        group="resolver", toml="no-sources", env=("UV_NO_SOURCES",), flag="--no-sources",
        help="Ignore `tool.uv.sources`",
    )  # fmt: skip
    no_sources_package = _packages(
        group="resolver", toml="no-sources-package", env=("UV_NO_SOURCES_PACKAGE",), flag="--no-sources-package",
        help="Ignore `tool.uv.sources` for this package",
    )  # fmt: skip

    constraint = _files(
        group="limits", env=("UV_CONSTRAINT",), flag="--constraints", also="--constraint", short="-c",
        help="A file of versions to keep to, should they be needed",
    )  # fmt: skip
    override = _files(
        group="limits", env=("UV_OVERRIDE",), flag="--overrides", also="--override",
        help="A file of requirements that replace those that packages state",
    )  # fmt: skip
    exclude = _files(
        group="limits", env=("UV_EXCLUDE",), flag="--excludes", also="--exclude",
        help="A file of names that are left out, whoever requires them",
    )  # fmt: skip

    constraint_dependencies = _several(
        read_text, group="environment", toml="constraint-dependencies",
        help="Requirements that limit what the pip commands choose; locks know those of their project alone",
    )  # fmt: skip
    override_dependencies = _several(
        read_text, group="environment", toml="override-dependencies",
        help="Requirements that replace those that packages state, for the pip commands",
    )  # fmt: skip
    exclude_dependencies = _several(
        read_package, group="environment", toml="exclude-dependencies",
        help="Packages that are left out, whoever requires them, for the pip commands",
    )  # fmt: skip

    environments = _several(
        read_text, group="environment", toml="environments",
        help="Markers of the environments that `pip compile --universal` is for; locks know those of their project alone",
    )  # fmt: skip
    required_environments = _several(
        read_text, group="environment", toml="required-environments",
        help="Markers of environments that must have a wheel where there is no sdist, for `pip compile --universal`",
    )  # fmt: skip

    dependency_metadata = _several(
        read_dependency_metadata, group="environment", toml="dependency-metadata",
        help="What packages of indexes require, by name and perhaps version, in the place of what they say",
    )  # fmt: skip

    # lock
    locked = _switch(group="lock", env=("UV_LOCKED",), flag="--locked", help="Fail if the lock would change")
    frozen = _switch(
        group="lock", env=("UV_FROZEN",), flag="--frozen", help="Use the lock as it is, without checking it"
    )
    allow_index_change = _several(
        read_package_or_special, group="lock", flag="--allow-index-change", text=commas_or_words, metavar="PACKAGE",
        help="Let this package come from another index than it is locked from; `:all:` for every package",
    )  # fmt: skip

    upgrade_group = _packages(
        group="lock", flag="--upgrade-group",
        help="Take newer versions of what this dependency group requires than the locked ones",
    )  # fmt: skip

    # add
    add_bounds = Setting[Bounds](
        _bounds, "lower", group="add", toml="add-bounds", flag="--bounds",
        choices=get_args(Bounds), help="Which versions are allowed of what is added without one",
    )  # fmt: skip

    # installer
    reinstall = _switch(
        group="installer", toml="reinstall", flag="--reinstall", negative="--no-reinstall",
        help="Install every package anew",
    )  # fmt: skip
    reinstall_package = _packages(
        group="installer", toml="reinstall-package", flag="--reinstall-package", help="Install this package anew"
    )
    link_mode = Setting(
        maybe(one_of("clone", "copy", "hardlink", "symlink")), None, group="installer", toml="link-mode",
        env=("UV_LINK_MODE",), flag="--link-mode", choices=("clone", "copy", "hardlink", "symlink"),
        help="How files come from the store into an environment",
    )  # fmt: skip
    compile_bytecode = _switch(
        group="installer", toml="compile-bytecode", env=("UV_COMPILE_BYTECODE",), flag="--compile-bytecode",
        negative="--no-compile-bytecode", help="Compile modules to bytecode when installing",
    )  # fmt: skip

    # build
    no_build = _switch(
        group="build", toml="no-build", env=("UV_NO_BUILD",), flag="--no-build", negative="--build",
        help="Build no source distributions",
    )  # fmt: skip
    no_build_package = _packages(
        group="binary", toml="no-build-package", env=("UV_NO_BUILD_PACKAGE",), flag="--no-build-package",
        help="Do not build this package from its source distribution",
    )  # fmt: skip
    no_binary = _switch(
        group="binary", toml="no-binary", env=("UV_NO_BINARY",), flag="--no-binary", negative="--binary",
        help="Use no wheels, build everything",
    )  # fmt: skip
    no_binary_package = _packages(
        group="binary", toml="no-binary-package", env=("UV_NO_BINARY_PACKAGE",), flag="--no-binary-package",
        help="Build this package instead of using its wheel",
    )  # fmt: skip
    no_build_isolation = _switch(
        group="build", toml="no-build-isolation", env=("UV_NO_BUILD_ISOLATION",), flag="--no-build-isolation",
        negative="--build-isolation", help="Build in the environment as it is, without installing build requirements",
    )  # fmt: skip
    no_build_isolation_package = _packages(
        group="build", toml="no-build-isolation-package", flag="--no-build-isolation-package",
        help="The same for this package alone; it is built after all others are installed",
    )  # fmt: skip
    config_settings = _several(
        read_config_settings, group="build", toml="config-settings", flag="--config-setting", also="--config-settings",
        short="-C", metavar="KEY=VALUE", help="What build backends are told",
    )  # fmt: skip
    config_settings_package = _several(
        read_package_config_settings, group="build", toml="config-settings-package", flag="--config-settings-package",
        metavar="PACKAGE:KEY=VALUE", help="What the build backend of this package is told",
    )  # fmt: skip
    extra_build_dependencies = _several(
        read_build_dependencies, group="environment", toml="extra-build-dependencies",
        help="What builds of packages need beyond what these say, by package; with `match-runtime` in the installed version",
    )  # fmt: skip
    extra_build_variables = _several(
        read_build_variables, group="environment", toml="extra-build-variables",
        help="Variables that are set where packages are built, by package",
    )  # fmt: skip
    hide_build_output = _switch(
        group="environment", env=("UV_HIDE_BUILD_OUTPUT",),
        help="Show nothing of what build backends write, which may hold secrets",
    )  # fmt: skip
    build_constraint = _files(
        group="build-limits", env=("UV_BUILD_CONSTRAINT",), flag="--build-constraints", also="--build-constraint", short="-b",
        help="A file of versions to keep to where something has to be built",
    )  # fmt: skip
    build_constraint_dependencies = _several(
        read_text, group="environment", toml="build-constraint-dependencies",
        help="Requirements that limit what builds may be given; locks know those of their project alone",
    )  # fmt: skip
    require_build_hashes = _switch(
        group="build", toml="require-build-hashes", env=("UV_REQUIRE_BUILD_HASHES",),
        flag="--require-build-hashes", negative="--no-require-build-hashes",
        help="Everything that a build requires must have a hash",
    )  # fmt: skip
    pip_no_binary = _several(
        read_package_or_special, group="pip-binary", toml="no-binary", table="pip", flag="--no-binary",
        text=commas_or_words, metavar="PACKAGE", help="Build this package (or `:all:`) instead of using its wheel",
    )  # fmt: skip
    pip_only_binary = _several(
        read_package_or_special, group="pip-binary", toml="only-binary", table="pip",
        flag="--only-binary", text=commas_or_words, metavar="PACKAGE", help="Never build this package (or `:all:`)",
    )  # fmt: skip

    # selection
    no_dev = _switch(group="selection", env=("UV_NO_DEV",), flag="--no-dev", help="Leave out the group `dev`")
    no_default_groups = _switch(
        group="selection", env=("UV_NO_DEFAULT_GROUPS",), flag="--no-default-groups",
        help="Leave out the groups taken by default",
    )  # fmt: skip
    no_editable = _switch(
        group="selection", env=("UV_NO_EDITABLE",), flag="--no-editable", negative="--editable",
        help="Take editable projects as plain folders",
    )  # fmt: skip
    no_editable_package = _packages(
        group="selection", flag="--no-editable-package", help="Take this editable project as a plain folder"
    )
    no_install_project = _switch(
        group="selection", env=("UV_NO_INSTALL_PROJECT",), flag="--no-install-project",
        help="Do not install the project itself",
    )  # fmt: skip
    no_install_workspace = _switch(
        group="selection", env=("UV_NO_INSTALL_WORKSPACE",), flag="--no-install-workspace",
        help="Do not install any member of the workspace",
    )  # fmt: skip
    no_install_local = _switch(
        group="selection", env=("UV_NO_INSTALL_LOCAL",), flag="--no-install-local",
        help="Do not install what comes from a path, the members of the workspace among it",
    )  # fmt: skip
    no_install_package = _packages(group="selection", flag="--no-install-package", help="Do not install this package")
    no_sync = _switch(group="selection", env=("UV_NO_SYNC",), flag="--no-sync", help="Leave the environment as it is")
    dev = _switch(group="environment", env=("UV_DEV",), help="`cove add` adds to the group `dev`")

    # what is made
    venv_clear = _switch(
        group="making", env=("UV_VENV_CLEAR",), flag="--clear", help="Replace an environment that is there"
    )
    venv_seed = _switch(group="making", env=("UV_VENV_SEED",), flag="--seed", help="Install pip in it")
    no_project = _switch(
        group="making", env=("UV_NO_PROJECT",), flag="--no-project",
        help="Do not ask the project which Python it requires",
    )  # fmt: skip
    init_bare = _switch(group="making", env=("UV_INIT_BARE",), flag="--bare", help="Write pyproject.toml alone")

    # pip
    system = _switch(
        group="pip", toml="system", table="pip", env=("UV_SYSTEM_PYTHON",), flag="--system", negative="--no-system",
        help="Change the environment of the first Python on PATH, virtual or not",
    )  # fmt: skip
    break_system_packages = _switch(
        group="pip", toml="break-system-packages", table="pip", env=("UV_BREAK_SYSTEM_PACKAGES",),
        flag="--break-system-packages", negative="--no-break-system-packages",
        help="Change an environment even though it is marked as managed by something else",
    )  # fmt: skip
    require_hashes = _switch(
        group="pip", toml="require-hashes", table="pip", env=("UV_REQUIRE_HASHES",), flag="--require-hashes",
        negative="--no-require-hashes", help="Every requirement must be pinned and have a hash",
    )  # fmt: skip
    no_verify_hashes = _switch(
        group="pip", env=("UV_NO_VERIFY_HASHES",), flag="--no-verify-hashes", negative="--verify-hashes",
        help="Do not check hashes that a requirements file gives",
    )  # fmt: skip

    # compile
    generate_hashes = _switch(
        group="compile", toml="generate-hashes", table="pip", flag="--generate-hashes", negative="--no-generate-hashes",
        help="Add the hashes of all files",
    )  # fmt: skip
    no_header = _switch(
        group="compile", toml="no-header", table="pip", flag="--no-header", negative="--header",
        help="Leave out the comment with the command",
    )  # fmt: skip
    custom_compile_command = Setting(
        maybe(read_text), None, group="compile", toml="custom-compile-command", table="pip",
        env=("UV_CUSTOM_COMPILE_COMMAND",), flag="--custom-compile-command", metavar="COMMAND",
        help="The command to show in the header",
    )  # fmt: skip
    no_annotate = _switch(
        group="compile", toml="no-annotate", table="pip", flag="--no-annotate", negative="--annotate",
        help="Leave out the comments on who requires what",
    )  # fmt: skip
    annotation_style = Setting[AnnotationStyle](
        _annotation_style, "split", group="compile", toml="annotation-style", table="pip",
        flag="--annotation-style", choices=get_args(AnnotationStyle), help="Where these comments stand",
    )  # fmt: skip
    no_strip_extras = _switch(
        group="compile", toml="no-strip-extras", table="pip", flag="--no-strip-extras", negative="--strip-extras",
        help="Keep extras in the result",
    )  # fmt: skip
    no_strip_markers = _switch(
        group="compile", toml="no-strip-markers", table="pip", flag="--no-strip-markers", negative="--strip-markers",
        help="Say of each package for which environments it is required, as `--universal` always does",
    )  # fmt: skip
    no_emit_package = _packages(
        group="compile", toml="no-emit-package", table="pip", flag="--no-emit-package",
        help="Leave this package out of the result",
    )  # fmt: skip
    emit_index_url = _switch(
        group="compile", toml="emit-index-url", table="pip", flag="--emit-index-url", negative="--no-emit-index-url",
        help="Add the indexes, without credentials",
    )  # fmt: skip
    emit_find_links = _switch(
        group="compile", toml="emit-find-links", table="pip", flag="--emit-find-links", negative="--no-emit-find-links",
        help="Add the places of --find-links",
    )  # fmt: skip
    emit_build_options = _switch(
        group="compile", toml="emit-build-options", table="pip", flag="--emit-build-options",
        negative="--no-emit-build-options", help="Add what is said by --no-binary and --only-binary",
    )  # fmt: skip
    emit_index_annotation = _switch(
        group="compile", toml="emit-index-annotation", table="pip", flag="--emit-index-annotation",
        negative="--no-emit-index-annotation", help="Add a comment on the index of each package",
    )  # fmt: skip
    emit_marker_expression = _switch(
        group="compile", toml="emit-marker-expression", table="pip", flag="--emit-marker-expression",
        negative="--no-emit-marker-expression", help="Add a comment on the environments that the result is known to fit",
    )  # fmt: skip
    universal = _switch(
        group="compile", toml="universal", table="pip", flag="--universal", negative="--no-universal",
        help="Compile for all platforms",
    )  # fmt: skip
    python_version = Setting(
        maybe(read_text), None, group="compile", toml="python-version", table="pip", flag="--python-version",
        metavar="VERSION", help="Compile for this Python, with --universal for all from it on",
    )  # fmt: skip
    python_platform = Setting(
        maybe(read_text), None, group="compile", toml="python-platform", table="pip", flag="--python-platform",
        metavar="PLATFORM",
        help="Compile for this platform: `linux`, `windows`, `macos`, or a triple such as `aarch64-apple-darwin`",
    )  # fmt: skip

    # cache
    no_cache = _switch(
        group="global", toml="no-cache", env=("UV_NO_CACHE",), flag="--no-cache", short="-n",
        help="Use a cache that is thrown away at the end",
    )  # fmt: skip
    cache_dir = _file(
        group="global", toml="cache-dir", env=("UV_CACHE_DIR",), flag="--cache-dir", help="The folder of the cache"
    )
    refresh = _switch(
        group="cache", flag="--refresh", negative="--no-refresh", help="Ask again for everything that is in the cache"
    )
    refresh_package = _packages(
        group="cache", flag="--refresh-package", help="Ask again for what the cache has of this package"
    )

    # python
    python = Setting(
        maybe(read_text), None, group="python", toml="python", table="pip", env=("UV_PYTHON",),
        flag="--python", short="-p", metavar="PYTHON",
        help="The interpreter: a version, a name on PATH, or a path",
    )  # fmt: skip
    project_environment = Setting(
        maybe(read_text), None, group="environment", env=("UV_PROJECT_ENVIRONMENT",), metavar="PATH",
        help="The project's environment, relative to the project; `.venv` when not given",
    )  # fmt: skip
    virtual_env = _file(group="environment", env=("VIRTUAL_ENV",), help="The active virtual environment")

    # global
    directory = _file(
        group="global", env=("UV_WORKING_DIR", "UV_WORKING_DIRECTORY"), flag="--directory",
        help="Work as if started in this folder",
    )  # fmt: skip
    project = _file(
        group="global", env=("UV_PROJECT",), flag="--project", help="Look for the project in this folder and above it"
    )
    config_file = _file(
        group="global", env=("UV_CONFIG_FILE",), flag="--config-file", help="Read this `uv.toml` in place of all others"
    )
    no_config = _switch(group="global", env=("UV_NO_CONFIG",), flag="--no-config", help="Read no configuration files")
    no_system_config = _switch(
        group="environment", env=("UV_NO_SYSTEM_CONFIG",), help="Do not read the system's configuration file"
    )
    offline = _switch(
        group="global", toml="offline", env=("UV_OFFLINE",), flag="--offline", negative="--no-offline",
        help="Do without the network",
    )  # fmt: skip
    quiet = Setting(
        read_int(0), 0, form="count", group="global", flag="--quiet", short="-q", help="Say nothing but errors"
    )
    verbose = Setting(
        read_int(0),
        0,
        form="count",
        group="global",
        flag="--verbose",
        short="-v",
        help="Say more: decisions, requests, where credentials came from; twice: headers too, without secrets",
    )
    no_progress = _switch(
        group="global", toml="no-progress", env=("UV_NO_PROGRESS",), flag="--no-progress", help="Draw no progress bars"
    )
    color = Setting(
        one_of("auto", "always", "never"), "auto", group="global", flag="--color", choices=("auto", "always", "never"),
        help="When output is coloured; `auto`: on terminals",
    )  # fmt: skip
    no_color = _switch(group="environment", env=("NO_COLOR",), text=present, help="Colour nothing, when not empty")
    force_color = _switch(
        group="environment",
        env=("FORCE_COLOR", "CLICOLOR_FORCE"),
        text=present,
        help="Colour everything, when not empty",
    )
    output_format = Setting(
        one_of("text", "json"), "text", group="output", flag="--output-format", choices=("text", "json"),
        help="Results and errors for people, or as JSON",
    )  # fmt: skip

    # network
    allow_insecure_host = _several(
        read_text, group="global", toml="allow-insecure-host", env=("UV_INSECURE_HOST",), text=words,
        flag="--allow-insecure-host", metavar="HOST", help="A host (or host:port) whose certificate is not checked",
    )  # fmt: skip
    system_certs = _switch(
        group="global", toml="system-certs", env=("UV_SYSTEM_CERTS", "UV_NATIVE_TLS"), flag="--system-certs",
        negative="--no-system-certs", help="Trust the certificates of the operating system",
    )  # fmt: skip
    ssl_cert_file = _file(
        group="environment", env=("SSL_CERT_FILE",), help="A PEM file of the only certificates to trust"
    )
    ssl_cert_dir = _file(group="environment", env=("SSL_CERT_DIR",), help="A folder of the only certificates to trust")
    ssl_client_cert = _file(
        group="environment", env=("SSL_CLIENT_CERT",), help="A PEM file with the client's certificate and key"
    )
    http_proxy = Setting(
        maybe(read_proxy), None, group="environment", toml="http-proxy", env=("HTTP_PROXY", "http_proxy"), metavar="URL",
        help="The proxy for http",
    )  # fmt: skip
    https_proxy = Setting(
        maybe(read_proxy), None, group="environment", toml="https-proxy", env=("HTTPS_PROXY", "https_proxy"), metavar="URL",
        help="The proxy for https",
    )  # fmt: skip
    all_proxy = Setting(
        maybe(read_proxy), None, group="environment", env=("ALL_PROXY", "all_proxy"), metavar="URL",
        help="The proxy where no other is given",
    )  # fmt: skip
    no_proxy = _several(
        read_text, group="environment", toml="no-proxy", env=("NO_PROXY", "no_proxy"), text=commas,
        metavar="HOST", help="Hosts that are reached without a proxy",
    )  # fmt: skip
    http_timeout = Setting(
        read_int(1), 30, group="environment", env=("UV_HTTP_TIMEOUT", "UV_REQUEST_TIMEOUT", "HTTP_TIMEOUT"), text=int_of_text,
        metavar="SECONDS", help="How long to wait for more of an answer",
    )  # fmt: skip
    http_connect_timeout = Setting(
        read_int(1), 10, group="environment", env=("UV_HTTP_CONNECT_TIMEOUT",), text=int_of_text, metavar="SECONDS",
        help="How long to wait for a connection",
    )  # fmt: skip
    upload_http_timeout = Setting(
        read_int(1), 900, group="environment", env=("UV_UPLOAD_HTTP_TIMEOUT", "UV_HTTP_TIMEOUT"), text=int_of_text,
        metavar="SECONDS", help="How long to wait while uploading",
    )  # fmt: skip
    http_retries = Setting(
        read_int(0), 3, group="environment", env=("UV_HTTP_RETRIES",), text=int_of_text, metavar="NUMBER",
        help="How often a request that failed for a passing reason is sent again",
    )  # fmt: skip
    concurrent_downloads = Setting(
        read_int(1), 50, group="environment", toml="concurrent-downloads", env=("UV_CONCURRENT_DOWNLOADS",),
        text=int_of_text, metavar="NUMBER", help="Downloads at the same time, at most",
    )  # fmt: skip
    concurrent_builds = Setting(
        maybe(read_int(1)), None, group="environment", toml="concurrent-builds", env=("UV_CONCURRENT_BUILDS",),
        text=int_of_text, metavar="NUMBER", help="Builds at the same time, at most; as many as there are cores when not given",
    )  # fmt: skip
    concurrent_installs = Setting(
        maybe(read_int(1)), None, group="environment", toml="concurrent-installs", env=("UV_CONCURRENT_INSTALLS",),
        text=int_of_text, metavar="NUMBER", help="Threads that unpack; as many as there are cores when not given",
    )  # fmt: skip
    credentials_dir = _file(
        group="environment", env=("UV_CREDENTIALS_DIR",), help="The folder of what `cove auth login` stores"
    )
    netrc = _file(group="environment", env=("NETRC",), help="The netrc file, in place of the one in the home folder")

    # publish
    publish_index = Setting(
        maybe(read_text), None, group="publish", env=("UV_PUBLISH_INDEX",), flag="--index", metavar="NAME",
        help="The configured index to publish to, at its `publish-url`",
    )  # fmt: skip
    publish_url = Setting(
        maybe(read_url), None, group="publish", toml="publish-url", env=("UV_PUBLISH_URL",), flag="--publish-url",
        metavar="URL", help="The address that takes uploads",
    )  # fmt: skip
    check_url = Setting(
        maybe(read_url), None, group="publish", toml="check-url", env=("UV_PUBLISH_CHECK_URL",), flag="--check-url",
        metavar="URL", help="The index that is asked which files are already there",
    )  # fmt: skip
    publish_username = Setting(
        maybe(read_text), None, group="publish", env=("UV_PUBLISH_USERNAME",), flag="--username", short="-u", metavar="NAME",
        help="The user name for uploads",
    )  # fmt: skip
    publish_password = Setting(
        maybe(read_secret), None, group="publish", env=("UV_PUBLISH_PASSWORD",), flag="--password", short="-p",
        metavar="PASSWORD", help="The password for uploads; a variable keeps it out of the list of processes",
    )  # fmt: skip
    publish_token = Setting(
        maybe(read_secret), None, group="publish", env=("UV_PUBLISH_TOKEN",), flag="--token", short="-t", metavar="TOKEN",
        help="The token for uploads, sent as password of the user `__token__`",
    )  # fmt: skip
    trusted_publishing = Setting(
        one_of("automatic", "always", "never"), "automatic", group="publish", toml="trusted-publishing",
        flag="--trusted-publishing", choices=("automatic", "always", "never"),
        help="Whether the identity of a CI job is exchanged for a token",
    )  # fmt: skip

    # server
    serve_password = Setting(
        maybe(read_secret), None, group="environment", env=("COVE_SERVE_PASSWORD",),
        help="The password of the user that `cove serve --user` lets in",
    )  # fmt: skip

    # tools
    trust_credential_commands = _switch(
        group="environment", env=("COVE_TRUST_CREDENTIAL_COMMANDS",),
        help="Run the `credential-command` of every project without asking",
    )  # fmt: skip
    data_dir = _file(
        group="environment", env=("COVE_DATA_DIR",), help="The folder of kept tokens, and of the tools' environments"
    )
    tool_dir = _file(group="environment", env=("UV_TOOL_DIR",), help="The folder of the tools' environments")
    tool_bin_dir = _file(group="environment", env=("UV_TOOL_BIN_DIR",), help="The folder of the tools' programs")

    def __init__(
        self,
        values: Mapping[str, object],
        given: Mapping[str, tuple[Given, ...]],
        interface: Interface = "project",
        notices: tuple[Event, ...] = (),
        member_indexes: tuple[Given, ...] = (),
    ) -> None:
        """Made by ``merge``: ``values`` are read, ``given`` are the raw ones that took part, highest first, both by name."""
        self._values = values
        self._given = given
        self.interface: Interface = interface
        self.notices = notices
        self.member_indexes = member_indexes

    def value(self, setting: Setting[T]) -> T:
        """The value of ``setting``, its default when nobody gave one."""
        found: T = self._values.get(setting.name, setting.default)  # type: ignore[assignment]
        return found

    def given(self, name: str) -> tuple[Given, ...]:
        """The raw values that took part, highest first; of a list, its items one by one. Empty for a default."""
        return self._given.get(name, ())

    def origin(self, name: str) -> Origin:
        """Where the value of the setting ``name`` (``index-strategy``) came from; of a list, its first item."""
        given = self.given(name)
        return given[0].origin if given else DEFAULT

    def __repr__(self) -> str:
        return f"Settings({', '.join(sorted(self._values))})"


SETTINGS: tuple[Setting[object], ...] = tuple(
    declared for declared in vars(Settings).values() if isinstance(declared, Setting)
)
"""Every declaration, in order."""

BY_NAME: Mapping[str, Setting[object]] = {setting.name: setting for setting in SETTINGS}

ALIASES = {"native-tls": "system-certs"}
"""Older spellings of TOML keys."""

NOT_FOR_COVE = frozenset(
    {
        "audit", "build-backend", "cache-keys", "conflicts", "default-groups", "dependency-groups",
        "dev-dependencies", "index-exclude-newer", "managed", "package", "pip",
        "preview", "preview-features", "pypy-install-mirror", "python-downloads", "python-downloads-json-url",
        "python-install-mirror", "python-preference", "required-version", "sources",
        "torch-backend", "workspace",
    }
)  # fmt: skip
"""Keys of ``[tool.uv]`` that are not settings of ours: read elsewhere, or meant for uv alone. They are not typing mistakes."""

PIP_ONLY = frozenset(
    {
        "all-extras", "allow-empty-requirements", "extra", "group", "no-deps", "no-extra", "output-file", "prefix",
        "reinstall-package", "strict", "target", "verify-hashes",
    }
)  # fmt: skip
"""The same for keys that only ``[tool.uv.pip]`` has."""
