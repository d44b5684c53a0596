"""The Simple API through the real client, against a server on the loopback interface."""

from cove.http.client import standard_client
from cove.http.transport import Transport
from cove.index.simple import SimpleIndex
from cove.model.index import Index
from cove.model.name import Name
from cove.model.outcome import Absent, Found, Unavailable
from cove.model.url import Url
from support.scripted_server import Received, Reply, serving


def script(request: Received) -> Reply:
    match request.path:
        case "/simple/moved/":
            return Reply(302, headers={"Location": "/elsewhere/moved/"})
        case "/elsewhere/moved/":
            return Reply(200, b'<a href="moved-1.zip">x</a>', {"Content-Type": "text/html"})
        case "/simple/short/":
            return Reply(200, b"<html>", {"Content-Type": "text/html"}, announced=100)
    return Reply(404)


def test_redirects_absence_and_a_broken_answer() -> None:
    with serving(script) as server, standard_client(Transport(), retries=0) as client:
        source = SimpleIndex(Index(Url.parse(server.url + "/simple"), name="corp"), client)
        found = source.project(Name("moved"))
        assert isinstance(found, Found)
        assert [file.url.public for file in found.page.files] == [server.url + "/elsewhere/moved/moved-1.zip"]
        assert isinstance(source.project(Name("nothing")), Absent)
        assert isinstance(source.project(Name("short")), Unavailable)
