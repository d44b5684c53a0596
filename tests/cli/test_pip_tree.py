"""``cove pip tree``, held to uv on environments."""

import json

import pytest

from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Sandbox
from support.programs import clean_environment, program, run

VARIANTS: tuple[tuple[str, ...], ...] = (
    (),
    ("--depth", "0"),
    ("--depth", "1"),
    ("--show-version-specifiers",),
    ("--invert", "--show-version-specifiers"),
    ("--invert", "--package", "leaf"),
    ("--package", "lib", "--package", "tool"),
    ("--package", "leaf", "--package", "app"),
    ("--prune", "lib"),
    ("--no-dedupe",),
    ("--invert", "--no-dedupe"),
    ("--strict",),
)


@pytest.fixture
def environment(sandbox: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> Sandbox:
    """An environment in which most of what is required is there, and some of it in the wrong version."""
    wheel = wheel_factory.wheel
    cove_index.add(
        wheel(
            "app",
            requires=["lib>=1,<3", "lib!=1.5,>=0.5", "leaf", "win; sys_platform == 'win32'"],
            extras={"x": ["tool"]},
        ),
        wheel("lib", "1.0", requires=["leaf<2", "deep>=1"]),
        wheel("lib", "2.0", requires=["leaf<2", "deep>=1"]),
        wheel("leaf", "1.0"),
        wheel("leaf", "2.0"),
        wheel("leaf", "3.0a1"),
        wheel("deep", "1.0", requires=["leaf"]),
        wheel("tool", requires=["lib==1.*", "gone>1"]),
    )
    sandbox.using({"UV_DEFAULT_INDEX": cove_index.simple_url})
    sandbox.cove("venv", ".venv").ok()
    sandbox.cove("pip", "install", "--no-deps", "app", "lib==1.0", "leaf==1.0", "deep", "tool").ok()
    return sandbox


def test_as_uv_draws_it(environment: Sandbox) -> None:
    environ = clean_environment(environment.root / "uv")
    for variant in VARIANTS:
        theirs = run([program("uv"), "pip", "tree", "--python", ".venv", *variant], environ, environment.work)
        ours = environment.cove("pip", "tree", *variant).ok()
        assert (theirs.returncode, ours.stdout) == (0, theirs.stdout), variant
        warnings = [line for line in theirs.stderr.splitlines() if line.startswith("warning: ")]
        assert [line for line in ours.stderr.splitlines() if line.startswith("warning: ")] == sorted(warnings), variant
        assert not ours.requests


def test_what_requires_itself_in_a_circle(
    environment: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    cove_index.add(wheel_factory.wheel("one", requires=["two"]), wheel_factory.wheel("two", requires=["one", "leaf"]))
    environment.cove("pip", "uninstall", "app", "lib", "deep", "tool").ok()
    environment.cove("pip", "install", "one").ok()
    assert environment.cove("pip", "tree", "--no-dedupe").ok().stdout.splitlines() == [
        "one v1.0",
        "└── two v1.0",
        "    ├── leaf v1.0",
        "    └── one v1.0 (*)",
        "(*) Package tree is a cycle and cannot be shown",
    ]


def test_what_is_newer(environment: Sandbox, wheel_factory: PackageFactory) -> None:
    made = wheel_factory.wheel("secret", "1.0")
    made.write_to(environment.work)
    environment.cove("pip", "install", f"./{made.filename}").ok()
    ran = environment.cove("pip", "tree", "--outdated", "--package", "app", "--package", "secret").ok()
    assert ran.stdout.splitlines()[:3] == ["app v1.0", "├── leaf v1.0 (latest: v2.0)", "└── lib v1.0 (latest: v2.0)"]
    asked = sorted(request.url.rpartition("/simple/")[2] for request in ran.requests)
    assert asked == ["app/", "deep/", "leaf/", "lib/"], "nobody is asked for what came from a file"
    told = json.loads(environment.cove("pip", "tree", "--outdated", "--output-format", "json").ok().stdout)
    app = next(each for each in told if each["name"] == "app")
    assert app["branches"][0] == {"name": "leaf", "version": "1.0", "required": "", "latest": "2.0", "branches": []}


def test_what_is_not_there_is_refused(environment: Sandbox) -> None:
    ran = environment.cove("pip", "tree", "--package", "nope")
    assert (ran.status, "`nope` is not installed in" in ran.stderr) == (2, True)
    assert environment.cove("pip", "tree", "--depth", "x").status == 2
