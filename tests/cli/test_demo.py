"""The demonstration, on packages it builds itself."""

from support.commandline import Sandbox


def test_the_whole_journey_succeeds_offline(sandbox: Sandbox) -> None:
    ran = sandbox.cove("demo", "--offline", "--keep", "kept")
    assert ran.status == 0, ran.stdout + ran.stderr
    for line in ("4 files uploaded", "4 files already there, by hash", "wants credentials", "none holds it"):
        assert line in ran.stdout
    kept = sandbox.work / "kept"
    assert "password" not in (kept / "application" / "pyproject.toml").read_text()
    assert (kept / "application" / "uv.lock").is_file()


def test_a_step_that_goes_wrong_ends_it_with_a_status(sandbox: Sandbox) -> None:
    kept = sandbox.work / "kept"
    kept.mkdir()
    ran = sandbox.cove("demo", "--offline", "--keep", "kept")
    assert (ran.status, "exists already" in ran.stderr) == (1, True)
    assert list(kept.iterdir()) == []


def test_it_touches_nothing_outside_its_folder(sandbox: Sandbox) -> None:
    before = sorted(path for path in sandbox.root.rglob("*"))
    sandbox.cove("demo", "--offline").ok()
    assert sorted(path for path in sandbox.root.rglob("*")) == before
