import pytest

from cove.index.misfits import called, made_for_others
from cove.model.dist import WheelName, parse_filename
from cove.model.target import Target

LINUX = {
    "platform_python_implementation": "CPython",
    "python_version": "3.11",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
}
GLIBC = ("cp311-cp311-manylinux_2_36_x86_64", "cp311-cp311-manylinux_2_17_x86_64", "py3-none-any")
TARGET = Target("3.11.7", LINUX, GLIBC)


def wheels(*tags: str) -> list[WheelName]:
    parsed = [parse_filename(f"acme-1-{each}.whl") for each in tags]
    return [each for each in parsed if isinstance(each, WheelName)]


@pytest.mark.parametrize(
    "markers, tags, expected",
    [
        ({}, GLIBC, "CPython 3.11 on Linux x86_64 with glibc 2.36"),
        ({}, ("cp311-cp311-musllinux_1_2_x86_64",), "CPython 3.11 on Linux x86_64 with musl 1.2"),
        (
            {"platform_system": "Darwin", "platform_machine": "arm64"},
            ("cp311-cp311-macosx_14_0_arm64",),
            "CPython 3.11 on macOS 14 arm64",
        ),
        ({"platform_system": "Windows", "platform_machine": "AMD64"}, (), "CPython 3.11 on Windows AMD64"),
    ],
)
def test_a_target_has_a_name(markers: dict[str, str], tags: tuple[str, ...], expected: str) -> None:
    assert called(Target("3.11.7", {**LINUX, **markers}, tags)) == expected


def test_a_target_of_which_little_is_known_has_a_name() -> None:
    assert called(Target("3.11.7", {}, ())) == "Python 3.11.7 on this platform"


@pytest.mark.parametrize(
    "tags, expected",
    [
        (["cp312-cp312-win_amd64"], "cp312 with ABI cp312 on win_amd64"),
        (
            ["cp310-cp310-manylinux_2_17_x86_64", "cp39-cp39-manylinux_2_17_x86_64", "cp311-cp311-win_amd64"],
            "other Pythons (cp39, cp310)",
        ),
        (
            ["cp311-cp311-manylinux_2_38_x86_64", "cp311-cp311-win_amd64", "cp39-cp39-win32"],
            "other platforms (manylinux_2_38_x86_64, win_amd64)",
        ),
        (
            ["cp312-cp312-win_amd64", "cp313-cp313t-win32"],
            "other Pythons (cp312, cp313 with ABI cp313t) on other platforms (win32, win_amd64)",
        ),
        (
            [f"cp3{minor}-cp3{minor}-manylinux_2_17_x86_64" for minor in (6, 7, 8, 9, 10, 12)],
            "other Pythons (cp36, cp37, cp38 and 3 more)",
        ),
    ],
)
def test_what_wheels_are_for_in_which_the_nearest_differ(tags: list[str], expected: str) -> None:
    assert made_for_others(wheels(*tags), TARGET) == expected


def test_without_a_target_pythons_are_what_wheels_differ_in() -> None:
    assert made_for_others(wheels("cp27-cp27m-win32", "cp26-cp26m-any"), None) == "other Pythons (cp26, cp27)"
