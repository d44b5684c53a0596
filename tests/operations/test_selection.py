"""What a target takes from a lock is what ``reach`` says is needed there, with parts that exclude each other, too."""

import itertools

import pytest
from packaging.markers import Marker, default_environment

from cove.errors import ConfigurationError
from cove.model.conflict import Choice
from cove.model.lock import Lock, LockedDependency, LockedPackage, LockedSource
from cove.model.name import Name
from cove.operations.lock.reach import reach
from cove.operations.lock.selection import Start, select

HERE = LockedSource("virtual", ".")
INDEX = LockedSource("registry", "https://example.com/simple")
NEW, OLD, DOCS = "extra-4-demo-new", "extra-4-demo-old", "group-4-demo-docs"
APP = LockedPackage(
    Name("demo"),
    "1",
    HERE,
    dependencies=(LockedDependency(Name("both"), (Name("fast"),)),),
    optional_dependencies={
        Name("new"): (LockedDependency(Name("lib"), version="2", source=INDEX),),
        Name("old"): (LockedDependency(Name("lib"), version="1", source=INDEX),),
        Name("free"): (LockedDependency(Name("leaf")),),
    },
    dev_dependencies={Name("docs"): (LockedDependency(Name("writer")),)},
)
PACKAGES = (
    APP,
    LockedPackage(Name("lib"), "1", INDEX),
    LockedPackage(Name("lib"), "2", INDEX),
    LockedPackage(Name("leaf"), "1", INDEX),
    LockedPackage(
        Name("both"),
        "1",
        INDEX,
        dependencies=(
            LockedDependency(Name("leaf"), marker=f"sys_platform == 'win32' or '{NEW}' == extra"),
            LockedDependency(Name("writer"), marker=f"extra == '{OLD}' and extra != '{DOCS}'"),
        ),
        optional_dependencies={
            Name("fast"): (
                LockedDependency(
                    Name("lib"),
                    marker=f"extra == '{NEW}' or (extra == '{OLD}' and extra == '{NEW}')",
                    version="2",
                    source=INDEX,
                ),
            )
        },
    ),
    LockedPackage(Name("writer"), "1", INDEX),
)
CONFLICTS = (Choice(Name("demo"), "extra", Name("new")), Choice(Name("demo"), "extra", Name("old")))
LOCK = Lock(">=3.11", PACKAGES, conflicts=(CONFLICTS,))
PARTS = [
    (extras, groups)
    for extras in itertools.chain.from_iterable(itertools.combinations(("new", "old", "free"), n) for n in range(4))
    for groups in ((), ("docs",))
]


@pytest.mark.parametrize("platform", ["linux", "win32"])
@pytest.mark.parametrize("extras, groups", PARTS)
def test_a_target_takes_what_is_needed_there(extras: tuple[Name, ...], groups: tuple[Name, ...], platform: str) -> None:
    environment = {**{key: str(value) for key, value in default_environment().items()}, "sys_platform": platform}
    if {"new", "old"} <= set(extras):
        for ask in (
            lambda: select(LOCK, [Start(APP, extras, groups)], environment),
            lambda: reach(LOCK, [Start(APP, extras, groups)]),
        ):
            with pytest.raises(ConfigurationError, match="exclude each other"):
                ask()
        return
    needed = {
        (part.package.name, part.package.version)
        for part in reach(LOCK, [Start(APP, extras, groups)])
        if not part.marker or Marker(part.marker).evaluate(environment)
    }
    taken = select(LOCK, [Start(APP, extras, groups)], environment)
    assert {(package.name, package.version) for package in taken} == needed
