from pathlib import Path

from cove.testing import PackageFactory, PrivateIndex
from support.programs import PYTHON, clean_environment, run


def twine(index: PrivateIndex, tmp_path: Path, *arguments: str, password: str = "") -> tuple[int, str]:
    environment = clean_environment(
        tmp_path / "home",
        TWINE_USERNAME=index.username,
        TWINE_PASSWORD=password or index.password.reveal(),
        TWINE_REPOSITORY_URL=index.upload_url,
        TWINE_NON_INTERACTIVE="1",
        PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring",
        COLUMNS="500",
    )
    finished = run([str(PYTHON), "-m", "twine", "--no-color", *arguments], environment, tmp_path)
    return finished.returncode, finished.stdout + finished.stderr


def test_twine_uploads_and_repeats(cove_index: PrivateIndex, wheel_factory: PackageFactory, tmp_path: Path) -> None:
    wheel = wheel_factory.wheel("foo.bar", requires=["zeta>1"], requires_python=">=3.8").write_to(tmp_path / "dist")
    sdist = wheel_factory.sdist("foo.bar").write_to(tmp_path / "dist")
    for _ in range(2):
        status, output = twine(cove_index, tmp_path, "upload", "--disable-progress-bar", str(wheel), str(sdist))
        assert status == 0, output
    stored = cove_index.running.store.root / "foo-bar"
    assert (stored / wheel.name).read_bytes() == wheel.read_bytes()
    assert (stored / sdist.name).read_bytes() == sdist.read_bytes()
    assert (stored / f"{wheel.name}.metadata").is_file()


def test_twine_is_told_that_other_bytes_are_refused(
    cove_index: PrivateIndex, wheel_factory: PackageFactory, tmp_path: Path
) -> None:
    cove_index.add(wheel_factory.wheel("foo"))
    other = wheel_factory.wheel("foo", files={"more.py": ""}).write_to(tmp_path / "dist")
    status, output = twine(cove_index, tmp_path, "upload", "--verbose", "--disable-progress-bar", str(other))
    assert status != 0
    assert "409" in output
    assert "already exists" in output


def test_twine_is_told_that_the_password_is_wrong(
    cove_index: PrivateIndex, wheel_factory: PackageFactory, tmp_path: Path
) -> None:
    wheel = wheel_factory.wheel("foo").write_to(tmp_path / "dist")
    status, output = twine(cove_index, tmp_path, "upload", "--disable-progress-bar", str(wheel), password="wrong")
    assert status != 0
    assert "401" in output
    assert not cove_index.running.store.projects()
