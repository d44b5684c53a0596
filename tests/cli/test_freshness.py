"""What the cache of pages may keep from being seen, and what it may not."""

import pytest

from support.commandline import Sandbox
from support.scripted_server import serving
from support.simple_pages import MAKE, Place, paths, project


def test_a_version_published_within_max_age_is_found_when_it_is_asked_for(sandbox: Sandbox) -> None:
    place = Place(headers={"Cache-Control": "max-age=600"})
    place.add(MAKE.wheel("foo", "1.0", requires=["bar"]), MAKE.wheel("bar", "1.0"))
    with serving(place) as server:
        sandbox.project(project(server.url + "/simple", "foo"))
        sandbox.cove("lock").ok()
        place.add(MAKE.wheel("foo", "2.0", requires=["bar"]))
        server.log.clear()

        sandbox.project(project(server.url + "/simple", "foo>=1"))
        sandbox.cove("lock", "--upgrade").ok()
        assert "/simple/foo/" not in paths(server.log)  # nothing needs what is not in the cache

        sandbox.project(project(server.url + "/simple", "foo>=2"))
        sandbox.cove("lock").ok()
        assert 'version = "2.0"' in (sandbox.work / "uv.lock").read_text()
        pages = [path for path in paths(server.log) if path.startswith("/simple/")]
        assert sorted(pages) in (["/simple/foo/"], ["/simple/bar/", "/simple/foo/"])
        assert server.log[0].headers["cache-control"] == "no-cache"


def test_a_version_that_is_nowhere_is_looked_for_once_more_only(sandbox: Sandbox) -> None:
    place = Place(headers={"Cache-Control": "max-age=600", "ETag": '"1"'}).add(MAKE.wheel("foo", "1.0"))
    with serving(place) as server:
        sandbox.project(project(server.url + "/simple", "foo"))
        sandbox.cove("lock").ok()
        server.log.clear()
        sandbox.project(project(server.url + "/simple", "foo>=3"))
        ran = sandbox.cove("lock")
        assert ran.status == 1
        assert "foo>=3" in ran.stderr
        assert paths(server.log) == ["/simple/foo/"]
        assert server.log[0].headers["if-none-match"] == '"1"'
        sandbox.cove("lock", "--offline")
        assert len(server.log) == 1


@pytest.mark.parametrize("command", [("pip", "install", "foo==2.0"), ("add", "foo==2.0")])
def test_every_command_that_resolves_does_so(sandbox: Sandbox, command: tuple[str, ...]) -> None:
    place = Place(headers={"Cache-Control": "max-age=600"}).add(MAKE.wheel("foo", "1.0"))
    with serving(place) as server:
        sandbox.project(project(server.url + "/simple", "foo"))
        sandbox.cove("sync").ok()
        place.add(MAKE.wheel("foo", "2.0"))
        ran = sandbox.cove(*command).ok()
        assert "2.0" in ran.stdout + ran.stderr


@pytest.mark.parametrize("said, setting, asked", [("max-age=0", "max-age=600", 1), ("max-age=600", "no-cache", 2)])
def test_the_index_may_be_trusted_for_longer_or_not_at_all(
    sandbox: Sandbox, said: str, setting: str, asked: int
) -> None:
    place = Place(headers={"Cache-Control": said}).add(MAKE.wheel("foo", "1.0"))
    with serving(place) as server:
        text = project(server.url + "/simple", "foo")
        control = f'cache-control = {{ api = "{setting}" }}\n'
        sandbox.project(text.replace("default = true\n", f"default = true\n{control}"))
        sandbox.cove("lock").ok()
        sandbox.cove("lock", "--upgrade").ok()
        assert paths(server.log).count("/simple/foo/") == asked


def test_offline_serves_what_is_old(sandbox: Sandbox) -> None:
    place = Place().add(MAKE.wheel("foo", "1.0"))
    with serving(place) as server:
        sandbox.project(project(server.url + "/simple", "foo"))
        sandbox.cove("sync").ok()
        server.log.clear()
        (sandbox.work / "uv.lock").unlink()
        sandbox.cove("sync", "--offline").ok()
        assert server.log == []


def test_what_offline_lacks_is_named(sandbox: Sandbox) -> None:
    place = Place().add(MAKE.wheel("foo", "1.0"), MAKE.wheel("foo", "2.0"))
    lacks = "is not in the cache, and the network is switched off\n"
    with serving(place) as server:
        sandbox.project(project(server.url + "/simple", "foo"))
        sandbox.cove("lock").ok()
        ran = sandbox.cove("sync", "--offline", "--frozen", "--cache-dir", str(sandbox.root / "empty"))
        assert ran.stderr.count(f"error: `foo` 2.0 from corp {lacks}  cause: the file is {server.url}/") == 1
        assert "hint: run the command once without --offline" in ran.stderr
        sandbox.project(project(server.url + "/simple", "foo<2"))
        ran = sandbox.cove("lock", "--offline")
        assert ran.stderr.startswith(
            f"error: the metadata of foo 1.0 from corp {lacks}  cause: the file is {server.url}/"
        )
        sandbox.project(project(server.url + "/simple", "bar"))
        ran = sandbox.cove("lock", "--offline")
        assert (ran.status, ran.stderr.partition("\n\n")[0]) == (2, f"error: the page of `bar` on corp {lacks.strip()}")


@pytest.mark.parametrize("status, reason", [("archived", ""), ("deprecated", "use bar"), ("quarantined", "malware")])
def test_a_project_that_is_not_active_is_told_once(sandbox: Sandbox, status: str, reason: str) -> None:
    place = Place(extra={"project-status": {"status": status, "reason": reason} if reason else {"status": status}})
    place.add(MAKE.wheel("foo", "1.0"))
    with serving(place) as server:
        sandbox.project(project(server.url + "/simple", "foo"))
        ran = sandbox.cove("lock")
        told = f"`foo` is {status} on corp" + (f" (reason: {reason})" if reason else "")
        assert ran.stderr.count(told) == 1
        assert ran.status == (1 if status == "quarantined" else 0)
        assert ("quarantined" in ran.stderr.split(told)[1]) == (status == "quarantined")
        assert told in sandbox.cove("lock", "--upgrade").stderr
