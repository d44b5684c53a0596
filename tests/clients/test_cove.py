"""What cove publishes, other programs take, and what they publish, cove knows."""

from pathlib import Path

from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Sandbox
from support.programs import clean_environment, program, run


def test_uv_installs_what_cove_published_and_each_knows_the_files_of_the_other(
    cove_index: PrivateIndex, wheel_factory: PackageFactory, tmp_path: Path
) -> None:
    sandbox = Sandbox(tmp_path / "box")
    lib = wheel_factory.wheel("cove-test-lib").write_to(sandbox.work / "dist")
    app = wheel_factory.wheel("cove-test-app", requires=["cove-test-lib"]).write_to(sandbox.work / "dist")
    user = ("--username", cove_index.username, "--password", cove_index.password.reveal())
    where = ("--publish-url", cove_index.upload_url, "--check-url", cove_index.simple_url)

    def uv(*arguments: str) -> str:
        finished = run([program("uv"), *arguments], clean_environment(tmp_path / "home"), sandbox.work)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout + finished.stderr

    sandbox.cove("publish", *where, *user, str(lib)).ok()
    assert "already exists" in uv("publish", *where, *user, "--trusted-publishing", "never", str(lib))
    uv("publish", *where, *user, "--trusted-publishing", "never", str(app))
    assert f"{app.name} is already there" in sandbox.cove("publish", *where, *user, str(app)).ok().stderr
    uv("pip", "install", "--target", "site", "--default-index", cove_index.simple_url, "cove-test-app")
    assert (sandbox.work / "site" / "cove_test_lib.py").is_file()
