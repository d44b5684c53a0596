"""Publishing: where to, as whom, what is there already; then the uploads."""

from collections.abc import Iterator, Sequence

from cove.config.settings import Settings
from cove.errors import ConfigurationError, CredentialsMissing, OfflineError, UsageError
from cove.http.cache import ask_anew
from cove.http.messages import Layer, Request, Response, Send
from cove.index.flat import FlatIndex
from cove.index.simple import SimpleIndex
from cove.model.dataclasses import dataclass, replace
from cove.model.event import Noted
from cove.model.index import DEFAULT_PUBLISH_URL, Index
from cove.model.name import Name
from cove.model.origin import Origin
from cove.model.outcome import Outcome, UploadOutcome
from cove.model.secret import Credential
from cove.model.url import Url
from cove.publish import artifacts
from cove.publish import upload as uploads
from cove.publish.upload import PublishTarget
from cove.registries import recognise
from cove.wiring import Session

_TOKEN_USER = "__token__"  # noqa: S105 - the user name that goes with tokens


@dataclass(frozen=True, slots=True)
class Published:
    """What became of each file, and where they went."""

    target: PublishTarget
    credential: Credential | None
    outcomes: tuple[UploadOutcome, ...]


def publish(session: Session, patterns: Sequence[str] = (), *, dry_run: bool = False) -> Published:
    """Upload the files that ``patterns`` match, less those that the index has already.

    What a registry refuses is an outcome, not an exception; nothing is sent before every file was read and found sound.
    Raises ``UsageError``, ``ConfigurationError``, ``CredentialsMissing``, ``InvalidArtifact`` and ``OfflineError``.
    """
    where = _destination(session)
    files = [artifacts.read(path) for path in artifacts.find(patterns, session.cwd, session.listener)]
    if session.settings.offline:
        raise OfflineError(f"nothing can be published to {where.target.label} while the network is switched off")
    credential = _given(session, where) or _found(session, where)
    session.listener(Noted(_as_whom(where, credential)))
    client = session.uncached_client(_asking(session, where, credential))

    def check(name: Name) -> Outcome:
        assert where.check is not None
        source = FlatIndex if where.check.format == "flat" else SimpleIndex
        return source(where.check, client).project(name)

    outcomes = uploads.publish(
        client,
        files,
        where.target,
        credential,
        check=check if where.check is not None else None,
        listener=session.listener,
        dry_run=dry_run,
    )
    return Published(where.target, credential, outcomes)


# -- where to --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Destination:
    """``given`` is the upload URL as it was given, with user info; ``check`` the index that knows what is there."""

    target: PublishTarget
    given: Url
    check: Index | None


def _destination(session: Session) -> _Destination:
    settings = session.settings
    why = "an index brings both addresses with it: name the index, or give the addresses"
    if settings.publish_index is not None and _prevails(settings, "publish-index", ("publish-url",), why):
        if not _prevails(settings, "publish-index", ("check-url",), why):
            # Falling back to the address for uploads that holds without an index would publish to the whole world.
            raise UsageError(
                f"{settings.origin('check-url')} cannot be used with {settings.origin('publish-index')}", hints=(why,)
            )
        index = session.indexes.named(settings.publish_index)
        if index.publish_url is None:
            raise _no_publish_url(index)
        return _Destination(PublishTarget(index.publish_url.without_credentials(), index), index.publish_url, index)
    url = settings.publish_url or Url.parse(DEFAULT_PUBLISH_URL)
    return _Destination(PublishTarget(url.without_credentials()), url, _check_index(session))


def _no_publish_url(index: Index) -> ConfigurationError:
    known = recognise(index.url).publish_url(index.url)
    hint = f"name the address with `--publish-url {known or 'URL'}`"
    if index.origin.kind in ("project", "user", "system", "file"):
        hint = f'add `publish-url = "{known or "https://…"}"` to the table in {index.origin}, or {hint}'
    return ConfigurationError(f"{index.origin}: the index `{index.label}` has no `publish-url`", hints=(hint,))


def _check_index(session: Session) -> Index | None:
    """The index at ``--check-url``: the configured one if there is one there, for its name and credentials."""
    url = session.settings.check_url
    if url is None:
        return None
    place = url.public.rstrip("/")
    configured = (index for index in session.indexes.all if index.url.public.rstrip("/") == place)
    return next(configured, None) or Index(url, origin=session.settings.origin("check-url"))


# -- as whom ---------------------------------------------------------------------------------------------------------


def credential_for_upload(session: Session, index: Index, *, as_given: bool) -> Credential | None:
    """With what ``publish`` would send files to ``index``; what was given for publishing as such counts with ``as_given``.

    Raises ``ConfigurationError``, ``UsageError`` and ``CredentialsMissing``.
    """
    if index.publish_url is None:
        raise _no_publish_url(index)
    where = _Destination(PublishTarget(index.publish_url.without_credentials(), index), index.publish_url, index)
    return (_given(session, where) if as_given else None) or _found(session, where, as_given=as_given)


def _given(session: Session, where: _Destination) -> Credential | None:
    """What was given for publishing, as a token or as a password."""
    settings = session.settings
    pair = ("publish-username", "publish-password")
    why = f"a token goes with the user name {_TOKEN_USER}"
    if settings.publish_token is not None and _prevails(settings, "publish-token", pair, why):
        return Credential(_TOKEN_USER, settings.publish_token, settings.origin("publish-token"))
    if settings.publish_password is None:
        return None
    origin = settings.origin("publish-password")
    username = _username(settings, where)
    if username is None:
        username = where.target.registry.username
    if not username and settings.publish_username is None:
        raise UsageError(f"{origin}: a password without a user name", hints=("give it with `--username`",))
    return Credential(username, settings.publish_password, origin)


def _username(settings: Settings, where: _Destination) -> str | None:
    return settings.publish_username if settings.publish_username is not None else where.given.username


def _found(session: Session, where: _Destination, *, as_given: bool = True) -> Credential | None:
    """In this order: the upload URL's user info, the index's own, the host's."""
    settings, url = session.settings, where.given
    username = _username(settings, where) if as_given else url.username
    if url.password is not None and username in (None, url.username):
        return Credential(url.username or "", url.password, Origin("url", f"the upload URL of {where.target.label}"))
    known = (found for found in _known(session, where, username) if username in (None, found.username))
    credential = next(known, None)
    if credential is None and username:
        raise CredentialsMissing(
            f"no password is known for {_named(settings, username)} of {where.target.label}",
            hints=("set $UV_PUBLISH_PASSWORD",),
        )
    return credential


def _named(settings: Settings, username: str) -> str:
    """A user name in a URL may be a token: only one that was given as a user name is told."""
    return f"the user `{username}`" if settings.publish_username is not None else "the user in its URL"


def _known(session: Session, where: _Destination, username: str | None) -> Iterator[Credential]:
    """What the credential chain has; an index's own only for uploads to the index's realm."""
    chain, url = session.credentials, where.target.url
    index = where.target.index
    if index is None or index.url.realm != url.realm:
        index = chain.index_for(url)
    if index is not None and (credential := chain.for_upload(index, Url(url.public, username))) is not None:
        yield credential
    if (credential := chain.for_host(Url(url.public, username))) is not None:
        yield credential


def _as_whom(where: _Destination, credential: Credential | None) -> str:
    who = f"as {credential.whose} ({credential.origin})" if credential else "anonymously"
    label = f"{where.target.index.label} at " if where.target.index is not None else ""
    return f"publishing to {label}{where.target.url}, {who}"


# -- asking the index ------------------------------------------------------------------------------------------------


def _asking(session: Session, where: _Destination, credential: Credential | None) -> Layer:
    """Past all caches; with the credential for publishing where the index has none of its own, within the same realm."""
    chain = session.credentials

    def layer(request: Request, send: Send) -> Response:
        own = request.credential or chain.for_url(request.url, request.index)
        if own is None and request.url.realm == where.target.url.realm:
            request = replace(request, credential=credential)
        return ask_anew(request, send)

    return layer


# -- settings that exclude each other --------------------------------------------------------------------------------


def _prevails(settings: Settings, mine: str, others: Sequence[str], why: str) -> bool:
    """Whether the setting ``mine``, not the ``others``, counts: a flag beats a variable, and that a file.

    Raises ``UsageError`` when they contradict each other on the same level.
    """
    own = settings.origin(mine)
    rivals = [settings.origin(name) for name in others if settings.given(name)]
    if not rivals:
        return True
    rival = max(rivals, key=_rank)
    if _rank(own) == _rank(rival):
        raise UsageError(f"{own} and {rival} exclude each other", hints=(why,))
    return _rank(own) > _rank(rival)


def _rank(origin: Origin) -> int:
    return {"flag": 2, "variable": 1}.get(origin.kind, 0)
