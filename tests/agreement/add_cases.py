"""Projects, and what is added to them and removed, for which uv and cove shall come to the same."""

BASE = '[project]\nname = "app"\nversion = "0"\nrequires-python = ">=3.11"\n'
EMPTY = BASE + "dependencies = []\n"


def _with(*lines: str, more: str = "") -> str:
    return BASE + "dependencies = [\n" + "".join(f"    {line},\n" for line in lines) + "]\n" + more


def _group(*lines: str, name: str = "dev") -> str:
    return EMPTY + f"\n[dependency-groups]\n{name} = [\n" + "".join(f"    {line},\n" for line in lines) + "]\n"


COMMENTED = """\
# about this project
[project]
name = "app"   # its name
version = "0"
requires-python = ">=3.11"
dependencies = [
  # the first
  "leaf>=1", # why
  # the last
  "web",
  # no more
]

[tool.other]
x = 1
"""

CASES: dict[str, tuple[str, str]] = {
    "bare": (EMPTY, "add leaf"),
    "bounded": (EMPTY, "add 'leaf<2,>=1'"),
    "spelled": (EMPTY, "add My.Pkg"),
    "raw": (EMPTY, "add --raw My.Pkg 'leaf >= 1'"),
    "nodeps": (BASE, "add leaf"),
    "extras": (EMPTY, "add 'web[fast]'"),
    "extra-option": (EMPTY, "add web --extra fast --extra all"),
    "marker": (EMPTY, "add \"leaf ; sys_platform == 'win32'\""),
    "marker-option": (EMPTY, "add leaf web -m \"sys_platform == 'win32'\""),
    "marker-both": (EMPTY, "add \"leaf ; python_version < '3.13'\" -m \"sys_platform == 'win32'\""),
    "bounds-major": (EMPTY, "add leaf --bounds major"),
    "bounds-minor": (EMPTY, "add leaf --bounds minor"),
    "bounds-exact": (EMPTY, "add leaf epoch local pre onlypre zero patch --bounds exact"),
    "bounds-set": (EMPTY + '[tool.uv]\nadd-bounds = "major"\n', "add leaf"),
    "dev": (EMPTY, "add leaf --dev"),
    "dev-old": (EMPTY + '[tool.uv]\ndev-dependencies = ["web"]\n', "add leaf --dev"),
    "dev-old-same": (EMPTY + '[tool.uv]\ndev-dependencies = ["leaf"]\n', "add 'leaf>1' --dev"),
    "dev-both": (
        EMPTY + '[tool.uv]\ndev-dependencies = ["web"]\n[dependency-groups]\ndev = ["my-pkg"]\n',
        "add leaf --dev",
    ),
    "group-dev-old": (EMPTY + '[tool.uv]\ndev-dependencies = ["web"]\n', "add leaf --group dev"),
    "group": (EMPTY, "add leaf --group lint"),
    "group-spelled": (EMPTY, "add leaf --group My_Lint"),
    "group-known": (_group('"web"', name="My.Lint"), "add leaf --group my-lint"),
    "group-sorted": (EMPTY + "[dependency-groups]\na = []\nc = []\n", "add leaf --group b"),
    "group-unsorted": (EMPTY + "[dependency-groups]\nc = []\na = []\n", "add leaf --group b"),
    "group-include": (
        EMPTY + '[dependency-groups]\na = []\nc = ["web", {include-group = "a"}]\n',
        "add leaf --group c",
    ),
    "group-include-last": (
        EMPTY + '[dependency-groups]\na = []\nc = ["leaf", {include-group = "a"}]\n',
        "add web --group c",
    ),
    "optional": (EMPTY, "add leaf --optional fast"),
    "optional-spelled": (EMPTY, "add leaf --optional My_Fast"),
    "optional-known": (EMPTY + '[project.optional-dependencies]\n"My.Fast" = ["web"]\n', "add leaf --optional my-fast"),
    "optional-sorted": (EMPTY + '[project.optional-dependencies]\na = ["web"]\nc = ["web"]\n', "add leaf --optional b"),
    "update-version": (_with('"leaf>=1"', '"web"'), "add 'leaf>=1.1'"),
    "update-none": (_with('"leaf>=1"', '"web"'), "add leaf"),
    "update-unbounded": (_with('"leaf"', '"web"'), "add leaf"),
    "update-extras": (_with('"web[fast]>=1"'), "add 'web[all]'"),
    "update-marker": (_with('"leaf>=1"'), "add \"leaf>=1.1 ; sys_platform == 'win32'\""),
    "update-marker-2": (_with("\"leaf>=1 ; sys_platform == 'win32'\""), "add leaf"),
    "update-marker-3": (
        _with("\"leaf>=1 ; sys_platform == 'win32'\"", "\"leaf>=1 ; sys_platform != 'win32'\""),
        "add \"leaf>=1.1 ; sys_platform != 'win32'\"",
    ),
    "update-marker-spelled": (
        _with("\"leaf>=1 ; (sys_platform=='win32')\""),
        "add \"leaf>=1.1;sys_platform=='win32'\"",
    ),
    "update-double": (_with('"leaf>=1"', '"leaf<3"'), "add 'leaf>=1.1'"),
    "update-spelled": (_with('"Leaf >= 1"'), "add 'leaf>1'"),
    "update-raw": (_with('"Leaf >= 1"'), "add --raw 'leaf >1'"),
    "comments": (COMMENTED, "add my-pkg"),
    "comments-first": (COMMENTED, "add both"),
    "comments-last": (COMMENTED, "add zero"),
    "comments-update": (COMMENTED, "add 'leaf>=1.1'"),
    "comments-remove": (COMMENTED, "remove leaf"),
    "comments-remove-last": (COMMENTED, "remove web"),
    "one-line": (BASE + 'dependencies = ["leaf", "web"]\n', "add my-pkg"),
    "one-line-update": (BASE + 'dependencies = ["leaf", "web"]\n', "add 'leaf>1'"),
    "one-line-remove-all": (BASE + 'dependencies = ["leaf"]\n', "remove leaf"),
    "two-a-line": (BASE + 'dependencies = [\n  "leaf", "my-pkg",\n  "web",\n]\n', "add zero"),
    "tabs": (BASE + 'dependencies = [\n\t"leaf",\n\t"web"\n]\n', "add my-pkg"),
    "no-comma": (BASE + 'dependencies = [\n  "leaf"\n]\n', "add my-pkg"),
    "unsorted": (_with('"web"', '"leaf"'), "add my-pkg"),
    "sorted-case": (_with('"Leaf"', '"web"'), "add my-pkg"),
    "sorted-case-2": (_with('"both"', '"Leaf"', '"web"'), "add my-pkg"),
    "sorted-case-3": (_with('"Web"', '"both"'), "add my-pkg"),
    "sorted-by-text": (_with('"leaf-x>=1"', '"leaf>=1"'), "add my-pkg"),
    "sorted-by-name": (_with('"leaf>=1"', '"leaf-x>=1"'), "add leaf-m"),
    "remove": (_with('"leaf"', '"web"'), "remove leaf"),
    "remove-double": (_with('"leaf>=1"', '"leaf<3"'), "remove leaf"),
    "remove-dev": (_group('"leaf"'), "remove leaf --dev"),
    "remove-dev-old": (EMPTY + '[tool.uv]\ndev-dependencies = ["leaf"]\n', "remove leaf --dev"),
    "remove-dev-both": (
        EMPTY + '[tool.uv]\ndev-dependencies = ["leaf"]\n[dependency-groups]\ndev = ["leaf"]\n',
        "remove leaf --dev",
    ),
    "remove-group": (_group('"leaf"', name="Lint"), "remove leaf --group lint"),
    "remove-optional": (EMPTY + '[project.optional-dependencies]\nfast = ["leaf"]\n', "remove leaf --optional fast"),
    "remove-source": (_with('"lib"', more='[tool.uv.sources]\nlib = { path = "../lib" }\n'), "remove lib"),
    "remove-source-2": (
        _with('"lib"', '"kit"', more='[tool.uv.sources]\nlib = { path = "../lib" }\nkit = { path = "../kit" }\n'),
        "remove lib",
    ),
    "remove-source-used": (
        _with('"lib"', more='[dependency-groups]\nx = ["lib"]\n[tool.uv.sources]\nlib = { path = "../lib" }\n'),
        "remove lib",
    ),
    "path": (EMPTY, "add ../lib"),
    "path-dot": (EMPTY, "add ./../lib"),
    "path-editable": (EMPTY, "add --editable ../lib"),
    "path-not-editable": (EMPTY, "add --no-editable ../lib"),
    "path-named": (EMPTY, "add 'lib @ ../lib'"),
    "path-url": (EMPTY, "add 'lib @ {root}/lib'"),
    "path-file-url": (EMPTY, "add 'lib @ file://{root}/lib'"),
    "path-absolute": (EMPTY, "add {root}/lib"),
    "path-extras": (EMPTY, "add '../lib[x]'"),
    "path-raw": (EMPTY, "add --raw ../lib"),
    "path-group": (EMPTY, "add ../lib --group x"),
    "path-inside": (EMPTY, "add ./inner"),
    "path-inside-2": (EMPTY, "add ./inner --no-workspace"),
    "path-inside-3": (EMPTY, "add ./inner --workspace"),
    "path-inside-4": (EMPTY, "add ./inner --editable"),
    "path-inside-5": (EMPTY, "add ./inner --no-editable"),
    "path-dynamic": (EMPTY, "add ../dynamic"),
    "wheel": (EMPTY, "add ../leaf-1.0-py3-none-any.whl"),
    "wheel-extras": (EMPTY, "add '../web-1.0-py3-none-any.whl[fast]'"),
    "sdist": (EMPTY, "add ../both-1.0.tar.gz"),
    "url-wheel": (EMPTY, "add {files}/leaf/leaf-1.0-py3-none-any.whl"),
    "url-wheel-named": (EMPTY, "add 'leaf @ {files}/leaf/leaf-1.0-py3-none-any.whl'"),
    "url-wheel-raw": (EMPTY, "add --raw 'leaf @ {files}/leaf/leaf-1.0-py3-none-any.whl'"),
    "url-sdist": (EMPTY, "add {files}/both/both-1.0.tar.gz"),
    "git": (EMPTY, "add git+file://{root}/repo"),
    "git-named": (EMPTY, "add 'one @ git+file://{root}/repo'"),
    "git-at": (EMPTY, "add git+file://{root}/repo@v1"),
    "git-at-branch": (EMPTY, "add git+file://{root}/repo@main"),
    "git-at-commit": (EMPTY, "add git+file://{root}/repo@{commit}"),
    "git-rev": (EMPTY, "add git+file://{root}/repo --rev v1"),
    "git-tag": (EMPTY, "add git+file://{root}/repo --tag v1"),
    "git-branch": (EMPTY, "add git+file://{root}/repo --branch main"),
    "git-at-and-tag": (EMPTY, "add git+file://{root}/repo@v1 --tag v1"),
    "git-below": (EMPTY, "add 'git+file://{root}/repo#subdirectory=sub'"),
    "git-raw": (EMPTY, "add --raw git+file://{root}/repo@v1"),
    "git-editable": (EMPTY, "add --editable git+file://{root}/repo"),
    "git-known-tag": (
        _with('"one"', more='[tool.uv.sources]\none = { git = "file://{root}/repo" }\n'),
        "add one --tag v1",
    ),
    "git-known-branch": (
        _with('"one"', more='[tool.uv.sources]\none = { git = "file://{root}/repo", tag = "v1" }\n'),
        "add one --branch main",
    ),
    "git-known": (
        _with('"one"', more='[tool.uv.sources]\none = { git = "file://{root}/repo", tag = "v1" }\n'),
        "add one",
    ),
    "git-unused-tag": (EMPTY, "add leaf --tag v1"),
    "editable-registry": (EMPTY, "add leaf --editable"),
    "path-known-editable": (
        _with('"lib"', more='[tool.uv.sources]\nlib = { path = "../lib" }\n'),
        "add lib --editable",
    ),
    "source-to-registry": (
        _with('"leaf"', more='[tool.uv.sources]\nleaf = { path = "../leaf-1.0-py3-none-any.whl" }\n'),
        "add 'leaf>=1.1'",
    ),
    "source-changed": (_with('"lib"', more='[tool.uv.sources]\nlib = { path = "../lib" }\n'), "add ../lib --editable"),
    "url-to-source": (_with('"lib @ file://{root}/lib"'), "add ../lib"),
    "sources-sorted": (
        _with('"a"', '"lib"', more='[tool.uv.sources]\na = { path = "../a" }\nlib = { path = "../lib" }\n'),
        "add ../kit",
    ),
    "sources-unsorted": (
        _with('"a"', '"lib"', more='[tool.uv.sources]\nlib = { path = "../lib" }\na = { path = "../a" }\n'),
        "add ../kit",
    ),
    "index": (EMPTY, "add leaf --index mine={index}"),
    "index-unnamed": (EMPTY, "add leaf --index {index}"),
    "index-two": (EMPTY, "add leaf --index mine={index} --index other={other}"),
    "index-default": (EMPTY, "add leaf --default-index mine={index}"),
    "index-default-unnamed": (EMPTY, "add leaf --default-index {index}"),
    "index-and-default": (EMPTY, "add leaf --index other={other} --default-index mine={index}"),
    "index-url": (EMPTY, "add leaf --index-url {index}"),
    "index-by-name": (
        EMPTY + '[[tool.uv.index]]\nname = "mine"\nurl = "{index}"\nexplicit = true\n',
        "add leaf --index mine",
    ),
    "index-same-url": (EMPTY + '[[tool.uv.index]]\nurl = "{index}"\n', "add leaf --index mine={index}"),
    "index-default-known": (
        EMPTY + '[[tool.uv.index]]\nname = "old"\nurl = "{other}"\ndefault = true\n',
        "add leaf --default-index mine={index}",
    ),
    "index-pinned": (
        _with(
            '"leaf"',
            more='[tool.uv.sources]\nleaf = { index = "other" }\n\n[[tool.uv.index]]\nname = "other"\nurl = "{index}"\n',
        ),
        "add leaf --index mine={index}",
    ),
    "file": (EMPTY, "add -r ../requirements.txt"),
    "file-and": (EMPTY, "add web -r ../requirements.txt"),
    "file-lines": (EMPTY, "add -r ../lines.txt"),
    "file-marker": (EMPTY, "add -r ../requirements.txt -m \"sys_platform == 'win32'\""),
    "file-hashes": (EMPTY, "add -r ../hashes.txt"),
    "file-empty": (EMPTY, "add -r ../empty.txt"),
    "constraints": (EMPTY, "add leaf -c ../constraints.txt"),
    "constraints-file": (EMPTY, "add -r ../requirements.txt -c ../constraints.txt"),
    "frozen": (EMPTY, "add --frozen leaf"),
    "frozen-path": (EMPTY, "add --frozen ../lib"),
    "upgrade-package": (_with('"web"'), "add leaf --upgrade-package web"),
    "upgrade": (_with('"web"'), "add leaf --upgrade"),
    "no-solution": (EMPTY, "add 'leaf>9'"),
    "self": (EMPTY, "add app"),
    "marked-bounds": (EMPTY, "add marked"),
    "several-versions": (_with('"marked"'), "add leaf"),
    "twice-2": (EMPTY, "add 'leaf>1' 'leaf<2'"),
    "dotted": (
        'project.name = "app"\nproject.version = "0"\nproject.requires-python = ">=3.11"\nproject.dependencies = []\n',
        "add leaf",
    ),
    "blank-lines": (
        BASE + 'dependencies = [\n\n    # web things\n    "both",\n\n    # others\n    "web",  # two\n\n]\n',
        "add leaf",
    ),
    "bracket-comment": (BASE + 'dependencies = [ # all\n    "leaf",\n    "web"]\n', "add both"),
    "literal": (BASE + "dependencies = ['leaf', 'web']\n", "add both"),
    "literal-update": (BASE + "dependencies = ['leaf', 'web']\n", "add 'leaf>1'"),
    "remove-eol-comment": (BASE + 'dependencies = [\n    "both",\n    "leaf", # why\n    "web",\n]\n', "remove leaf"),
    "remove-eol-comment-first": (BASE + 'dependencies = [\n    "leaf", # why\n    "web",\n]\n', "remove leaf"),
    "indent": (BASE + 'dependencies = [\n        "leaf",\n    "web",\n]\n', "add both"),
    "member": (EMPTY + '[tool.uv.workspace]\nmembers = ["inner"]\n', "add inner"),
    "member-editable": (EMPTY + '[tool.uv.workspace]\nmembers = ["inner"]\n', "add inner --no-editable"),
    "member-no": (EMPTY + '[tool.uv.workspace]\nmembers = ["inner"]\n', "add inner --no-workspace"),
    "member-path": (EMPTY + '[tool.uv.workspace]\nmembers = ["inner"]\n', "add ./inner"),
    "member-package": (EMPTY + '[tool.uv.workspace]\nmembers = ["inner"]\n', "add leaf --package inner"),
    "member-new": (EMPTY + '[tool.uv.workspace]\nmembers = ["inner"]\n', "add ./second"),
    "member-glob": (EMPTY + '[tool.uv.workspace]\nmembers = ["in*"]\n', "add ./second"),
    "member-of-member": (EMPTY + '[tool.uv.workspace]\nmembers = ["inner"]\n', "add ./second --package inner"),
    "member-known": (
        EMPTY + '[tool.uv.workspace]\nmembers = ["inner"]\n[tool.uv.sources]\ninner = { workspace = true }\n',
        "add inner --group x",
    ),
    "workspace-not-found": (EMPTY, "add leaf --workspace"),
    "extra-spelled": (EMPTY, "add 'Web[Fast,all]'"),
    "versions-sorted": (EMPTY, "add 'leaf!=1.0,<3,>=1'"),
    "wild": (EMPTY, "add 'leaf==1.*'"),
    "arbitrary": (EMPTY, "add 'leaf===1.0'"),
    "parenthesised": (EMPTY, "add 'leaf (>=1)'"),
    "add-default-group": (EMPTY + '[tool.uv]\ndefault-groups = ["x"]\n[dependency-groups]\nx = []\n', "add leaf --dev"),
    "prereleases": (EMPTY, "add 'pre>1' --prerelease allow"),
    "semantic": (EMPTY, "add null five four --bounds major"),
    "semantic-minor": (EMPTY, "add null five four zero patch leaf local pre onlypre --bounds minor"),
    "semantic-major": (EMPTY, "add null five four zero patch leaf local pre onlypre --bounds major"),
    "semantic-null": (EMPTY, "add null --bounds minor"),
    "includes-only": (EMPTY + '[dependency-groups]\na = []\nc = [{include-group = "a"}]\n', "add web --group c"),
    "members-order": (EMPTY + '[tool.uv.workspace]\nmembers = ["z*", "inner"] # all\n', "add ./second"),
    "group-table-after": (
        EMPTY + "[dependency-groups]\na = []\n\n# tool things\n[tool.x]\ny = 1\n",
        "add leaf --group b",
    ),
    "group-comment": (
        EMPTY + "[dependency-groups]\n# first\na = []\n# third\nc = []\n\n[tool.x]\ny = 1\n",
        "add leaf --group b",
    ),
    "optional-after": (EMPTY + "\n[tool.x]\ny = 1\n", "add leaf --optional b"),
    "scripts-after": (
        EMPTY + '\n[project.scripts]\nx = "app:main"\n\n[build-system]\nrequires = []\n',
        "add leaf --optional b",
    ),
    "nodeps-after": (BASE + '\n[project.scripts]\nx = "app:main"\n\n[tool.x]\ny = 1\n', "add leaf"),
    "tool-uv-there": (EMPTY + "\n[tool.uv]\npackage = false\n\n[tool.x]\ny = 1\n", "add ../lib"),
    "tool-there": (EMPTY + "\n[tool.x]\ny = 1\n\n[tool.y]\nz = 1\n", "add ../lib"),
    "sources-there": (EMPTY + '\n[tool.uv.sources]\nz = { path = "../a" } # why\n\n[tool.y]\nz = 1\n', "add ../lib"),
    "no-newline": (EMPTY.rstrip(), "add leaf"),
}
