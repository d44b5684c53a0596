"""``file:`` URLs and the paths they stand for (RFC 8089), for this system's kind of path.

The standard library's own functions for this come with an HTTP client, which a no-op must not import.
"""

from urllib.parse import quote, unquote


def to_path(url_path: str) -> str:
    """The path that the path of a ``file:`` URL names: ``/C:/x`` is ``C:/x``, everything else is only decoded."""
    path = unquote(url_path)
    return path[1:] if _has_drive(path[1:]) else path


def from_path(path: str) -> str:
    """The URL of an absolute path."""
    path = path.replace("\\", "/") if _has_drive(path) else path
    slash = "/" if _has_drive(path) else ""
    return "file://" + slash + quote(path, safe="/:" if slash else "/")


def _has_drive(path: str) -> bool:
    return len(path) > 2 and path[0].isalpha() and path[1] == ":" and path[2] in "/\\"
