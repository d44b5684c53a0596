"""Changes to ``credentials.toml`` that keep everything else in it: comments, order, keys that only others know."""

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.items import AoT, Table

from cove.formats.credentials_toml import LIST, StoredCredential, credential_of, identity, tables_of
from cove.model.url import Url


def put(text: str, credential: StoredCredential) -> str:
    """``text`` with ``credential`` in it, in the place of one for the same user and service; all else stays as it was.

    Raises ``CredentialsTomlError``.
    """
    tables_of(text)
    document = tomlkit.parse(text)
    tables = _array_of(document)
    same = _places(text, credential.service, credential.username)
    table = tables[same[-1]] if same else tomlkit.table()
    values = _values(credential)
    for key in ("username", "password", "token"):
        if key in table and key not in values:
            del table[key]
    for key, value in values.items():
        table[key] = value
    if not same:
        if len(tables) and not tables[-1].as_string().endswith("\n\n"):
            tables[-1].add(tomlkit.nl())
        tables.append(table)
    for place in reversed(same[:-1]):
        del tables[place]
    return _dumped(document)


def remove(text: str, service: Url, username: str | None) -> str | None:
    """``text`` without the credential of ``username`` for exactly ``service``; ``None`` where there is none.

    Raises ``CredentialsTomlError``.
    """
    places = _places(text, service, username)
    if not places:
        return None
    document = tomlkit.parse(text)
    tables = _array_of(document)
    for place in reversed(places):
        del tables[place]
    return _dumped(document)


def _places(text: str, service: Url, username: str | None) -> list[int]:
    """Where the tables of a user and service are."""
    wanted = identity(service, username)
    every = [credential_of(place, table) for place, table in enumerate(tables_of(text))]
    return [each.entry for each in every if identity(each.service, each.username) == wanted]


def _values(credential: StoredCredential) -> dict[str, str]:
    secret = credential.secret.reveal()
    if credential.scheme == "bearer":
        return {"service": credential.service.public, "scheme": "bearer", "token": secret}
    username = credential.username or ""
    return {"service": credential.service.public, "username": username, "scheme": "basic", "password": secret}


def _array_of(document: TOMLDocument) -> AoT:
    """The ``[[credential]]`` tables; a list in brackets becomes them."""
    written = document.get(LIST)
    if isinstance(written, AoT):
        return written
    tables = tomlkit.aot()
    for each in written or ():
        table: Table = tomlkit.table()
        table.update(each)
        tables.append(table)
        table.add(tomlkit.nl())
    if written is not None:
        del document[LIST]
    document[LIST] = tables
    return tables


def _dumped(document: TOMLDocument) -> str:
    if not document[LIST]:
        del document[LIST]
    return tomlkit.dumps(document)
