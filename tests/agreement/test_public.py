"""Real requirements against the public index as it was on one day: the same pins as uv, or others that uv accepts.

Only where ``COVE_AGREEMENT_CACHE`` names a folder for the two caches, for the first run asks for thousands of files:

    COVE_AGREEMENT_CACHE=/var/tmp/agreement pytest tests/agreement/test_public.py
"""

import os
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.programs import PYTHON, program
from support.programs import run as run_program

CACHE = os.environ.get("COVE_AGREEMENT_CACHE", "")
DAY = "2026-10-01T00:00:00Z"

pytestmark = [pytest.mark.network, pytest.mark.skipif(not CACHE, reason="COVE_AGREEMENT_CACHE is not set")]

SETS = {
    "small": ["requests", "rich", "httpx", "pydantic"],
    "web": [
        "django",
        "djangorestframework",
        "celery",
        "gunicorn",
        "fastapi",
        "uvicorn[standard]",
        "sqlalchemy",
        "alembic",
    ],
    "notebooks": ["jupyter"],
    "science": ["numpy", "scipy", "pandas", "matplotlib", "scikit-learn"],
    "cloud": ["boto3", "google-cloud-storage", "azure-identity", "kubernetes"],
    "development": ["pytest", "mypy", "ruff", "tox", "hypothesis", "sphinx", "black"],
    "old pins": ["flask<2.1", "werkzeug<2.1", "urllib3<2", "sqlalchemy<1.5"],
    "caps that exclude each other": ["fastapi<=0.115.2", "starlette<=0.36.0", "pydantic<2.8"],
    "pre-releases": ["black>=24.0b1", "attrs>=23"],
    "extras": ["fastapi[all]", "celery[redis]", "uvicorn[standard]"],
}
MODES = {
    "one target": (),
    "universal": ("--universal", "--python-version", "3.10"),
    "lowest": ("--resolution", "lowest-direct"),
}


def pins(tool: str, sandbox: Sandbox, *flags: str) -> list[str]:
    """The compiled lines; a text that says why there are none where there is no answer."""
    words = [tool, "pip", "compile", "requirements.in", "--exclude-newer", DAY, "--no-header", "--no-annotate", *flags]
    environ = {**sandbox.environ, "UV_CACHE_DIR": str(Path(CACHE) / Path(tool).name), "UV_NO_CONFIG": "1"}
    environ |= {"UV_SYSTEM_CERTS": "1", "UV_PYTHON": str(PYTHON), "UV_HTTP_RETRIES": "3"}
    environ |= {name: os.environ[name] for name in ("SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY") if name in os.environ}
    done = run_program(words, environ, sandbox.work, timeout=600)
    return sorted(done.stdout.split("\n")) if done.returncode == 0 else ["no answer"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SETS)
def test_the_same_pins_or_others_that_are_valid(name: str, mode: str, sandbox: Sandbox) -> None:
    (sandbox.work / "requirements.in").write_text("\n".join(SETS[name]) + "\n")
    ours = pins(program("cove"), sandbox, *MODES[mode])
    theirs = pins(program("uv"), sandbox, *MODES[mode])
    if ours == theirs:
        return
    assert ours != ["no answer"]
    (sandbox.work / "ours.txt").write_text("\n".join(ours) + "\n")
    accepted = pins(program("uv"), sandbox, *MODES[mode], "--constraint", "ours.txt")
    assert accepted == ours
