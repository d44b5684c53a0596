"""Redirects, followed hop by hop so that every hop is judged anew by the layers below."""

from dataclasses import replace

from cove.errors import InvalidResponse
from cove.http.messages import Request, Response, Send
from cove.model.url import Url

_LIMIT = 10
_STATUSES = frozenset({301, 302, 303, 307, 308})
_READING = frozenset({"GET", "HEAD"})
_PRIVATE_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


class Redirects:
    """Follows at most ten redirects; an upload is sent again as it was, and on the same realm only.

    (Following a redirected upload as browsers do, with a GET, would look like success without anything having been
    uploaded.) What is not followed is handed to the caller as it is. On another realm nothing private goes along: neither
    headers nor a credential that the caller chose.
    """

    def __call__(self, request: Request, send: Send) -> Response:
        """The answer at the end of the chain; ``Response.url`` is where that was."""
        hop = request
        for _ in range(_LIMIT + 1):
            response = send(hop)
            if response.status not in _STATUSES:
                return response
            target = _next_hop(hop, response)
            if hop.method not in _READING and (target.url.realm != hop.url.realm or response.status == 303):
                return response
            response.body.close()
            hop = target
        raise InvalidResponse(f"{_who(request)} redirected more than {_LIMIT} times", causes=(f"last URL: {hop.url}",))


def _next_hop(hop: Request, response: Response) -> Request:
    location = response.headers.get("location")
    if not location:
        raise InvalidResponse(
            f"{_who(hop)} answered {response.status} without saying where to go", causes=(f"URL: {hop.url}",)
        )
    try:
        target = hop.url.without_credentials().join(location)
    except ValueError as error:
        raise InvalidResponse(
            f"{_who(hop)} redirected to something that is not a URL", causes=(f"URL: {hop.url}",)
        ) from error
    if target.scheme not in ("http", "https"):
        raise InvalidResponse(f"{_who(hop)} redirected to a {target.scheme!r} URL; only http and https are followed")
    target = _with_fragment_of(hop.url, target)
    if target.realm == hop.url.realm:
        # The credential of an index belongs to a path, not to the realm: what it is for is decided below, anew.
        if target.username is None and hop.index is None:
            target = Url(target.public, hop.url.username, hop.url.password)
        return replace(hop, url=target)
    headers = {name: value for name, value in hop.headers.items() if name.lower() not in _PRIVATE_HEADERS}
    return replace(hop, url=target, headers=headers, credential=None)


def _with_fragment_of(url: Url, target: Url) -> Url:
    """RFC 9110, 10.2.2: a Location without a fragment inherits that of the request."""
    _, hash_sign, fragment = url.public.partition("#")
    if not hash_sign or "#" in target.public:
        return target
    return Url(f"{target.public}#{fragment}", target.username, target.password)


def _who(request: Request) -> str:
    return request.index.label if request.index is not None else request.url.host
