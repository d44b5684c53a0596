"""A transport that answers from a dictionary, below the real client: for tests of what stands above HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cove.errors import CoveError
from cove.http.bodies import Whole
from cove.http.client import Client
from cove.http.messages import Headers, Request, Response
from cove.model.secret import Credential


@dataclass
class Answer:
    """What to answer; ``credential`` as if it had been sent."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = "text/html"
    credential: Credential | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Replies:
    """Answers by public URL, 404 for all others; an error is raised. ``asked`` are the requests in order."""

    answers: Mapping[str, Answer | CoveError]
    asked: list[Request] = field(default_factory=list)

    def send(self, request: Request) -> Response:
        self.asked.append(request)
        answer = self.answers.get(request.url.public, Answer(404))
        if isinstance(answer, CoveError):
            raise answer
        content_type = {} if answer.content_type is None else {"content-type": answer.content_type}
        headers = Headers({**content_type, **answer.headers})
        return Response(
            answer.status, headers, request.url.without_credentials(), Whole(answer.body), answer.credential
        )

    def close(self) -> None:
        """Nothing to let go of."""

    def client(self) -> Client:
        return Client(self)

    @property
    def urls(self) -> list[str]:
        return [request.url.public for request in self.asked]
