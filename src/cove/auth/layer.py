"""The layer that says who we are, with the first request."""

from base64 import b64encode
from dataclasses import replace

from cove.auth.chain import CredentialChain
from cove.errors import ConfigurationError, CredentialsMissing
from cove.http.messages import Request, Response, Send
from cove.http.status import missing_hints
from cove.model.secret import Credential


class Auth:
    """Adds ``Authorization`` where the chain knows a credential, and records which one was sent.

    A credential that the caller put into the request is used as it is. An index with ``authenticate = "always"`` is asked
    nothing at all without one.
    """

    def __init__(self, chain: CredentialChain) -> None:
        self._chain = chain

    def __call__(self, request: Request, send: Send) -> Response:
        """Send with what is known. Raises ``CredentialsMissing`` before any request, ``ConfigurationError``."""
        if any(name.lower() == "authorization" for name in request.headers):
            return send(request)
        credential = request.credential or self._chain.for_url(request.url, request.index)
        if credential is None:
            self._insist(request)
            return send(request)
        headers = {**request.headers, "Authorization": authorization(credential)}
        response = send(replace(request, headers=headers, credential=credential))
        response.credential = credential
        return response

    def _insist(self, request: Request) -> None:
        index = self._chain.index_for(request.url, request.index)
        if index is not None and index.authenticate == "always":
            raise CredentialsMissing(
                f'{index.label} is always asked with credentials (`authenticate = "always"`), and none are known',
                hints=missing_hints(index),
            )


def authorization(credential: Credential) -> str:
    """The header's value: RFC 7617 (Basic, in UTF-8) or RFC 6750 (Bearer). Raises ``ConfigurationError`` if it has none."""
    secret = credential.password.reveal()
    if credential.scheme == "bearer":
        if not secret.isascii() or not secret.isprintable() or " " in secret:
            raise ConfigurationError(f"the token from {credential.origin} holds characters that cannot be sent")
        return f"Bearer {secret}"
    if ":" in credential.username:  # RFC 7617, 2: "a user-id containing a colon character is invalid"
        raise ConfigurationError(f"the user name from {credential.origin} holds a colon, which cannot be sent")
    return "Basic " + b64encode(f"{credential.username}:{secret}".encode()).decode()
