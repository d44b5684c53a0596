"""What reading a large page and judging its files costs, in milliseconds of CPU.

python benchmarks/pages.py [FILES]
"""

import hashlib
import sys
from collections.abc import Callable
from time import process_time

from packaging.tags import sys_tags

from cove.formats import simple_html, simple_json
from cove.index.candidates import Releases, Rules, gather
from cove.model.candidate import Candidate
from cove.model.dist import File
from cove.model.index import Index
from cove.model.name import Name
from cove.model.outcome import Found
from cove.model.page import Page
from cove.model.target import Target
from cove.model.url import Url

NAME = Name("example-project")
BASE = Url.parse("https://packages.example.com/simple/example-project/")
PLATFORMS = ("manylinux_2_17_x86_64.manylinux2014_x86_64", "macosx_11_0_arm64", "win_amd64", "musllinux_1_2_x86_64")


def page(count: int) -> Page:
    """Wheels for several Pythons and platforms, and an sdist a version."""
    files: list[File] = []
    version = 0
    while len(files) < count:
        version += 1
        text = f"{version // 100}.{version % 100}.0"
        names = [
            f"example_project-{text}-cp3{minor}-cp3{minor}-{tag}.whl" for minor in range(9, 14) for tag in PLATFORMS
        ]
        for name in (*names, f"example_project-{text}.tar.gz"):
            digest = hashlib.sha256(name.encode()).hexdigest()
            url = Url.parse(f"https://files.example.com/packages/{digest[:2]}/{digest[2:4]}/{digest}/{name}")
            files.append(File(name, url, {"sha256": digest}, requires_python=">=3.9", size=123456))
    return Page(NAME, tuple(files[:count]))


def cost(work: Callable[[], object], repeats: int = 5) -> float:
    """The best of several runs, in milliseconds."""
    times = []
    for _ in range(repeats):
        begin = process_time()
        work()
        times.append(process_time() - begin)
    return min(times) * 1000


def newest(page: Page, index: Index, target: Target) -> Candidate | None:
    """What a resolution needs of a page, most of the time."""
    releases = Releases(NAME, [Found(index, page)], Rules(target=target))
    return releases.judge(releases.versions[-1])


def main() -> None:
    """Print a row for each step."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    whole = page(count)
    html, json = simple_html.write(whole), simple_json.write(whole)
    target = Target("3.11.7", {}, tuple(map(str, sys_tags())))
    index = Index(BASE)
    rows = {
        "read HTML": lambda: simple_html.read(html, BASE, NAME),
        "read JSON": lambda: simple_json.read(json, BASE, NAME),
        "sort by version": lambda: Releases(NAME, [Found(index, whole)], Rules(target=target)),
        "judge all for one target": lambda: gather(NAME, [Found(index, whole)], Rules(target=target)),
        "judge all for all targets": lambda: gather(NAME, [Found(index, whole)], Rules()),
        "JSON to newest candidate": lambda: newest(simple_json.read(json, BASE, NAME), index, target),
        "HTML to newest candidate": lambda: newest(simple_html.read(html, BASE, NAME), index, target),
    }
    print(f"{count} files, {len(html) / 1e6:.1f} MB of HTML, {len(json) / 1e6:.1f} MB of JSON")  # noqa: T201
    for label, work in rows.items():
        print(f"{label:26} {cost(work):8.1f} ms")  # noqa: T201


if __name__ == "__main__":
    main()
