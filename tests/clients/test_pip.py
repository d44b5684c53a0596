from pathlib import Path

from cove.testing import PackageFactory, PrivateIndex
from support.programs import PYTHON, clean_environment, run


def install(index_url: str, tmp_path: Path, *wanted: str) -> tuple[int, str]:
    arguments = [str(PYTHON), "-m", "pip", "install", "--no-cache-dir", "--target", str(tmp_path / "site")]
    finished = run([*arguments, "--index-url", index_url, *wanted], clean_environment(tmp_path / "home"), tmp_path)
    return finished.returncode, finished.stdout + finished.stderr


def test_pip_installs_with_credentials(cove_index: PrivateIndex, wheel_factory: PackageFactory, tmp_path: Path) -> None:
    cove_index.add(
        wheel_factory.wheel(
            "cove-test-app", requires=["cove-test-lib>=1"], scripts={"cove-test": "cove_test_app:main"}
        ),
        wheel_factory.wheel("Cove.Test.Lib", "0.9"),
        wheel_factory.wheel("Cove.Test.Lib", "1.1"),
        wheel_factory.wheel("Cove.Test.Lib", "2.0", requires_python=">=99"),
    )
    status, output = install(cove_index.simple_url, tmp_path, "cove_test_app")
    assert status == 0, output
    assert (tmp_path / "site" / "Cove_Test_Lib-1.1.dist-info").is_dir()
    assert (tmp_path / "site" / "bin" / "cove-test").is_file()
    asked = [seen.path for seen in cove_index.running.requests if seen.status == 200]
    assert [path for path in asked if path.endswith(".metadata")], "pip reads metadata files instead of wheels"


def test_pip_without_credentials_gets_nothing(
    cove_index: PrivateIndex, wheel_factory: PackageFactory, tmp_path: Path
) -> None:
    cove_index.add(wheel_factory.wheel("cove-test-lib"))
    status, output = install(cove_index.running.simple_url.public, tmp_path, "cove-test-lib")
    assert status != 0, output
    assert {seen.status for seen in cove_index.running.requests} == {401}
