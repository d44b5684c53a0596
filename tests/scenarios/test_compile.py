"""What is compiled, scenario by scenario: each file holds indexes, what is asked for, and the answer.

``pins`` is the compiled file (``written`` where it is not printed); ``error`` the status and ``message`` all that is said of
it. ``warnings`` are said besides.
``requests`` is the most that it may take, ``unasked`` names what no index is asked for.
"""

import tomllib
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.compilations import compiling

FOLDER = Path(__file__).parent
FILES = sorted(path for path in FOLDER.glob("*/*.toml") if path.parent.name != "universal")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_answer(path: Path, sandbox: Sandbox) -> None:
    told = tomllib.loads(path.read_text())
    with compiling(told) as place:
        place.write_to(sandbox.work)
        ran = sandbox.cove(*place.argv())
        asked = [request.path for request in place.server.log]
        stderr = place.stable(ran.stderr.replace(f"{sandbox.work}/", ""))
        said = "\n".join(line for line in stderr.splitlines() if not line.startswith("Resolved "))
        if "error" in told:
            assert said.strip() == told["message"].strip()
            assert ran.status == told["error"]
        else:
            assert (ran.status, said.strip()) == (0, told.get("warnings", "").strip())
            written = (sandbox.work / told["written"]).read_text() if "written" in told else ran.stdout
            assert place.stable(written) == told["pins"]
    assert len(asked) <= told["requests"]
    for path_of_page in told.get("unasked", ()):
        assert path_of_page not in asked


def test_there_are_enough() -> None:
    assert len(FILES) >= 110
    assert all(path.read_text().startswith("# ") for path in FILES)
