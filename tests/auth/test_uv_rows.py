"""What uv was seen to do with credentials, row by row, and what cove does there.

One row a test: ``uv`` is how uv answers the same situation (from measurements), ``same`` whether cove does the same; where it
does not, ``docs/compatibility.md`` says why. What is asserted is what cove sends, request by request.
"""

import os
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cove.auth.chain import CredentialChain
from cove.auth.layer import Auth
from cove.auth.providers import ProviderOptions, make_providers
from cove.config.settings import KeyringProvider
from cove.errors import ConfigurationError, CoveError, CredentialsMissing
from cove.http.client import standard_client
from cove.http.transport import Transport
from cove.model.event import Event, Warned
from cove.model.index import Authenticate, Index
from cove.model.url import Url
from support.gate import Gate, basic
from support.scripted_server import Received, Reply, serving

ADA = basic("ada", "p")
NETRC = "machine 127.0.0.1 login ada password p\n"
STORE = '[[credential]]\nservice = "{url}/a"\nusername = "ada"\nscheme = "basic"\npassword = "p"\n'
NAMED = {"UV_INDEX_X_USERNAME": "ada", "UV_INDEX_X_PASSWORD": "p"}
KEYRING = "exit(print('p') if sys.argv[3:] == ['ada'] else 1)"
CREDS = "exit(print('ada\\np') if '--mode' in sys.argv else 1)"


@dataclass(frozen=True)
class Row:
    """``sent`` is what each of ``paths`` is sent, in order: ``None`` for nothing; an exception, if it is one.

    The index ``x`` is at ``/a/simple/`` (``user_info`` in its URL), ``nested`` at ``/a/b/simple/`` if it has a policy.
    """

    rule: str
    uv: str
    sent: tuple[str | type[CoveError] | None, ...]
    same: bool = True
    paths: tuple[str, ...] = ("/a/simple/foo/",)
    user_info: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    netrc: str = ""
    store: str = ""
    keyring: str = ""
    policy: Authenticate = "auto"
    nested: Authenticate | None = None
    on_behalf: str = "x"
    answer: int = 200
    calls: tuple[str, ...] = ()
    url_path: str = "/a/simple/"


ROWS = (
    # 5.1 where credentials come from
    Row("5.1 user info of the URL", "sent", (ADA,), user_info="ada:p@"),
    Row("5.1 user info is percent-decoded", "sent", (basic("a@b", "p:/"),), user_info="a%40b:p%3A%2F@"),
    Row("5.1 URL against variables", "URL wins", (ADA,), same=False, user_info="url:u@", environ=NAMED),
    Row("5.1 variables", "sent", (ADA,), environ=NAMED),
    Row("5.1 password alone", "sent without a name", (basic("", "p"),), environ={"UV_INDEX_X_PASSWORD": "p"}),
    Row("5.1 empty password", "a password", (basic("ada", ""),), environ={**NAMED, "UV_INDEX_X_PASSWORD": ""}),
    Row("5.1 empty user name", "none", (basic("", "p"),), environ={**NAMED, "UV_INDEX_X_USERNAME": ""}),
    Row(
        "5.1 user name of the variables, password of the URL",
        "no mixing",
        (None,),
        user_info="url:u@",
        environ={"UV_INDEX_X_USERNAME": "ada"},
        same=False,
    ),
    Row("5.1 netrc by host", "sent after a 401", (ADA,), same=False, netrc=NETRC),
    Row("5.1 netrc default", "sent after a 401", (ADA,), same=False, netrc="default login ada password p\n"),
    Row("5.1 netrc of another login", "not sent", (None,), netrc=NETRC, user_info="eve@"),
    Row("5.1 broken netrc", "ignored, logged", (None,), netrc="machine x y z\n"),
    Row("5.1 store", "sent after a 401", (ADA,), same=False, store=STORE),
    Row(
        "5.1 netrc before store",
        "netrc, and 401 is final",
        (basic("net", "rc"), ADA),
        netrc="machine 127.0.0.1 login net password rc\n",
        store=STORE,
    ),
    Row("5.1 keyring with a user name", "asked", (ADA,), user_info="ada@", keyring=KEYRING, calls=("get {x} ada",)),
    Row("5.1 store before keyring", "store", (ADA,), user_info="ada@", store=STORE, keyring="exit(3)"),
    Row(
        "5.1 one look-up for many requests",
        "one",
        (ADA,) * 3,
        paths=("/a/simple/f/", "/a/simple/g/", "/a/h.whl"),
        user_info="ada@",
        keyring=KEYRING,
        calls=("get {x} ada",),
    ),
    Row(
        "5.1 a look-up in vain is kept too",
        "one",
        (None,) * 2,
        paths=("/a/simple/f/", "/a/simple/g/"),
        user_info="ada@",
        keyring="exit(1)",
        answer=401,
        calls=("get {x} ada", "get {host} ada", "get http://{host} ada"),
    ),
    # 5.2 seeding
    Row("5.2 below the root without `simple`", "sent", (ADA,), paths=("/a/files/f.whl",), user_info="ada:p@"),
    Row("5.2 `+simple` too", "sent", (ADA,), paths=("/a/+f/f.whl",), user_info="ada:p@", url_path="/a/+simple/"),
    Row(
        "5.2 an index without `simple`",
        "below its URL only",
        (ADA, None),
        paths=("/a/x/foo/", "/a/y/f.whl"),
        user_info="ada:p@",
        url_path="/a/x/",
        answer=200,
    ),
    Row(
        "5.2 elsewhere on the host",
        "sent after 401, 403, 404",
        (None,),
        same=False,
        paths=("/elsewhere/f.whl",),
        user_info="ada:p@",
        answer=401,
    ),
    # 5.3 the request algorithm
    Row("5.3 what is known goes with the first request", "variables only", (ADA,), same=False, netrc=NETRC),
    Row("5.3 a user name alone", "sent as `user:`", (None,), same=False, environ={"UV_INDEX_X_USERNAME": "ada"}),
    Row(
        "5.3 a user name of variables and keyring",
        "sent as `user:` first",
        (ADA,),
        same=False,
        environ={"UV_INDEX_X_USERNAME": "ada"},
        keyring=KEYRING,
        calls=("get {x} ada",),
    ),
    Row("5.3 404 without credentials", "tried again with", (None,), same=False, answer=404),
    Row(
        "5.3 wrong variables, good netrc",
        "401 is final",
        (basic("ada", "old"), ADA),
        same=False,
        environ={**NAMED, "UV_INDEX_X_PASSWORD": "old"},
        netrc=NETRC,
        answer=401,
    ),
    Row(
        "5.3 another index of the same host",
        "sent after 401",
        (None,),
        same=False,
        paths=("/b/simple/foo/",),
        user_info="ada:p@",
        on_behalf="",
        answer=401,
    ),
    # 5.4 keyring
    Row(
        "5.4 URL, then host, then http host",
        "in this order",
        (None,),
        user_info="ada@",
        keyring="exit(1)",
        calls=("get {x} ada", "get {host} ada", "get http://{host} ada"),
    ),
    Row(
        "5.4 without a user name, always",
        "--mode creds",
        (ADA,),
        policy="always",
        keyring=CREDS,
        calls=("get {x} --mode creds",),
    ),
    Row(
        "5.4 without a user name, auto", "not asked", (ADA,), same=False, keyring=CREDS, calls=("get {x} --mode creds",)
    ),
    Row(
        "5.4 the password is trimmed at its right end",
        "trimmed",
        (basic("ada", " p"),),
        user_info="ada@",
        keyring="print(' p  ')",
        calls=("get {x} ada",),
    ),
    # 5.5 authenticate
    Row("5.5 always, nothing known", "error, no request", (CredentialsMissing,), policy="always"),
    Row("5.5 always, a user name only", "the same", (CredentialsMissing,), policy="always", user_info="ada@"),
    Row("5.5 always, known", "sent at once", (ADA,), policy="always", netrc=NETRC),
    Row(
        "5.5 never",
        "no look-up",
        (None, None),
        policy="never",
        netrc=NETRC,
        paths=("/a/simple/foo/", "/elsewhere/f.whl"),
    ),
    Row("5.5 never, with variables", "ignored", (ConfigurationError,), same=False, policy="never", environ=NAMED),
    Row(
        "5.5 never, with user info",
        "sent for pages",
        (ConfigurationError,),
        same=False,
        policy="never",
        user_info="ada:p@",
    ),
    Row(
        "5.5 never above, always below",
        "never for both",
        (None, CredentialsMissing),
        same=False,
        policy="never",
        nested="always",
        paths=("/a/simple/foo/", "/a/b/simple/foo/"),
    ),
    # 5.6 cache in a run
    Row(
        "5.6 an index below another",
        "the upper one's",
        (ADA, None),
        same=False,
        user_info="ada:p@",
        nested="auto",
        paths=("/a/simple/foo/", "/a/b/simple/foo/"),
    ),
    Row("5.6 another user of the same host", "must match", (basic("eve", "e"),), netrc=NETRC, user_info="eve:e@"),
)


def _program(folder: Path, body: str) -> Path:
    """A stand-in for keyring that writes down what it is asked."""
    folder.mkdir()
    path = folder / "keyring"
    log = folder / "log"
    path.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(log)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n{body}\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return log


def _answers(row: Row) -> Callable[[Received], Reply]:
    """``row.answer`` to whoever is not Ada."""
    return Gate(lambda _: Reply(200), {ADA}, statuses={"": row.answer, basic("ada", "old"): 401})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_row(row: Row, tmp_path: Path) -> None:
    events: list[Event] = []
    with serving(_answers(row)) as server:
        log = _program(tmp_path / "bin", row.keyring)
        x = Index(
            Url.parse(server.url.replace("://", f"://{row.user_info}") + row.url_path),
            name="x",
            authenticate=row.policy,
        )
        nested = Index(Url.parse(f"{server.url}/a/b/simple/"), name="nested", authenticate=row.nested or "auto")
        indexes = (x, nested) if row.nested is not None else (x,)
        (tmp_path / "netrc").write_text(row.netrc)
        (tmp_path / "credentials.toml").write_text(row.store.format(url=server.url))
        (tmp_path / "credentials.toml").chmod(0o600)
        provider: KeyringProvider = "subprocess" if row.keyring else "disabled"
        options = ProviderOptions(
            indexes=indexes,
            environ={**row.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}/usr/bin"},
            netrc=tmp_path / "netrc",
            store=tmp_path / "credentials.toml",
            keyring=provider,
            listener=events.append,
        )
        chain = CredentialChain(indexes, make_providers(options), listener=events.append)
        sent: list[str | type[CoveError] | None] = []
        with standard_client(Transport(), auth=Auth(chain), retries=0) as http:
            for path in row.paths:
                before = len(server.log)
                behalf = nested if path.startswith("/a/b/") and row.nested is not None else x if row.on_behalf else None
                try:
                    http.get(Url(server.url + path), index=behalf).body.close()
                except CoveError as error:
                    sent.append(type(error))
                sent += [received.headers.get("authorization") for received in server.log[before:]]
    assert tuple(sent) == row.sent
    host = server.url.removeprefix("http://")
    asked = log.read_text().splitlines() if log.exists() else []
    assert asked == [call.format(x=x.url.public, host=host) for call in row.calls]
    if "broken" in row.rule:
        assert [type(event) for event in events] == [Warned]
