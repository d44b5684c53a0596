"""What programs that know credentials read and write: plain text, JSON, git's credential protocol, Bazel's.

- git: https://git-scm.com/docs/git-credential#IOFMT, lines of ``key=value``.
- Bazel: https://github.com/EngFlow/credential-helper-spec, JSON with the headers to send.
- JSON: every spelling that the clouds' own programs have (``aws``, ``gcloud``, ``az``, ``keyring``, docker's helpers).
"""

import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cove.model.dataclasses import dataclass
from cove.model.index import CredentialProtocol
from cove.model.secret import Scheme, Secret, can_carry_secret, end_of_token
from cove.model.url import Url

_GIT_KEYS = frozenset({
    "protocol", "host", "path", "username", "password", "password_expiry_utc", "oauth_refresh_token", "url", "quit",
    "authtype", "credential", "ephemeral", "continue", "capability[]", "wwwauth[]", "state[]",
})  # fmt: skip
_PASSWORD = ("password", "token", "secret", "accesstoken", "authorizationtoken")
_USERNAME = ("username", "user", "login")
_END = (
    "expires", "expiration", "expireson", "expiresat", "expiry", "tokenexpiry", "expirationtimestamp", "passwordexpiryutc",
)  # fmt: skip
_INNER = ("credential", "credentials", "status")
"""Where ``gcloud config config-helper`` and Kubernetes' exec plugins have it."""


class Unreadable(ValueError):
    """The output is not what its protocol wants; the reason quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a program answered. ``username`` is ``None`` where it says nothing of one; ``header`` goes with the scheme."""

    secret: Secret
    username: str | None = None
    scheme: Scheme = "basic"
    header: str = ""
    expires: datetime | None = None


def request(protocol: CredentialProtocol, url: Url) -> str:
    """What the program is told on its standard input about ``url``, which belongs to an index."""
    public = url.without_credentials().public
    if protocol == "bazel":
        return json.dumps({"uri": public}) + "\n"
    scheme, _, rest = public.partition("://")
    authority, _, path = rest.partition("/")
    lines = [f"protocol={scheme}", f"host={authority}", f"path={path.partition('?')[0].partition('#')[0]}"]
    if url.username:
        lines.append(f"username={url.username}")
    return "".join(f"{line}\n" for line in lines if "\n" not in line and "\0" not in line) + "\n"


def parse(text: str, protocol: CredentialProtocol, now: datetime) -> Output | None:
    """What ``text`` says, ``None`` if it says nothing; raises ``Unreadable``.

    With ``auto``, an object of JSON is read as that (with ``headers``: as Bazel's), lines that are all of git's keys as
    git's, and anything else as plain text: the secret is the first line.
    """
    if not text.strip():
        return None
    if protocol == "text":
        return _text(text)
    if protocol == "git" or (protocol == "auto" and _is_git(text)):
        return _git(text)
    if protocol == "auto" and not text.lstrip().startswith("{"):
        return _text(text)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("it is not JSON") from None
    if not isinstance(data, dict):
        raise Unreadable("it is not a JSON object")
    if protocol == "bazel" or (protocol == "auto" and "headers" in data):
        return _bazel(data, now)
    return _json(data, now)


def _text(text: str) -> Output:
    return _output(text.strip().splitlines()[0].rstrip())


def _is_git(text: str) -> bool:
    lines = [line for line in text.splitlines() if line]
    return any(line.startswith(("password=", "credential=", "quit=")) for line in lines) and all(
        line.partition("=")[0] in _GIT_KEYS and "=" in line for line in lines
    )


def _git(text: str) -> Output | None:
    values = {key: value for key, equals, value in (line.partition("=") for line in text.splitlines()) if equals}
    end = values.get("password_expiry_utc")
    expires = None if end is None else _time(end)
    if "credential" in values and values.get("authtype"):
        return _authorization(f"{values['authtype']} {values['credential']}", expires)
    if not values.get("password"):
        return None
    return _output(values["password"], values.get("username"), expires=expires)


def _json(data: Mapping[str, object], now: datetime) -> Output | None:
    fields = {key.lower().replace("_", "").replace("-", ""): value for key, value in data.items()}
    for inner in _INNER:
        table = fields.get(inner)
        if isinstance(table, dict):
            return _json(table, now)
    secret = _first_text(fields, _PASSWORD)
    if not secret:
        return None
    scheme = str(fields.get("scheme", "basic")).lower()
    header = str(fields.get("header", ""))
    if header:
        return _in_header(header, secret, _end(fields, now))
    if scheme not in ("basic", "bearer"):
        raise Unreadable("its scheme is neither basic nor bearer")
    return _output(
        secret,
        _first_text(fields, _USERNAME),
        scheme="bearer" if scheme == "bearer" else "basic",
        expires=_end(fields, now),
    )


def _bazel(data: Mapping[str, object], now: datetime) -> Output | None:
    headers = data.get("headers")
    if not isinstance(headers, dict):
        raise Unreadable("its `headers` are no object")
    expires = _end({"expires": data.get("expires")}, now)
    found = {name: value for name, values in headers.items() if (value := _only(values))}
    for name, value in found.items():
        if name.lower() == "authorization":
            return _authorization(value, expires)
    if len(found) > 1:
        raise Unreadable("it wants several headers, none of them `Authorization`")
    for name, value in found.items():
        return _in_header(name, value, expires)
    return None


def _only(values: object) -> str:
    value = values[0] if isinstance(values, list) and len(values) == 1 else values
    if not isinstance(value, str):
        raise Unreadable("one of its headers is not a list of one text")
    return value


def _authorization(value: str, expires: datetime | None) -> Output:
    """The value of the header ``Authorization`` (RFC 9110, 11.6.2)."""
    scheme, _, rest = value.partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer":
        return _output(rest, scheme="bearer", expires=expires)
    if scheme.lower() != "basic":
        return _in_header("Authorization", value, expires)
    try:
        username, _, password = b64decode(rest, validate=True).decode().partition(":")
    except ValueError:
        raise Unreadable("its Basic credentials cannot be decoded") from None
    return _output(password, username, expires=expires)


def _in_header(name: str, value: str, expires: datetime | None) -> Output:
    if not can_carry_secret(name):
        raise Unreadable("it wants a header that cannot be set")
    return Output(Secret(_clean(value)), "", "header", name, expires)


def _output(
    secret: str, username: str | None = None, *, scheme: Scheme = "basic", expires: datetime | None = None
) -> Output:
    return Output(Secret(_clean(secret)), username, scheme, expires=expires or end_of_token(secret))


def _clean(secret: str) -> str:
    if not secret.isprintable():
        raise Unreadable("its secret holds control characters")
    return secret


def _first_text(fields: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    return next((value for name in names if isinstance(value := fields.get(name), str)), None)


def _end(fields: Mapping[str, object], now: datetime) -> datetime | None:
    """When it ends. Of several answers that of the clock of the epoch is taken: ``az`` gives local time besides."""
    lifetime = fields.get("expiresin")
    if isinstance(lifetime, int | float | str) and not isinstance(lifetime, bool):
        try:
            return now + timedelta(seconds=float(lifetime))
        except (ValueError, OverflowError):
            raise Unreadable("its end is no time") from None
    ends = [fields[name] for name in _END if fields.get(name)]
    return next((_time(end) for end in sorted(ends, key=_is_text)), None)


def _is_text(end: object) -> bool:
    return isinstance(end, str) and not end.isdigit()


def _time(end: object) -> datetime:
    """Seconds since the epoch (milliseconds where they would be beyond the year 5000), or RFC 3339; without zone: local."""
    try:
        if isinstance(end, str) and _is_text(end):
            return datetime.fromisoformat(end).astimezone(UTC)
        seconds = float(end) if isinstance(end, int | float | str) and not isinstance(end, bool) else float("nan")
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Unreadable("its end is no time") from None
