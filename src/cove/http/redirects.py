"""Redirects, followed hop by hop so that every hop is judged anew by the layers below."""

from cove.errors import InvalidResponse
from cove.http.messages import Request, Response, Send
from cove.model.dataclasses import replace
from cove.model.index import Index
from cove.model.url import Url

_LIMIT = 10
STATUSES = frozenset({301, 302, 303, 307, 308})
"""Those that name another place to go to."""

_READING = frozenset({"GET", "HEAD"})
_PRIVATE_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


class Redirects:
    """Follows at most ten redirects; an upload is sent again as it was, and on the same realm only.

    (Following a redirected upload as browsers do, with a GET, would look like success without anything having been
    uploaded.) Files may lie anywhere, and are often redirected to storage; a page of a private index is followed to another
    place only where the index is allowed to send us there, for whoever answers there decides what is installed. What is not
    followed is handed to the caller as it is.

    On another realm nothing private goes along: neither headers nor a credential that the caller chose. User info in the
    redirect is used on the same realm, or where the index is allowed to send us.
    """

    def __call__(self, request: Request, send: Send) -> Response:
        """The answer at the end of the chain; ``Response.url`` is where that was."""
        hop = request
        for _ in range(_LIMIT + 1):
            response = send(hop)
            if response.status not in STATUSES:
                return response
            target = _next_hop(hop, response)
            if hop.method not in _READING and (target.url.realm != hop.url.realm or response.status == 303):
                return response
            if not _may_answer(hop, response, target.url):
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
    if target.realm != hop.url.realm and not (hop.index is not None and allows(hop.index, target)):
        target = target.without_credentials()
    if target.realm == hop.url.realm:
        # The credential of an index belongs to a path, not to the realm: what it is for is decided below, anew.
        if target.username is None and hop.index is None:
            target = Url(target.public, hop.url.username, hop.url.password)
        return replace(hop, url=target)
    headers = {name: value for name, value in hop.headers.items() if name.lower() not in _PRIVATE_HEADERS}
    return replace(hop, url=target, headers=headers, credential=None)


def allows(index: Index, url: Url) -> bool:
    """Whether ``index`` may send us to ``url`` with its pages and with credentials: its own realm and those of its mirrors,
    and those of its setting ``allow-redirect-to``."""
    if any(url.realm == own.realm for own in (index.url, *index.mirrors)):
        return True
    return any(allowed == "any" or Url.parse(allowed).realm == url.realm for allowed in index.allow_redirects_to)


def is_public(index: Index, response: Response) -> bool:
    """Whether an index has nothing of its own to protect: the default one, or a mere list of links (``--find-links``),
    asked without a credential."""
    is_list = index.format == "flat" and not index.name
    return (index.default or is_list) and response.credential is None


def _may_answer(hop: Request, response: Response, target: Url) -> bool:
    """Whether ``target`` may answer a request for a page."""
    if not hop.is_page or hop.index is None or target.realm == hop.url.realm:
        return True
    is_same_host_over_tls = target.host == hop.url.host and (hop.url.scheme, target.scheme) == ("http", "https")
    return is_same_host_over_tls or allows(hop.index, target) or is_public(hop.index, response)


def _with_fragment_of(url: Url, target: Url) -> Url:
    """RFC 9110, 10.2.2: a Location without a fragment inherits that of the request."""
    _, hash_sign, fragment = url.public.partition("#")
    if not hash_sign or "#" in target.public:
        return target
    return Url(f"{target.public}#{fragment}", target.username, target.password)


def _who(request: Request) -> str:
    return request.index.label if request.index is not None else request.url.host
