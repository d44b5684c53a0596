"""What a registry's answer to an upload means, in words a person can act on."""

import html
import json
import re
from http import HTTPStatus

from cove.errors import AccessForbidden, CoveError, CredentialsMissing, PublishRefused
from cove.http.messages import Response
from cove.http.status import refused, status_text, to_blame, verdicts
from cove.model.secret import MASK, Credential
from cove.registries import Registry

_READ_LIMIT = 64 * 1024
_QUOTE_LIMIT = 500


def error_for(
    response: Response, filename: str, label: str, credential: Credential | None, registry: Registry
) -> CoveError:
    """The error that an answer other than success to the upload of ``filename`` is; reads and closes the body.

    ``label`` is how the target is called, ``credential`` the one that was given; the answer may name another. What is known
    of ``registry`` goes into the hints.
    """
    sent = response.credential or credential
    status = status_text(response.status)
    said = quoted(response, sent)
    causes = (f"the server says: {said}",) if said else ()
    if registry.says_already_there(response.status, said):
        return PublishRefused(
            f"{label} already has a file called `{filename}` ({status}); it is not known whether with the same content",
            causes=causes,
            hints=("with `--index` or `--check-url`, a file that is there with the same content is passed over",),
        )
    known = registry.hints(response.status)
    causes = (*verdicts(response), *causes)
    blamed = to_blame(response)
    if blamed is not None:
        sent, status = blamed.credential, status_text(blamed.status)
    is_forbidden = (blamed.status if blamed is not None else response.status) == HTTPStatus.FORBIDDEN
    if response.status == HTTPStatus.UNAUTHORIZED and sent is None:
        return CredentialsMissing(
            f"{label} wants credentials to publish `{filename}` ({status}); none are known",
            causes=causes,
            hints=("set $UV_PUBLISH_USERNAME and $UV_PUBLISH_PASSWORD, or $UV_PUBLISH_TOKEN", *known),
        )
    if response.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and sent is not None and not is_forbidden:
        error = refused(f"{label} refused the credentials for `{filename}` ({status})", sent)
        error.causes, error.hints = causes, (*error.hints, *known)
        return error
    if is_forbidden:
        whose = f"the credentials came from {sent.origin}" if sent is not None else "no credentials were sent"
        return AccessForbidden(
            f"{label} does not allow to publish `{filename}` ({status}); {whose}",
            causes=causes,
            hints=("the user or token may lack the right to publish", *known),
        )
    hints = (*_hints(response.status), *known)
    return PublishRefused(f"{label} did not take `{filename}` ({status})", causes=causes, hints=hints)


def _hints(status: int) -> tuple[str, ...]:
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return ("is this the simple URL of the index? Files are sent to its upload URL (`publish-url`)",)
    if status == HTTPStatus.CONFLICT:
        return ("a file of this name exists already: raise the version",)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return ("the registry has a limit on the size of files",)
    return ()


def quoted(response: Response, *credentials: Credential | None) -> str:
    """The server's reason in the body, which is read and closed: see ``masked_line``."""
    text = _reason(_beginning(response), response.headers.get("content-type", ""))
    return masked_line(text, *credentials)


def masked_line(text: str, *credentials: Credential | None) -> str:
    """What a server said as one line, bounded, without control characters, and without the secrets of ``credentials``."""
    for spelling in (spelling for each in credentials if each is not None for spelling in each.spellings()):
        text = text.replace(spelling, MASK)
    visible = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(visible.split())
    return line if len(line) <= _QUOTE_LIMIT else line[: _QUOTE_LIMIT - 1] + "…"


def _beginning(response: Response) -> bytes:
    try:
        data = b""
        for chunk in response.body.chunks():
            data += chunk
            if len(data) >= _READ_LIMIT:
                break
        return data[:_READ_LIMIT]
    except CoveError as error:
        return f"(the answer broke off: {error.message})".encode()
    finally:
        response.body.close()


def _reason(body: bytes, content_type: str) -> str:
    text = body.decode("utf-8", "replace")
    if "json" in content_type.lower():
        return _json_reason(text)
    if "html" in content_type.lower():
        without_style = re.sub(r"(?is)<(script|style)\b.*?</\1>", " ", text)
        return html.unescape(re.sub(r"<[^>]*>", " ", without_style))
    return text


def _json_reason(text: str) -> str:
    """The words in PyPI's form (``message``), RFC 9457 (``title``, ``detail``), Artifactory's (``errors``); else all of it."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if not isinstance(value, dict):
        return text
    errors = value.get("errors")
    if isinstance(errors, list):
        parts = [str(each.get("message", each)) if isinstance(each, dict) else str(each) for each in errors]
    else:
        parts = [value[key] for key in ("message", "title", "detail") if isinstance(value.get(key), str)]
        parts = parts[:1] if "message" in value else parts
    return "; ".join(parts) or text
