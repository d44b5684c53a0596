"""Servers as they are, not as the standards say: what is survived, and what is refused."""

import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from cove.formats.negotiate import JSON
from support.certificates import Authority
from support.commandline import Sandbox
from support.proxies import proxying
from support.scripted_server import Received, Reply, serving
from support.simple_pages import MAKE, Place, paths, project

FOO = MAKE.wheel("foo", "1.0")
SIMPLE = "/simple"


def json_page(entry: Mapping[str, object] | None = None, content_type: str | None = JSON) -> Reply:
    """The page of foo; ``entry`` adds to its file."""
    file = {"filename": FOO.filename, "url": f"../../files/{FOO.filename}", "hashes": {"sha256": FOO.sha256}}
    headers = {} if content_type is None else {"Content-Type": content_type}
    return Reply(
        200,
        json.dumps({"meta": {"api-version": "1.1"}, "name": "foo", "files": [file | dict(entry or {})]}).encode(),
        headers,
    )


def html_page(link: str = f"../../files/{FOO.filename}#sha256={FOO.sha256}", head: str = "", **headers: str) -> Reply:
    body = f"<!DOCTYPE html><html><head>{head}</head><body><a href='{link}'>foo</a></body></html>"
    return Reply(200, body.encode(), {"Content-Type": "text/html"} | headers)


NULLS = dict.fromkeys(
    ("requires-python", "size", "yanked", "upload-time", "core-metadata", "dist-info-metadata", "gpg-sig", "provenance")
)


@pytest.mark.parametrize(
    "page",
    [
        json_page(NULLS),
        json_page(content_type="application/json"),
        json_page(content_type="Application/VND.PyPI.Simple.V1+JSON; charset=UTF-8"),
        json_page(content_type=None),
        json_page(content_type="text/plain"),
        json_page({"data-dist-info-metadata": False, "alternate-locations": ["https://example.com/"]}),
        html_page(**{"Content-Type": "TEXT/HTML;charset=utf-8"}),
        html_page(**{"Content-Type": "application/octet-stream"}),
        html_page(head='<base href="../../files/">', link=f"{FOO.filename}#sha256={FOO.sha256}"),
        html_page(f"../../files/{FOO.filename}#egg=foo"),
        html_page(f"../../files/{FOO.filename}#sha3_256=00&sha256={FOO.sha256}"),
        html_page(f"../../files/{FOO.filename}"),
        html_page(head='<meta name="pypi:alternate-locations" content="https://example.com/">'),
    ],
)
def test_what_is_survived(sandbox: Sandbox, page: Reply) -> None:
    place = Place(overrides={"/simple/foo/": page}).add(FOO)
    with serving(place) as server:
        sandbox.project(project(server.url + SIMPLE, "foo"))
        sandbox.cove("sync").ok()
        assert FOO.filename in (sandbox.work / "uv.lock").read_text()


@pytest.mark.parametrize(
    "filename_version, written",
    [("1.0+corp.1", "1.0%2Bcorp.1"), ("1.0+corp.1", "1.0+corp.1"), ("1!2.0", "1%212.0"), ("1!2.0", "1!2.0")],
)
def test_local_versions_and_epochs(sandbox: Sandbox, filename_version: str, written: str) -> None:
    wheel = MAKE.wheel("foo", filename_version)
    link = f"../../files/{wheel.filename.replace(filename_version, written)}"
    page = html_page(f"{link}#sha256={wheel.sha256}")
    files = Reply(200, wheel.content)
    plain, encoded = f"/files/{wheel.filename}", "/files/" + link.rpartition("/")[2]
    with serving(Place(overrides={"/simple/foo/": page, plain: files, encoded: files})) as server:
        sandbox.project(project(server.url + SIMPLE, f"foo=={filename_version}"))
        sandbox.cove("sync").ok()
        (sandbox.work / ".venv").rename(sandbox.root / "gone")
        sandbox.cove("sync", "--locked", "--no-cache").ok()
        assert encoded in paths(server.log)


def test_redirects_to_other_spellings(sandbox: Sandbox) -> None:
    def moved(target: str) -> Reply:
        return Reply(301, b"", {"Location": target})

    place = Place(overrides={"/simple/foo-bar/": moved("/Simple/Foo_Bar"), "/Simple/Foo_Bar": moved("/s/foo.bar/")})
    bar = MAKE.wheel("foo-bar", "1.0")
    place.overrides["/s/foo.bar/"] = html_page(f"../../files/{bar.filename}#sha256={bar.sha256}")
    place.add(bar)
    with serving(place) as server:
        sandbox.project(project(server.url + SIMPLE, "Foo.Bar"))
        sandbox.cove("sync").ok()
        assert paths(server.log)[:3] == ["/simple/foo-bar/", "/Simple/Foo_Bar", "/s/foo.bar/"]


def test_metadata_that_is_promised_and_missing_is_read_from_the_wheel(sandbox: Sandbox) -> None:
    with serving(Place(overrides={"/simple/foo/": json_page({"core-metadata": True})}).add(FOO)) as server:
        sandbox.project(project(server.url + SIMPLE, "foo"))
        sandbox.cove("lock").ok()
        assert paths(server.log)[1:] == [f"/files/{FOO.filename}.metadata", f"/files/{FOO.filename}"]
        assert server.log[2].headers["range"].startswith("bytes=-")


def test_metadata_is_compared_with_its_hash(sandbox: Sandbox) -> None:
    place = Place(overrides={"/simple/foo/": json_page({"core-metadata": {"sha256": "0" * 64}})}).add(FOO)
    place.overrides[f"/files/{FOO.filename}.metadata"] = Reply(200, b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\n")
    with serving(place) as server:
        sandbox.project(project(server.url + SIMPLE, "foo"))
        ran = sandbox.cove("lock")
    assert ran.status == 1
    assert "is not the file that the index promised" in ran.stderr
    assert f"promised sha256:{'0' * 64}" in ran.stderr


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "md5"])
def test_an_advertised_hash_is_compared(sandbox: Sandbox, algorithm: str) -> None:
    page = html_page(f"../../files/{FOO.filename}#{algorithm}=00")
    with serving(Place(overrides={"/simple/foo/": page}).add(FOO)) as server:
        sandbox.project(project(server.url + SIMPLE, "foo"))
        ran = sandbox.cove("sync")
    assert ran.status == 1
    assert FOO.filename in ran.stderr
    assert "promised" in ran.stderr


@pytest.mark.parametrize(
    "page",
    [
        Reply(200, b'{"meta": {"api-version": "2.0"}, "name": "foo", "files": []}', {"Content-Type": JSON}),
        html_page(head='<meta name="pypi:repository-version" content="2.1">'),
    ],
)
def test_a_newer_major_version_is_told(sandbox: Sandbox, page: Reply) -> None:
    with serving(Place(overrides={"/simple/foo/": page})) as server:
        sandbox.project(project(server.url + SIMPLE, "foo"))
        ran = sandbox.cove("lock")
    assert ran.status == 2
    assert "the answer of corp for `foo` cannot be read: the page is of API version 2" in ran.stderr


def test_who_asks(sandbox: Sandbox) -> None:
    with serving(Place().add(FOO)) as server:
        sandbox.project(project(server.url + SIMPLE, "foo"))
        sandbox.cove("lock").ok()
        assert all(seen.headers["user-agent"].startswith("cove/") for seen in server.log)


# -- redirects ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "index, status, asked",
    [
        ({}, 2, 0),
        ({"allow_redirect_to": ["THERE"]}, 0, 1),
        ({"allow_redirect_to": ["any"]}, 0, 1),
        ({"allow_redirect_to": ["https://example.com"]}, 2, 0),
    ],
)
def test_a_private_index_does_not_let_another_answer(
    sandbox: Sandbox, index: dict[str, object], status: int, asked: int
) -> None:
    with serving(Place().add(FOO)) as public:
        there = public.url.replace("127.0.0.1", "localhost")

        def script(request: Received) -> Reply:
            return Reply(302, b"", {"Location": f"{there}{request.path}?token=canary"})

        with serving(script) as server:
            options = {key: [there if each == "THERE" else each for each in value] for key, value in index.items()}  # type: ignore[attr-defined]
            url = server.url.replace("://", "://ada:secret@") + SIMPLE
            sandbox.project(project(url, "foo", **options))
            ran = sandbox.cove("lock")
            assert ran.status == status, ran.stderr
            assert paths(public.log).count("/simple/foo/?token=canary") == asked
            assert all("authorization" not in seen.headers for seen in public.log)
            assert "canary" not in ran.stderr
            if status:
                assert f"redirects to {there} (302 Found)" in ran.stderr
                assert f'allow-redirect-to = ["{there}"]' in ran.stderr


def test_a_redirect_can_be_taken_for_absence(sandbox: Sandbox) -> None:
    with serving(Place().add(FOO)) as other:
        redirect = Reply(302, b"", {"Location": other.url.replace("127.0.0.1", "localhost") + "/simple/foo/"})
        with serving(lambda _: redirect) as server:
            text = project(other.url + SIMPLE, "foo")
            first = f'[[tool.uv.index]]\nname = "first"\nurl = "{server.url}{SIMPLE}"\nignore-error-codes = [302]\n\n'
            sandbox.project(text.replace("[[tool.uv.index]]", first + "[[tool.uv.index]]", 1))
            sandbox.cove("lock").ok()
            assert f"{other.url}{SIMPLE}" in (sandbox.work / "uv.lock").read_text()


def test_gitlab_says_what_its_redirect_means(sandbox: Sandbox) -> None:
    with serving(lambda _: Reply(302, b"", {"Location": "http://localhost:1/simple/foo/"})) as server:
        sandbox.project(
            project(server.url + "/api/v4/groups/7/-/packages/pypi/simple", "foo").replace("default = true\n", "")
        )
        ran = sandbox.cove("lock")
        assert ran.status == 2
        assert "Forward PyPI package requests" in ran.stderr


def test_files_are_redirected_to_storage_for_each_method_and_without_credentials(sandbox: Sandbox) -> None:
    """Each signed address is good for the one request it was made for, and for nobody who says who they are."""
    wheel = MAKE.wheel("foo", "1.0", files={"foo/data.bin": bytes(i * 7919 % 251 for i in range(200_000))})
    signed: dict[str, str] = {}

    def storage(request: Received) -> Reply:
        what = f"{request.method} {request.headers.get('range', '')}"
        if "authorization" in request.headers or signed.pop(request.path, None) != what:
            return Reply(403)
        return Reply(200, wheel.content)

    with serving(storage) as store:
        page = html_page(f"../../files/{wheel.filename}#sha256={wheel.sha256}")

        def script(request: Received) -> Reply:
            if "authorization" not in request.headers:
                return Reply(401)
            if not request.path.startswith("/files/"):
                return page
            path = f"/blob?signature={len(signed)}{len(store.log)}"
            signed[path] = f"{request.method} {request.headers.get('range', '')}"
            return Reply(302, b"", {"Location": store.url.replace("127.0.0.1", "localhost") + path})

        with serving(script) as server:
            sandbox.project(project(server.url.replace("://", "://ada:secret@") + SIMPLE, "foo"))
            sandbox.cove("sync").ok()
            assert all(seen.method == "GET" for seen in store.log)


# -- options of one index ----------------------------------------------------------------------------------------------


def test_tls_and_proxy_of_an_index(sandbox: Sandbox, tmp_path: Path) -> None:
    authority, clients = Authority(tmp_path / "tls"), Authority(tmp_path / "clients", "clients")
    mine = clients.issue("me", is_client=True)
    with serving(Place().add(FOO), authority.server_context(clients=clients)) as server, proxying() as proxy:
        url = server.url.replace("127.0.0.1", "localhost") + SIMPLE
        options = {"ca_cert": str(authority.ca), "client_cert": str(mine)}
        sandbox.project(project(url, "foo"))
        assert "is not trusted" in sandbox.cove("lock").stderr
        variables = {"SSL_CERT_FILE": str(authority.ca), "SSL_CLIENT_CERT": str(mine)}
        sandbox.cove("lock", environ=variables).ok()
        sandbox.project(project(url, "foo", **options, proxy=proxy.url("ada:canary")))
        ran = sandbox.cove("sync", "-v", "--upgrade").ok()
        assert f"CONNECT {url.removeprefix('https://').partition('/')[0]}" in proxy.asked
        assert proxy.credentials[0] == "ada:canary"
        assert "canary" not in ran.stdout + ran.stderr + (sandbox.work / "uv.lock").read_text()


def test_an_index_bears_only_so_many_requests_at_a_time(sandbox: Sandbox) -> None:
    names = [f"pkg{number}" for number in range(8)]
    place = Place().add(*(MAKE.wheel(name, "1.0") for name in names))
    for most in (1, 3):
        under_way: list[str] = []
        seen: list[int] = []

        def script(request: Received, under_way: list[str] = under_way, seen: list[int] = seen) -> Reply:
            under_way.append(request.path)
            seen.append(len(under_way))
            time.sleep(0.02)
            under_way.remove(request.path)
            return place(request)

        with serving(script) as server:
            sandbox.project(project(server.url + SIMPLE, *names, concurrency=most))
            (sandbox.work / "uv.lock").unlink(missing_ok=True)
            sandbox.cove("sync", "--reinstall", "--no-cache").ok()
            assert max(seen) == most


def test_the_time_out_of_an_index(sandbox: Sandbox) -> None:
    with serving(lambda _: Reply(404, delay=3)) as server:
        sandbox.project(project(server.url + SIMPLE, "foo", timeout=0.2))
        ran = sandbox.cove("lock")
        assert "did not answer in time" in ran.stderr
        assert all(done.seconds < 2 for done in ran.requests)


def test_what_is_known_of_files_may_be_trusted_without_a_hash(sandbox: Sandbox) -> None:
    place = Place(overrides={"/simple/foo/": html_page(f"../../files/{FOO.filename}")}).add(FOO)
    for setting, asked in (("", 2), ("max-age=600", 1), ("max-age=0", 2)):
        with serving(place) as server:
            control = f'cache-control = {{ files = "{setting}" }}\n' if setting else ""
            text = project(server.url + SIMPLE, "foo").replace("default = true\n", f"default = true\n{control}")
            sandbox.project(text)
            (sandbox.work / "uv.lock").unlink(missing_ok=True)
            for _ in range(2):
                sandbox.cove("lock", "--upgrade").ok()
            assert paths(server.log).count(f"/files/{FOO.filename}") == asked
