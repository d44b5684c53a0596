import os
import stat
from email.utils import formatdate
from pathlib import Path

import pytest

from cove.errors import OfflineError
from cove.http.cache import Cache, lifetime
from cove.http.client import Client, standard_client
from cove.http.messages import Headers, Request
from cove.http.transport import Transport
from cove.model.event import Event, Noted
from cove.model.index import Index
from cove.model.url import Url
from support.scripted_server import Received, Reply, ScriptedServer, serving

JSON = "application/vnd.pypi.simple.v1+json"


class Bench:
    """A client with a cache whose clock and owner are set by hand."""

    def __init__(self, folder: Path, server: ScriptedServer, **index: object) -> None:
        self.folder, self.server = folder, server
        self.now = 1_000_000.0
        self.owner = "ada"
        self.events: list[Event] = []
        self.index = Index(Url.parse(f"{server.url}/simple"), name="corp", **index)  # type: ignore[arg-type]

    def client(self, *, offline: bool = False, refresh: bool = False) -> Client:
        cache = Cache(
            self.folder,
            owner=lambda _: self.owner,
            refresh=refresh,
            listener=self.events.append,
            clock=lambda: self.now,
        )
        return standard_client(Transport(), cache=cache, offline=offline, retries=0)

    def get(self, client: Client, path: str = "/simple/foo/", accept: str = JSON) -> tuple[int, bytes, bool]:
        response = client.get(Url.parse(self.server.url + path), index=self.index, headers={"Accept": accept})
        return response.status, response.body.read(), response.from_cache


def page(**headers: str) -> Reply:
    return Reply(
        200, b"{}", {"Content-Type": JSON} | {name.replace("_", "-"): value for name, value in headers.items()}
    )


def test_a_fresh_page_is_not_asked_for_again(tmp_path: Path) -> None:
    with serving(lambda _: page(Cache_Control="max-age=600")) as server:
        bench = Bench(tmp_path / "pages", server)
        with bench.client() as client:
            assert bench.get(client) == (200, b"{}", False)
            bench.now += 599
            assert bench.get(client) == (200, b"{}", True)
            assert len(server.log) == 1
            bench.now += 1
            bench.get(client)
            assert len(server.log) == 2


@pytest.mark.parametrize("tag", ['"strong"', 'W/"weak"'])
def test_a_stale_page_is_revalidated_by_its_tag(tmp_path: Path, tag: str) -> None:
    def script(received: Received) -> Reply:
        return Reply(304) if received.headers.get("if-none-match") == tag else page(ETag=tag)

    with serving(script) as server:
        bench = Bench(tmp_path, server)
        with bench.client() as client:
            assert [bench.get(client) for _ in range(3)] == [
                (200, b"{}", False),
                (200, b"{}", True),
                (200, b"{}", True),
            ]


def test_a_304_renews_the_age(tmp_path: Path) -> None:
    def script(received: Received) -> Reply:
        headers = {"Cache-Control": "max-age=10", "ETag": '"1"', "Content-Type": JSON}
        return Reply(304, b"", headers) if "if-none-match" in received.headers else Reply(200, b"{}", headers)

    with serving(script) as server:
        bench = Bench(tmp_path, server)
        with bench.client() as client:
            bench.get(client)
            bench.now += 11
            bench.get(client)
            bench.now += 9
            assert bench.get(client) == (200, b"{}", True)
        assert len(server.log) == 2


def test_last_modified_is_a_validator_too(tmp_path: Path) -> None:
    date = formatdate(0, usegmt=True)
    with serving(lambda _: page(Last_Modified=date)) as server:
        bench = Bench(tmp_path, server)
        with bench.client() as client:
            bench.get(client)
            bench.get(client)
        assert server.log[1].headers["if-modified-since"] == date


def test_a_page_belongs_to_its_owner_and_its_form(tmp_path: Path) -> None:
    with serving(lambda _: page(Cache_Control="max-age=600", ETag='"1"')) as server:
        bench = Bench(tmp_path, server)
        with bench.client() as client:
            bench.get(client)
            bench.owner = "eve"
            assert bench.get(client) == (200, b"{}", False)
            assert "if-none-match" not in server.log[1].headers
            assert bench.get(client, accept="text/html") == (200, b"{}", False)


@pytest.mark.parametrize(
    "reply",
    [
        page(Cache_Control="no-store, max-age=600"),
        page(Cache_Control="max-age=600", Vary="*"),
        Reply(404, b"", {"Cache-Control": "max-age=600", "Content-Type": JSON}),
        Reply(200, b"PK", {"Cache-Control": "max-age=600", "Content-Type": "application/octet-stream"}),
    ],
)
def test_what_is_not_kept(tmp_path: Path, reply: Reply) -> None:
    with serving(lambda _: reply) as server:
        bench = Bench(tmp_path, server)
        with bench.client() as client:
            bench.get(client)
            bench.get(client)
        assert len(server.log) == 2
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_signed_url_at_the_end_of_a_redirect_is_not_written(tmp_path: Path) -> None:
    def script(received: Received) -> Reply:
        if received.path == "/simple/foo/":
            return Reply(302, b"", {"Location": "/signed?token=canary"})
        return page(Cache_Control="max-age=600")

    with serving(script) as server:
        bench = Bench(tmp_path, server)
        with bench.client() as client:
            bench.get(client)
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_final_url_is_remembered(tmp_path: Path) -> None:
    def script(received: Received) -> Reply:
        if received.path == "/simple/Foo/":
            return Reply(301, b"", {"Location": "/moved/foo/"})
        return page(Cache_Control="max-age=600")

    with serving(script) as server:
        bench = Bench(tmp_path, server)
        with bench.client() as client:
            bench.get(client, "/simple/Foo/")
            response = client.get(Url.parse(f"{server.url}/simple/Foo/"), index=bench.index, headers={"Accept": JSON})
        assert response.from_cache
        assert response.url.public == f"{server.url}/moved/foo/"


def test_refresh_revalidates_once(tmp_path: Path) -> None:
    with serving(lambda _: page(Cache_Control="max-age=600")) as server:
        bench = Bench(tmp_path, server)
        with bench.client() as client:
            bench.get(client)
        bench.now += 1
        with bench.client(refresh=True) as client:
            assert bench.get(client)[2] is False
            assert bench.get(client)[2] is True
        assert server.log[1].headers["cache-control"] == "no-cache"


def test_a_request_may_insist_on_being_asked(tmp_path: Path) -> None:
    with serving(lambda _: page(Cache_Control="max-age=600", ETag='"1"')) as server:
        bench = Bench(tmp_path, server)
        with bench.client() as client:
            bench.get(client)
            fresh = client.get(Url.parse(server.url + "/simple/foo/"), index=bench.index, headers={"Accept": JSON})
            assert fresh.from_cache
            assert fresh.is_unasked
            headers = {"Accept": JSON, "cache-control": "No-Cache"}
            asked = client.get(Url.parse(server.url + "/simple/foo/"), index=bench.index, headers=headers)
            assert not asked.is_unasked
        assert server.log[1].headers["if-none-match"] == '"1"'


def test_offline_serves_stale_pages_and_refuses_the_rest(tmp_path: Path) -> None:
    with serving(lambda _: page()) as server:
        bench = Bench(tmp_path, server)
        with bench.client() as client:
            bench.get(client)
        with bench.client(offline=True) as client:
            assert bench.get(client) == (200, b"{}", True)
            with pytest.raises(OfflineError, match="needed from corp"):
                bench.get(client, "/simple/bar/")
        assert len(server.log) == 1


def test_the_index_may_say_otherwise(tmp_path: Path) -> None:
    with serving(lambda _: page(Cache_Control="no-store")) as server:
        bench = Bench(tmp_path, server, cache_control={"api": "max-age=60"})
        with bench.client() as client:
            bench.get(client)
            assert bench.get(client)[2] is True


def test_entries_are_private_and_hold_no_more_than_needed(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    with serving(lambda _: page(Set_Cookie="a=canary", ETag='"1"')) as server:
        bench = Bench(folder, server)
        with bench.client() as client:
            url = Url.parse(f"{server.url}/simple/foo/".replace("://", "://ada:canary@"))
            client.get(url, index=bench.index).body.read()
    (entry,) = [path for path in folder.rglob("*") if path.is_file()]
    assert b"canary" not in entry.read_bytes()
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert stat.S_IMODE(entry.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("damage", [b"", b"{}\n{}", b"\xff\xfe", b"[]\n", b'{"magic": "cove-page 1", "length": 3}\n{}'])
def test_a_damaged_entry_is_fetched_again(tmp_path: Path, damage: bytes) -> None:
    with serving(lambda _: page(Cache_Control="max-age=600")) as server:
        bench = Bench(tmp_path, server)
        with bench.client() as client:
            bench.get(client)
            (entry,) = [path for path in tmp_path.rglob("*") if path.is_file()]
            entry.write_bytes(damage)
            assert bench.get(client) == (200, b"{}", False)
            assert bench.get(client) == (200, b"{}", True)


def test_a_cache_that_cannot_be_written_does_not_stop_the_work(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with serving(lambda _: page()) as server:
        bench = Bench(blocked, server)
        with bench.client() as client:
            assert bench.get(client) == (200, b"{}", False)
    assert [type(event) for event in bench.events] == [Noted]
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "headers, seconds",
    [
        ({}, 0),
        ({"Cache-Control": "max-age=60"}, 60),
        ({"Cache-Control": "max-age=60", "Age": "20"}, 40),
        ({"Cache-Control": 'max-age="60"'}, 60),
        ({"Cache-Control": "max-age=60, no-cache"}, 0),
        ({"Cache-Control": "max-age=-1"}, 0),
        ({"Cache-Control": "max-age=²"}, 0),
        ({"Cache-Control": "immutable"}, 365 * 86400),
        ({"Date": formatdate(0, usegmt=True), "Expires": formatdate(90, usegmt=True)}, 90),
        ({"Date": formatdate(0, usegmt=True), "Expires": "0"}, 0),
        ({"Last-Modified": formatdate(0, usegmt=True)}, 0),
    ],
)
def test_lifetime(headers: dict[str, str], seconds: float) -> None:
    assert lifetime(Headers(headers)) == seconds


def test_ranges_and_callers_conditions_pass_by(tmp_path: Path) -> None:
    with serving(lambda _: page(Cache_Control="max-age=600")) as server:
        bench = Bench(tmp_path, server)
        with bench.client() as client:
            for _ in range(2):
                request = Request("GET", Url.parse(f"{server.url}/simple/foo/"), {"Range": "bytes=-1"}, bench.index)
                client.send(request).body.read()
        assert len(server.log) == 2
