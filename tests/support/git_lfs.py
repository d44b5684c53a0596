"""Git LFS: a repository with an object in it, and a small program that answers as the real one does where that is not."""

import hashlib
import shutil
import sys
from pathlib import Path

from support.local_projects import commit

# What cove asks of it: `install` sets the filter up, `pull` takes the objects of what is checked out from a remote that is a
# folder, and puts them into the files' place.
_STAND_IN = """\
#!{python}
import os, pathlib, subprocess, sys
def git(*words):
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout
if sys.argv[1] == "install":
    assert sys.argv[2:] == ["--local", "--skip-repo"], sys.argv
    git("config", "--local", "filter.lfs.smudge", "git-lfs smudge -- %f")
elif sys.argv[1] == "pull":
    assert not os.environ.get("GIT_LFS_SKIP_SMUDGE")
    remote = pathlib.Path(git("config", "remote.origin.url").strip().removeprefix("file://"))
    for name in filter(os.path.isfile, git("ls-files").splitlines()):
        said = dict(line.split(" ", 1) for line in open(name, errors="replace").read().splitlines() if " " in line)
        if said.get("version") == "https://git-lfs.github.com/spec/v1":
            digest = said["oid"].removeprefix("sha256:")
            where = next(remote.glob("**/lfs/objects/" + digest[:2] + "/" + digest[2:4] + "/" + digest), None)
            if where is None:
                sys.exit("[404] Object does not exist on the server: " + digest)
            pathlib.Path(name).write_bytes(where.read_bytes())
elif sys.argv[1] == "smudge":
    sys.stdout.buffer.write(sys.stdin.buffer.read())
else:
    sys.exit("no such command")
"""


def real() -> Path | None:
    """The folder of the real program, if it is installed."""
    found = shutil.which("git-lfs")
    return Path(found).parent if found else None


def stand_in(folder: Path) -> Path:
    """A folder with the other one."""
    folder.mkdir()
    program = folder / "git-lfs"
    program.write_text(_STAND_IN.format(python=sys.executable))
    program.chmod(0o755)
    return folder


def keep(repository: Path, name: str, content: bytes) -> Path:
    """Commit the file ``name`` as git-lfs would: a pointer, and the object beside the history. The object's place."""
    digest = hashlib.sha256(content).hexdigest()
    (repository / ".gitattributes").write_text(f"{name} filter=lfs diff=lfs merge=lfs -text\n")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"
    (repository / name).write_text(pointer)
    commit(repository)
    place = repository / ".git" / "lfs" / "objects" / digest[:2] / digest[2:4] / digest
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place
