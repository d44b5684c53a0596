"""Whose credential is sent where, and what happens when it is refused: through the command line, seen by the servers."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from support.commandline import Ran, Sandbox
from support.gate import Gate, basic
from support.programs import clean_environment, program, run
from support.scripted_server import Received, Reply, ScriptedServer, serving
from support.simple_pages import MAKE, Place, project

GOOD = basic("ada", "good")
STALE = basic("ada", "st4le")
OLD = basic("ada", "old")


def place() -> Place:
    """``main`` requires ``lib`` and ``more``."""
    return Place().add(MAKE.wheel("main", requires=["lib", "more"]), MAKE.wheel("lib"), MAKE.wheel("more"))


def netrc(sandbox: Sandbox, *entries: str) -> Path:
    path = sandbox.home / ".netrc"
    path.write_text("".join(f"{entry}\n" for entry in entries))
    path.chmod(0o600)
    return path


def compiled(sandbox: Sandbox, url: str, *more: str, **variables: str) -> Ran:
    (sandbox.work / "requirements.in").write_text("main\n")
    flags = ("--no-header", "--no-annotate", "--default-index", f"corp={url}", *more)
    return sandbox.cove("pip", "compile", "requirements.in", *flags, environ=variables)


def stale(**more: str) -> dict[str, str]:
    return {"UV_INDEX_CORP_USERNAME": "ada", "UV_INDEX_CORP_PASSWORD": "st4le", **more}


# -- refusals --------------------------------------------------------------------------------------------------------


def test_a_stale_credential_does_not_hide_a_good_one(sandbox: Sandbox) -> None:
    path = netrc(sandbox, "machine 127.0.0.1 login ada password good")
    gate = Gate(place(), {GOOD})
    with serving(gate) as server:
        ran = compiled(sandbox, f"{server.url}/simple/", **stale()).ok()
    assert ran.stdout == "lib==1.0\nmain==1.0\nmore==1.0\n"
    assert ran.stderr.count("warning: the credential for `corp` from $UV_INDEX_CORP_PASSWORD was refused") == 1
    assert f"(401 Unauthorized); trying {path}:1" in ran.stderr
    assert gate.seen.count(STALE) == 1, "the package after the first is asked for with what works"
    assert "st4le" not in ran.stderr


def test_requests_that_were_under_way_are_sent_again_and_only_those(sandbox: Sandbox) -> None:
    netrc(sandbox, "machine 127.0.0.1 login ada password good")
    inner = Place().add(*(MAKE.wheel(f"p{number}") for number in range(30)))
    gate = Gate(inner, {GOOD})
    with serving(gate) as server:
        (sandbox.work / "requirements.in").write_text("".join(f"p{number}\n" for number in range(30)))
        flags = ("--no-header", "--no-annotate", "--default-index", f"corp={server.url}/simple/")
        ran = sandbox.cove("pip", "compile", "requirements.in", *flags, environ=stale()).ok()
        pages = [received for received in server.log if received.path.startswith("/simple/")]
    assert ran.stderr.count("was refused") == 1
    good = [received.path for received in pages if received.headers["authorization"] == GOOD]
    assert sorted(good) == sorted(set(good)), "no page is asked for twice with what works"
    assert len(good) == 30


def test_a_403_moves_on_too_while_there_is_another(sandbox: Sandbox) -> None:
    netrc(sandbox, "machine 127.0.0.1 login ada password good")
    gate = Gate(place(), {GOOD}, statuses={STALE: 403})
    with serving(gate) as server:
        ran = compiled(sandbox, f"{server.url}/simple/", **stale()).ok()
    assert "was refused (403 Forbidden)" in ran.stderr
    assert gate.seen.count(STALE) == 1


def test_a_403_does_not_count_against_what_has_worked(sandbox: Sandbox) -> None:
    netrc(sandbox, "machine 127.0.0.1 login eve password other")
    inner = place()
    inner.overrides["/simple/lib/"] = Reply(403)
    gate = Gate(inner, {GOOD})
    with serving(gate) as server:
        ran = compiled(sandbox, f"{server.url}/simple/", UV_INDEX_CORP_USERNAME="ada", UV_INDEX_CORP_PASSWORD="good")
    assert ran.status == 2
    assert (
        "corp denied access to `lib` (403 Forbidden); the credentials came from $UV_INDEX_CORP_PASSWORD" in ran.stderr
    )
    assert set(gate.seen) == {GOOD}


EXPIRED = "eyJhbGciOiJub25lIn0.eyJleHAiOjF9.x"
"""A JSON web token that ended in 1970."""


@pytest.mark.parametrize(
    "statuses, secret, entries, said",
    [
        (
            {},
            "st4le",
            (),
            ("credentials-refused", ["refused the credentials for `main` (401", "they came from $UV_INDEX_C"]),
        ),
        ({}, EXPIRED, (), ("credentials-refused", ["those from $UV_INDEX_CORP_PASSWORD have expired"])),
        (
            {STALE: 403},
            "st4le",
            (),
            ("access-forbidden", ["denied access to `main` (403 Forbidden); the credentials came"]),
        ),
        (
            {},
            None,
            (),
            ("credentials-missing", ["wants credentials for `main` (401", "none are known", "looked in: netrc"]),
        ),
        (
            {},
            "st4le",
            ("machine 127.0.0.1 login ada password old",),
            (
                "credentials-refused",
                [
                    "they came from $UV_INDEX_CORP_PASSWORD",
                    "$UV_INDEX_CORP_PASSWORD: refused (401",
                    ".netrc:1: refused (401",
                ],
            ),
        ),
        (
            {OLD: 403},
            "st4le",
            ("machine 127.0.0.1 login ada password old",),
            (
                "access-forbidden",
                [
                    "(403 Forbidden); the credentials came from",
                    ".netrc:1",
                    "$UV_INDEX_CORP_PASSWORD: refused (401 Unauthorized)",
                ],
            ),
        ),
        (
            {},
            EXPIRED,
            ("machine 127.0.0.1 login ada password old",),
            (
                "credentials-refused",
                ["$UV_INDEX_CORP_PASSWORD: expired, not sent", ".netrc:1: refused (401 Unauthorized)"],
            ),
        ),
    ],
    ids=["wrong", "expired", "forbidden", "missing", "all wrong", "one forbidden", "expired and wrong"],
)
def test_missing_wrong_expired_and_forbidden_never_read_alike(
    sandbox: Sandbox,
    statuses: dict[str, int],
    secret: str | None,
    entries: tuple[str, ...],
    said: tuple[str, list[str]],
) -> None:
    code, words = said
    netrc(sandbox, *entries)
    variables = {"UV_INDEX_CORP_USERNAME": "ada", "UV_INDEX_CORP_PASSWORD": secret} if secret is not None else {}
    with serving(Gate(place(), {GOOD}, statuses=statuses)) as server:
        ran = compiled(sandbox, f"{server.url}/simple/", **variables)
        as_json = compiled(sandbox, f"{server.url}/simple/", "--output-format", "json", **variables)
    assert ran.status == 2
    for each in words:
        assert each in ran.stderr
    if as_json.stdout:
        assert f'"{code}"' in as_json.stdout
    assert (secret or "-") not in ran.stderr.replace("st4le", "-" if secret != "st4le" else "st4le")


def test_an_upload_is_sent_again_with_the_next(sandbox: Sandbox) -> None:
    netrc(sandbox, "machine 127.0.0.1 login ada password good")
    MAKE.wheel("lib").write_to(sandbox.work / "dist")
    gate = Gate(lambda request: Reply(200 if request.method == "POST" else 404), {GOOD})
    with serving(gate) as server:
        toml = f'[[tool.uv.index]]\nname = "corp"\nurl = "{server.url}/simple/"\npublish-url = "{server.url}/legacy/"\n'
        sandbox.project(f'[project]\nname = "lib"\nversion = "1"\n{toml}')
        ran = sandbox.cove("publish", "--index", "corp", environ=stale()).ok()
        posts = [received for received in server.log if received.method == "POST"]
    assert "was refused (401 Unauthorized)" in ran.stderr
    assert [post.headers["authorization"] for post in posts] == [GOOD]
    with serving(gate) as server:
        upload = ("--publish-url", f"{server.url}/legacy/", "--username", "ada")
        environ = {"UV_PUBLISH_PASSWORD": "st4le"}
        refused = sandbox.cove("publish", *upload, environ=environ)
        assert refused.status == 2
        assert [received.headers["authorization"] for received in server.log] == [STALE], "what was chosen is used"


# -- how it is sent --------------------------------------------------------------------------------------------------


def test_a_password_from_a_file_and_a_token(sandbox: Sandbox) -> None:
    secret = sandbox.root / "secret"
    secret.write_text("good\n")
    with serving(Gate(place(), {GOOD, "Bearer good"})) as server:
        url = f"{server.url}/simple/"
        user = {"UV_INDEX_CORP_USERNAME": "ada"}
        compiled(sandbox, url, **user, UV_INDEX_CORP_PASSWORD_FILE=str(secret)).ok()
        assert server.log[0].headers["authorization"] == GOOD
        compiled(sandbox, url, "--no-cache", UV_INDEX_CORP_TOKEN="good").ok()
        assert server.log[-1].headers["authorization"] == "Bearer good"
        both = compiled(sandbox, url, UV_INDEX_CORP_PASSWORD="good", UV_INDEX_CORP_PASSWORD_FILE=str(secret))
        assert both.status == 2
        assert "$UV_INDEX_CORP_PASSWORD and $UV_INDEX_CORP_PASSWORD_FILE are both set" in both.stderr
        missing = compiled(sandbox, url, UV_INDEX_CORP_PASSWORD_FILE=str(sandbox.root / "none"))
        assert missing.status == 2
        assert f"$UV_INDEX_CORP_PASSWORD_FILE names {sandbox.root / 'none'}, which cannot be read" in missing.stderr


@pytest.mark.parametrize(
    "scheme, header, value",
    [
        ("bearer", "authorization", "Bearer good"),
        ("header:X-JFrog-Art-Api", "x-jfrog-art-api", "good"),
        ("basic", "authorization", GOOD),
    ],
)
def test_an_index_says_how_its_secret_is_sent(sandbox: Sandbox, scheme: str, header: str, value: str) -> None:
    with serving(lambda _: Reply(200)) as other:
        elsewhere = f"{other.url.replace('127.0.0.1', 'localhost')}/lib-1.0-py3-none-any.whl"
        inner = place()
        inner.overrides["/files/lib-1.0-py3-none-any.whl"] = Reply(302, b"", {"Location": elsewhere})
        with serving(Gate(inner, {value}, header=header)) as server:
            sandbox.project(project(f"{server.url}/simple/", "main", auth_scheme=scheme))
            netrc(sandbox, "machine 127.0.0.1 login ada password good")
            sandbox.cove("lock")
            assert {received.headers[header] for received in server.log} == {value}
            if header != "authorization":
                assert not [received for received in server.log if "authorization" in received.headers]
        assert other.log, "the redirect was followed"
        assert not [received for received in other.log if {header, "authorization"} & set(received.headers)]


@pytest.mark.parametrize(
    "scheme", ["digest", "header", "header:", "header:Host", "header:Cookie", "header:X Y", "header:a\nb"]
)
def test_headers_of_ones_own_are_checked(sandbox: Sandbox, scheme: str) -> None:
    sandbox.project(project("http://127.0.0.1:9/simple/", "main", auth_scheme=scheme))
    ran = sandbox.cove("lock")
    assert ran.status == 2
    assert "`auth-scheme` of `[tool.cove.index.corp]` cannot be used" in ran.stderr


# -- authenticate ----------------------------------------------------------------------------------------------------


def with_policy(url: str, policy: str, *more: str) -> str:
    return project(url, "main").replace("default = true", f'default = true\nauthenticate = "{policy}"') + "".join(more)


def test_never_sends_nothing(sandbox: Sandbox) -> None:
    netrc(sandbox, "machine 127.0.0.1 login ada password good")
    with serving(place()) as server:
        sandbox.project(with_policy(f"{server.url}/simple/", "never"))
        sandbox.cove("sync").ok()
        assert [received for received in server.log if received.path.startswith("/files/")]
        assert not [received for received in server.log if "authorization" in received.headers]


@pytest.mark.parametrize("how", ["url", "PASSWORD", "TOKEN", "USERNAME", "PASSWORD_FILE"])
def test_never_objects_to_credentials(sandbox: Sandbox, how: str) -> None:
    with serving(place()) as server:
        url = server.url.replace("://", "://ada:c4n4ry@") if how == "url" else server.url
        sandbox.project(with_policy(f"{url}/simple/", "never"))
        (sandbox.root / "c4n4ry").write_text("x")
        value = str(sandbox.root / "c4n4ry") if how == "PASSWORD_FILE" else "c4n4ry"
        ran = sandbox.cove("lock", environ={} if how == "url" else {f"UV_INDEX_CORP_{how}": value})
        assert server.log == []
    assert ran.status == 2
    assert '`authenticate` is "never" for corp' in ran.stderr
    assert ("the URL of corp" if how == "url" else f"$UV_INDEX_CORP_{how}") in ran.stderr
    assert "c4n4ry" not in ran.stderr


def test_always_asks_nothing_without(sandbox: Sandbox) -> None:
    with serving(place()) as server:
        sandbox.project(with_policy(f"{server.url}/simple/", "always"))
        ran = sandbox.cove("lock", UV_INDEX_CORP_USERNAME="ada")
        assert server.log == []
    assert ran.status == 2
    assert "corp is always asked with credentials" in ran.stderr
    assert "looked in: environment, " in ran.stderr
    assert "set $UV_INDEX_CORP_USERNAME and $UV_INDEX_CORP_PASSWORD" in ran.stderr


def test_nested_indexes_keep_their_own(sandbox: Sandbox) -> None:
    netrc(sandbox, "machine 127.0.0.1 login net password rc")
    files = MAKE.wheel("main", requires=["lib"]), MAKE.wheel("lib")
    names = {"/a/simple/": files[0], "/a/b/simple/": files[1], "/a/b/c/simple/": MAKE.wheel("deep")}

    def script(request: Received) -> Reply:
        for root, file in names.items():
            name = file.filename.partition("-")[0]
            if request.path == f"{root}{name}/":
                link = f'<!DOCTYPE html><a href="{root}{file.filename}">{file.filename}</a>'
                return Reply(200, link.encode(), {"Content-Type": "text/html"})
            if request.path == f"{root}{file.filename}":
                return Reply(200, file.content)
        return Reply(404)

    with serving(script) as server:
        tables = "".join(
            f'[[tool.uv.index]]\nname = "{name}"\nurl = "{server.url}{root}"\nauthenticate = "{policy}"\n'
            for name, root, policy in (
                ("deep", "/a/b/c/simple/", "auto"),
                ("inner", "/a/b/simple/", "always"),
                ("outer", "/a/simple/", "never"),
            )
        )
        sandbox.project(
            f'[project]\nname = "x"\nversion = "1"\ndependencies = ["main", "deep"]\n{tables}[tool.uv]\nno-index=false\n'
        )
        variables = {"UV_INDEX_INNER_USERNAME": "in", "UV_INDEX_INNER_PASSWORD": "ner"}
        ran = sandbox.cove("lock", "--default-index", f"{server.url}/none/simple/", environ=variables)
        sent = {received.path: received.headers.get("authorization") for received in server.log}
    ran.ok()
    assert {value for path, value in sent.items() if path.startswith("/a/b/c/")} == {basic("net", "rc")}
    assert {value for path, value in sent.items() if path.startswith("/a/b/simple/")} == {basic("in", "ner")}
    assert {value for path, value in sent.items() if path.startswith("/a/simple/")} == {None}


# -- user names alone ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "user_info, expected",
    [
        ("ada@", None),
        ("ada:@", basic("ada", "")),
        (":token@", basic("", "token")),
        ("t0ken-4711:@", basic("t0ken-4711", "")),
        ("t0ken-4711@", None),
    ],
)
def test_a_user_name_alone_is_not_sent_and_an_empty_password_is(
    sandbox: Sandbox, user_info: str, expected: str | None
) -> None:
    with serving(lambda _: Reply(401)) as server:
        url = f"{server.url}/simple/".replace("://", f"://{user_info}")
        ran = compiled(sandbox, url, "-v")
        listed = sandbox.cove("index", "list", "--origin", "--default-index", f"corp={url}")
        assert {received.headers.get("authorization") for received in server.log} == {expected}
    assert ran.status == 2
    assert ("refused the credentials" if expected else "wants credentials") in ran.stderr
    assert ("if it is a token, write a colon after it" in ran.stderr) is (expected is None)
    for secret in ("t0ken", quote("token@")):
        assert secret not in ran.stderr + ran.stdout + listed.stdout + listed.stderr


def test_a_user_name_waits_for_its_password(sandbox: Sandbox) -> None:
    netrc(sandbox, "machine 127.0.0.1 login eve password other", "machine 127.0.0.1 login ada password good")
    with serving(Gate(place(), {GOOD})) as server:
        compiled(sandbox, f"{server.url}/simple/".replace("://", "://ada@")).ok()
        assert {received.headers["authorization"] for received in server.log} == {GOOD}


# -- scope -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def stranger() -> "ScriptedServer":
    """Another host and port, which writes down what it is told."""
    server = ScriptedServer(lambda _: Reply(404))
    server.url = server.url.replace("127.0.0.1", "localhost")
    return server


ELSEWHERE = "<elsewhere>"
SAME_HOST = "<same-host>"


@pytest.mark.parametrize(
    "link, way",
    [
        (f"{ELSEWHERE}/lib-1.0-py3-none-any.whl", "link"),
        (f"{SAME_HOST}/lib-1.0-py3-none-any.whl", "link"),
        (f"{ELSEWHERE}/lib-1.0-py3-none-any.whl", "redirect"),
        (f"{SAME_HOST}/lib-1.0-py3-none-any.whl", "redirect"),
        ("//ada:good@localhost:<port>/lib-1.0-py3-none-any.whl", "redirect"),
        (f"{ELSEWHERE}/simple/lib/", "page"),
        (f"{SAME_HOST}/simple/lib/", "page"),
        (ELSEWHERE, "mirror"),
        ("/other/lib-1.0-py3-none-any.whl", "link"),
        ("/team/../other/lib-1.0-py3-none-any.whl", "link"),
        ("/team/%2e%2e/other/lib-1.0-py3-none-any.whl", "link"),
        ("../../../other/lib-1.0-py3-none-any.whl", "redirect"),
        ("/teams/lib-1.0-py3-none-any.whl", "link"),
        ("/team/other/simple/lib-1.0-py3-none-any.whl", "link"),
    ],
)
@pytest.mark.parametrize("source", ["variables", "url", "header"])
def test_no_credential_leaves_its_place(
    sandbox: Sandbox, stranger: ScriptedServer, link: str, way: str, source: str
) -> None:
    port = stranger.url.rpartition(":")[2]
    target = (
        link.replace(ELSEWHERE, stranger.url).replace(SAME_HOST, f"http://127.0.0.1:{port}").replace("<port>", port)
    )
    filename = "lib-1.0-py3-none-any.whl"
    first_link = target if way == "link" else f"files/{filename}"

    def script(request: Received) -> Reply:
        if request.path == "/team/simple/lib/" and way == "page":
            return Reply(302, b"", {"Location": target})
        if request.path == "/team/simple/lib/":
            page = f'<!DOCTYPE html><a href="{first_link}">{filename}</a>'.encode()
            return Reply(200, page, {"Content-Type": "text/html"})
        if request.path == f"/team/simple/lib/files/{filename}" and way == "redirect":
            return Reply(302, b"", {"Location": target})
        return Reply(503 if way == "mirror" else 404)

    own = {"authorization", "x-own"}
    try:
        with serving(script) as server:
            base = f"{server.url}/team/simple/"
            options: dict[str, object] = {"auth_scheme": "header:X-Own"} if source == "header" else {}
            if way == "mirror":
                options["mirrors"] = [f"{target}/simple/"]
            nested = f'[[tool.uv.index]]\nname = "nested"\nurl = "{server.url}/team/other/simple/"\nexplicit = true\n'
            url = base.replace("://", "://ada:good@") if source == "url" else base
            sandbox.project(project(url, "lib", **options) + nested)
            variables = {"UV_INDEX_CORP_USERNAME": "ada", "UV_INDEX_CORP_PASSWORD": "good"}
            sandbox.cove("lock", environ=variables if source != "url" else {})
            inside = [received for received in server.log if received.path.startswith("/team/simple/")]
            outside = [received for received in server.log if received not in inside]
        assert inside, "it was asked"
        assert all(own & set(received.headers) for received in inside if way != "mirror")
        for received in (*outside, *stranger.log):
            assert not own & set(received.headers), f"{received.path} was told"
        assert way in ("page",) or outside or stranger.log, "the link was followed"
    finally:
        stranger.close()


def test_a_check_tells_which_credential_works(sandbox: Sandbox) -> None:
    path = netrc(sandbox, "machine 127.0.0.1 login ada password good")
    with serving(Gate(place(), {GOOD})) as server:
        argv = ("index", "check", f"{server.url}/simple/", "--package", "main")
        ran = sandbox.cove(*argv, "--index", f"corp={server.url}/simple/", environ=stale())
        assert "$UV_INDEX_CORP_PASSWORD was refused (401 Unauthorized)" in ran.stderr
        assert f"accepted: user `ada` from {path}:1" in ran.stdout
        path.unlink()
        refused = sandbox.cove(*argv, "--index", f"corp={server.url}/simple/", environ=stale())
        assert "refused: user `ada` from $UV_INDEX_CORP_PASSWORD" in refused.stdout


# -- requests --------------------------------------------------------------------------------------------------------


def test_known_credentials_cost_no_request(sandbox: Sandbox) -> None:
    netrc(sandbox, "machine 127.0.0.1 login ada password good")
    with serving(place()) as server:
        compiled(sandbox, f"{server.url}/simple/").ok()
        without = len(server.log)
    gate = Gate(place(), {GOOD})
    with serving(gate) as server:
        compiled(sandbox, f"{server.url}/simple/").ok()
        assert set(gate.seen) == {GOOD}
        assert len(server.log) == without


@pytest.mark.parametrize("way", ["netrc", "store", "variables"])
def test_half_as_many_requests_as_uv_sends(sandbox: Sandbox, way: str) -> None:
    """Four pages and four files, from a server that knows neither ranges nor PEP 658. uv asks for a file's size first, and
    sends each request without the credential before it sends it with, unless that came in variables."""
    inner = place().add(MAKE.wheel("last"))
    gate = Gate(inner, {GOOD})
    variables = {
        "netrc": {"NETRC": str(netrc(sandbox, "machine 127.0.0.1 login ada password good"))},
        "store": {"NETRC": os.devnull, "UV_CREDENTIALS_DIR": str(sandbox.root / "kept")},
        "variables": {"NETRC": os.devnull, "UV_INDEX_CORP_USERNAME": "ada", "UV_INDEX_CORP_PASSWORD": "good"},
    }[way]
    environment = clean_environment(sandbox.home, **variables)
    (sandbox.work / "requirements.in").write_text("main\nlast\n")
    with serving(gate) as server:
        if way == "store":
            login = [program("uv"), "auth", "login", f"{server.url}/", "--username", "ada", "--password", "good"]
            assert run(login, environment, sandbox.work).returncode == 0
        argv = ("pip", "compile", "requirements.in", "--default-index", f"corp={server.url}/simple/")
        assert run([program("uv"), *argv], environment, sandbox.work).returncode == 0
        sent_by_uv, gate.seen = gate.seen, []
        sandbox.cove(*argv, environ=variables).ok()
    assert gate.seen == [GOOD] * 8
    in_vain = sent_by_uv.count("")
    assert in_vain == (0 if way == "variables" else len(sent_by_uv) / 2)
    assert len(sent_by_uv) > (8 if way == "variables" else 16)
