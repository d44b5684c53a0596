"""What a compilation remembers: one wave of questions, and nothing computed again where nothing has changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cove.server.serve import RunningIndex
from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Ran, Sandbox


@pytest.fixture
def pip(sandbox: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> Sandbox:
    """``app`` requires ``lib`` requires ``base``."""
    cove_index.add(
        wheel_factory.wheel("app", requires=["lib"]),
        wheel_factory.wheel("lib", requires=["base"]),
        wheel_factory.wheel("base", "1.0"),
    )
    (sandbox.work / "requirements.in").write_text("app\n")
    return sandbox.using({"UV_DEFAULT_INDEX": cove_index.simple_url})


def compiled(pip: Sandbox, *argv: str) -> Ran:
    return pip.cove("pip", "compile", "requirements.in", "--no-header", *argv).ok()


def asked(ran: Ran) -> list[str]:
    return sorted(request.url.rstrip("/").rpartition("/")[2] for request in ran.requests)


def test_nothing_is_computed_again_while_no_page_has_changed(pip: Sandbox) -> None:
    first = compiled(pip)
    again = compiled(pip)
    assert again.stdout == first.stdout
    assert again.stderr == first.stderr
    assert asked(again) == ["app", "base", "lib"]
    assert {request.status for request in again.requests} == {304}


def test_a_page_that_changed_is_taken_into_account_with_one_request_a_page(
    pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    compiled(pip)
    cove_index.add(wheel_factory.wheel("base", "2.0", requires=["more"]), wheel_factory.wheel("more"))
    ran = compiled(pip)
    assert "base==2.0" in ran.stdout
    assert "more==1.0" in ran.stdout
    assert asked(ran) == [
        "app",
        "base",
        "base-2.0-py3-none-any.whl.metadata",
        "lib",
        "more",
        "more-1.0-py3-none-any.whl.metadata",
    ]
    assert compiled(pip).stdout == ran.stdout


@pytest.mark.parametrize(
    "change, expected",
    [
        (("--no-annotate",), "app==1.0\nbase==1.0\nlib==1.0\n"),
        (("--no-emit-package", "lib", "--no-annotate"), "app==1.0\nbase==1.0\n"),
        (("--no-deps", "--no-annotate"), "app==1.0\n"),
    ],
)
def test_other_options_give_another_result(pip: Sandbox, change: tuple[str, ...], expected: str) -> None:
    compiled(pip)
    assert compiled(pip, *change).stdout == expected


def test_other_requirements_of_the_same_names_give_another_result(
    pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    cove_index.add(wheel_factory.wheel("app", "2.0"))
    assert "app==2.0" in compiled(pip).stdout
    (pip.work / "requirements.in").write_text("app<2\n")
    assert "app==1.0" in compiled(pip).stdout


def test_the_output_that_is_there_counts(pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> None:
    cove_index.add(wheel_factory.wheel("base", "0.9"))
    output = pip.work / "out.txt"
    for _ in range(2):
        compiled(pip, "-o", "out.txt")
        assert "base==1.0" in output.read_text()
    output.write_text("base==0.9\n")
    compiled(pip, "-o", "out.txt")
    assert "base==0.9" in output.read_text()


def test_a_constraint_that_changed_counts(
    pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    cove_index.add(wheel_factory.wheel("base", "0.9"))
    limits = pip.work / "limits.txt"
    for text, expected in (("base\n", "base==1.0"), ("base<1\n", "base==0.9")):
        limits.write_text(text)
        assert expected in compiled(pip, "-c", "limits.txt").stdout


def test_what_was_warned_of_is_warned_of_again(pip: Sandbox) -> None:
    (pip.work / "requirements.in").write_text("app[nonsense]\n")
    first = compiled(pip)
    assert "nonsense" in first.stderr
    assert compiled(pip).stderr == first.stderr


def test_a_denial_is_an_error_although_the_result_is_known(pip: Sandbox, cove_index: PrivateIndex) -> None:
    compiled(pip)
    refused = cove_index.simple_url.replace(cove_index.password.reveal(), "wrong")
    ran = pip.cove("pip", "compile", "requirements.in", "--no-header", UV_DEFAULT_INDEX=refused)
    assert ran.status == 2
    assert "refused" in ran.stderr


def test_a_damaged_memory_is_none(pip: Sandbox) -> None:
    first = compiled(pip)
    (kept,) = (pip.cache / "cove" / "resolved").iterdir()
    for damage in (b"", b"[]", b'{"pages": {"app": 3}}', b"\xff", b'{"pages": {}, "inputs": 1, "text": 2}'):
        kept.write_bytes(damage)
        assert compiled(pip).stdout == first.stdout


def test_nothing_is_remembered_of_files_on_the_disk(pip: Sandbox, wheel_factory: PackageFactory) -> None:
    links = pip.work / "links"
    links.mkdir()
    wheel_factory.wheel("app", "3.0").write_to(links)
    assert "app==3.0" in compiled(pip, "--find-links", "links").stdout
    wheel_factory.wheel("app", "4.0").write_to(links)
    assert "app==4.0" in compiled(pip, "--find-links", "links").stdout


@pytest.fixture
def two(sandbox: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory, tmp_path: Path) -> Iterator[Sandbox]:
    """A private index that has nothing yet, asked before a public one that has ``app``."""
    public = tmp_path / "public"
    wheel_factory.wheel("app").write_to(public / "app")
    (sandbox.work / "requirements.in").write_text("app\n")
    with RunningIndex(public) as index:
        yield sandbox.using({"UV_INDEX": cove_index.simple_url, "UV_DEFAULT_INDEX": index.simple_url.public})


def places(ran: Ran, cove_index: PrivateIndex) -> list[str]:
    own = cove_index.running.simple_url.public.removesuffix("simple/")
    return ["private" if request.url.startswith(own) else "public" for request in ran.requests]


def test_indexes_are_asked_again_in_their_order(
    two: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    first = compiled(two)
    again = compiled(two)
    assert again.stdout == first.stdout
    assert places(again, cove_index) == ["private", "public"]
    cove_index.add(wheel_factory.wheel("app", "0.5"))
    changed = compiled(two)
    assert "app==0.5" in changed.stdout
    assert set(places(changed, cove_index)) == {"private"}


def test_a_route_that_was_set_since_is_kept_to(two: Sandbox, cove_index: PrivateIndex) -> None:
    compiled(two)
    named = {"UV_INDEX": f"corp={cove_index.simple_url}"}
    assert two.cove("pip", "compile", "requirements.in", environ=named).ok().stdout
    (two.work / "pyproject.toml").write_text('[tool.cove.index.corp]\npackages = ["app"]\n')
    ran = two.cove("pip", "compile", "requirements.in", environ=named)
    assert ran.status == 1
    assert places(ran, cove_index) == ["private"]


def test_pages_that_were_asked_for_in_vain_count_too(
    pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    """``app`` 2.0 wants a ``rest`` that is not there yet, so 1.0 is chosen, and the answer knows nothing of ``rest``."""
    cove_index.add(wheel_factory.wheel("app", "2.0", requires=["rest>=2"]), wheel_factory.wheel("rest", "1.0"))
    for _ in range(2):
        assert "app==1.0" in compiled(pip).stdout
    cove_index.add(wheel_factory.wheel("rest", "2.0"))
    assert "app==2.0" in compiled(pip).stdout
