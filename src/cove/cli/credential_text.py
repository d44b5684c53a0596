"""How credentials are told of: whose, from where, until when; never the secret."""

from datetime import UTC, datetime

from cove.model.secret import Credential, end_of_token


def told(credential: Credential) -> str:
    """``user `me` from ~/.netrc:3, until 2030-01-01 00:00 UTC``."""
    end = _end(credential)
    words = "expired" if credential.has_expired(datetime.now(UTC)) else "until"
    return f"{credential.whose} from {credential.origin}" + (f", {words} {end:%Y-%m-%d %H:%M} UTC" if end else "")


def as_object(credential: Credential) -> dict[str, object]:
    """The same for programs."""
    end = _end(credential)
    return {
        "username": None if credential.is_token else credential.username,
        "scheme": credential.scheme,
        "origin": str(credential.origin),
        "expires": end.isoformat() if end is not None else None,
        "expired": credential.has_expired(datetime.now(UTC)),
    }


def _end(credential: Credential) -> datetime | None:
    """As its provider says, or the token itself; in UTC."""
    end = credential.expires or end_of_token(credential.password.reveal())
    return end.astimezone(UTC) if end is not None else None
