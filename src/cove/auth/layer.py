"""The layer that says who we are, with the first request."""

from base64 import b64encode

from cove.auth.answers import Answers
from cove.auth.chain import CredentialChain
from cove.errors import ConfigurationError, CredentialsMissing
from cove.http.messages import Request, Response, Send
from cove.http.status import looked_in, missing_hints
from cove.model.dataclasses import replace
from cove.model.index import Index
from cove.model.secret import Credential, can_carry_secret

_REFUSED = frozenset({401, 403})
_MOST = 12
"""Attempts with one request: more credentials than anybody has."""


class Auth:
    """Adds ``Authorization`` where the chain knows a credential, and records which one was sent.

    What the server refuses is replaced by what else the chain knows, and the request is sent again. A credential that the
    caller chose is used as it is, unless it came from the chain: then what is in force by now counts. An index with
    ``authenticate = "always"`` is asked nothing at all without one.
    """

    def __init__(self, chain: CredentialChain) -> None:
        self._chain = chain

    def __call__(self, request: Request, send: Send) -> Response:
        """Send with what is known. Raises ``CredentialsMissing`` before any request, ``ConfigurationError``."""
        if any(name.lower() == "authorization" for name in request.headers):
            return send(request)
        if request.credential is not None:
            answers = self._chain.origin_of(request.credential)
        else:
            answers = self._chain.answers(request.url, request.index)
        credential = answers.in_force() if answers is not None else request.credential
        if credential is None:
            index = self._chain.index_for(request.url, request.index)
            if index is not None and index.authenticate == "always":
                credential = _asked_for(index, answers)
        return _answered(request, send, credential, answers)


def _asked_for(index: Index, answers: Answers | None) -> Credential:
    """What a person says, for an index of which its owner says that it answers nobody else."""
    credential = answers.refused(None, 401) if answers is not None else None
    if credential is not None:
        return credential
    raise CredentialsMissing(
        f'{index.label} is always asked with credentials (`authenticate = "always"`), and none are known',
        causes=looked_in(answers.places if answers is not None else ()),
        hints=missing_hints(index),
    )


def _answered(request: Request, send: Send, credential: Credential | None, answers: Answers | None) -> Response:
    response = _sent(request, send, credential)
    if answers is None:
        return response
    for _ in range(_MOST):
        if response.status not in _REFUSED:
            answers.answered(credential)
            return response
        other = answers.refused(credential, response.status)
        if other is None:
            break
        response.body.close()
        credential = other
        response = _sent(request, send, credential)
    return replace(response, refusals=answers.refusals, places=answers.places)


def _sent(request: Request, send: Send, credential: Credential | None) -> Response:
    if credential is None:
        return send(request)
    name, value = header(credential)
    response = send(replace(request, headers={**request.headers, name: value}, credential=credential))
    response.credential = credential
    return response


def header(credential: Credential) -> tuple[str, str]:
    """The header that says who we are: its name and its value. Raises ``ConfigurationError`` if it cannot be sent."""
    if credential.scheme != "header":
        return "Authorization", authorization(credential)
    if not can_carry_secret(credential.header):
        raise ConfigurationError(f"a secret cannot be sent in the header `{credential.header}`")
    return credential.header, _visible(credential)


def authorization(credential: Credential) -> str:
    """The value of ``Authorization``: RFC 7617 (Basic, in UTF-8) or RFC 6750 (Bearer). Raises ``ConfigurationError``."""
    if credential.scheme == "bearer":
        token = _visible(credential)
        if " " in token:
            raise ConfigurationError(f"the token from {credential.origin} holds characters that cannot be sent")
        return f"Bearer {token}"
    secret = credential.password.reveal()
    if ":" in credential.username:  # RFC 7617, 2: "a user-id containing a colon character is invalid"
        raise ConfigurationError(f"the user name from {credential.origin} holds a colon, which cannot be sent")
    return "Basic " + b64encode(f"{credential.username}:{secret}".encode()).decode()


def _visible(credential: Credential) -> str:
    secret = credential.password.reveal()
    if not secret or not secret.isascii() or not secret.isprintable() or secret != secret.strip():
        raise ConfigurationError(f"the token from {credential.origin} is empty or holds characters that cannot be sent")
    return secret
