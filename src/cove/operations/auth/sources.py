"""Every source of credentials for an index, in order: what it has, or why it has nothing."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal

from cove.auth.answers import Answers, Said
from cove.auth.provider import Username
from cove.auth.providers.netrc import netrc_path
from cove.config.folders import credentials_file, home
from cove.errors import CoveError
from cove.http.messages import Refusal
from cove.http.status import status_text
from cove.model.dataclasses import dataclass, replace
from cove.model.event import Warned
from cove.model.index import Index
from cove.model.secret import Credential
from cove.registries import recognise
from cove.wiring import Session

State = Literal["in use", "found", "absent", "refused", "forbidden", "expired", "not asked"]

Heard = Callable[[Callable[[], Said | None]], tuple[Said | None, tuple[Warned, ...]]]

ORDER = (
    "environment", "URL", "huggingface", "netrc", "store", "command", "codeartifact", "google", "azure", "keyring", "prompt",
)  # fmt: skip
"""The providers by name, in order of priority."""

_CLOUDS = frozenset({"codeartifact", "google", "azure"})


@dataclass(frozen=True, slots=True)
class Source:
    """One place where credentials may be. ``detail`` says why there is none, or what became of it; ``notes`` are what the
    place itself complained of; ``mend`` says what to do with what is no good."""

    name: str
    state: State
    detail: str = ""
    credential: Credential | None = None
    notes: tuple[str, ...] = ()
    mend: str = ""


def sources(session: Session, index: Index, answers: Answers | None, heard: Heard) -> Iterator[Source]:
    """All that matter to ``index``, asked one after the other; no person is asked. ``heard`` does what it is given, and tells
    the warnings meanwhile.

    Raises what a provider raises: what comes after it is not asked then, by nobody.
    """
    said: dict[str, Said] = {}
    notes: dict[str, tuple[str, ...]] = {}
    failure: CoveError | None = None
    asking = answers.each() if answers is not None else iter(())
    try:
        while True:
            each, warnings = heard(lambda: next(asking, None))
            if each is None:
                break
            said[each.provider] = each
            notes[each.provider] = tuple(
                f"{warning.message}; {warning.hint}".removesuffix("; ") for warning in warnings
            )
    except CoveError as error:
        failure = error
    for name in ORDER:
        if not _matters(name, index):
            continue
        source = _never(name, index) if answers is None else _source(session, index, name, said.get(name))
        if failure is not None and name not in said:
            source = Source(name, "not asked", "something is wrong with a source, or with one before it")
        yield replace(source, notes=notes.get(name, ()))
    if failure is not None:
        raise failure


def judged(
    found: Sequence[Source], answers: Answers, worked: Credential | None, turned_away: State = "found"
) -> tuple[Source, ...]:
    """``found`` after the index was asked: ``worked`` is the credential that it did not refuse, if there is any; else
    ``turned_away`` is what became of the one in force without having been refused outright."""
    refusals = {str(each.credential.origin): each for each in answers.refusals}
    in_force = worked or answers.in_force()
    result: list[Source] = []
    for source in found:
        credential = source.credential
        if credential is None:
            result.append(source)
            continue
        refusal = refusals.get(str(credential.origin))
        if worked is not None and credential.origin == worked.origin:
            result.append(replace(source, state="in use"))
        elif refusal is not None:
            result.append(_refused(source, credential, refusal))
        elif in_force is not None and credential.origin == in_force.origin:
            result.append(_in_force(source, credential, turned_away))
        else:
            hider = f"hidden by {in_force.origin}" if in_force is not None else ""
            result.append(replace(source, detail=hider))
    return tuple(result)


def _in_force(source: Source, credential: Credential, turned_away: State) -> Source:
    if credential.has_expired(datetime.now(UTC)):
        mend = _mend(source.name, credential, "has ended: get a new one")
        return replace(source, state="expired", detail="would be sent", mend=mend)
    if turned_away == "refused":
        return replace(source, state="refused", mend=_mend(source.name, credential, "is wrong: correct it"))
    return replace(source, state=turned_away, detail="would be sent" if turned_away == "found" else "")


def _refused(source: Source, credential: Credential, refusal: Refusal) -> Source:
    how = status_text(refusal.status) if refusal.status else "not sent"
    if credential.has_expired(datetime.now(UTC)) and refusal.status in (0, 401):
        return replace(
            source, state="expired", detail=how, mend=_mend(source.name, credential, "has ended: get a new one")
        )
    if refusal.status == 403:
        return replace(source, state="forbidden", detail=how)
    return replace(source, state="refused", detail=how, mend=_mend(source.name, credential, "is wrong: correct it"))


def _mend(name: str, credential: Credential, what: str) -> str:
    place = f"what {credential.origin} has {what}"
    match name:
        case "store":
            return f"{place}, with `cove auth login`"
        case "codeartifact":
            return f"{place}, with `aws sso login` (or what else logs you in to AWS)"
        case "google":
            return f"{place}, with `gcloud auth login`, or `gcloud auth application-default login`"
        case "azure":
            return f"{place}, with `az login`"
        case "command":
            return f"{place}: run the command by hand to see what it prints"
        case "keyring":
            return f"{place}, with `keyring set`, or by logging in to what the plugin asks"
        case _:
            return f"{place} there, or remove it"


def _matters(name: str, index: Index) -> bool:
    """Whether anybody would look for a credential there: the clouds have theirs for their own indexes."""
    if name == "huggingface":
        return index.url.host == "huggingface.co"
    return name not in _CLOUDS or recognise(index.url).name == name


def _never(name: str, index: Index) -> Source:
    return Source(name, "not asked", f'`authenticate` is "never" ({index.origin_of("authenticate")})')


def _source(session: Session, index: Index, name: str, said: Said | None) -> Source:
    if said is None or not said.was_asked:
        return _not_asked(session, index, name, is_there=said is not None)
    if isinstance(said.answer, Username):
        return Source(name, "absent", f"a user name without a password, from {said.answer.origin}")
    if said.answer is not None:
        return Source(name, "found", credential=said.answer)
    where = {
        "environment": "the variables give none",
        "netrc": f"nothing for {index.url.host} in {netrc_path(session.environ, home(session.environ))}",
        "store": f"nothing for this URL in {credentials_file(session.settings, session.environ)}",
        "command": "the command gave none",
        "keyring": "keyring has none",
    }
    return Source(name, "absent", where.get(name, "nobody is logged in"))


def _not_asked(session: Session, index: Index, name: str, *, is_there: bool) -> Source:
    """Why there was nobody to ask: it is switched off, not set up, or has nothing to do with this index."""
    settings = session.settings
    match name:
        case "environment":
            variables = index.credential_variables
            if variables is None:
                return Source(name, "absent", "variables are for indexes that have a name")
            return Source(name, "absent", f"${variables[0]}, ${variables[1]}, …_PASSWORD_FILE and …_TOKEN are not set")
        case "URL":
            return Source(name, "absent", "no user info")
        case "store":
            return Source(name, "absent", f"nothing is stored in {credentials_file(settings, session.environ)}")
        case "command":
            return Source(name, "absent", "no `credential-command` is set")
        case "keyring" if settings.keyring_provider == "disabled":
            origin = settings.origin("keyring-provider")
            return Source(name, "not asked", f"`keyring-provider` is disabled ({origin})")
        case "keyring":
            return Source(name, "not asked", "there is no keyring, or this index has no use for it")
        case "prompt":
            return Source(name, "not asked", "asked last, at a terminal, and never by this command")
        case _ if name in _CLOUDS and not settings.native_auth:
            return Source(name, "not asked", f"`native-auth` is off ({settings.origin('native-auth')})")
        case _ if name in _CLOUDS:
            return Source(name, "not asked", "for the cloud's own hosts, over HTTPS, and its own user name only")
        case _:
            return Source(name, "absent" if is_there else "not asked")
