"""``python -m cove.auth.sdk.google``: an access token by the application default credentials, by means of google-auth."""

import json
import sys
from datetime import UTC

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def answer() -> dict[str, object]:
    """What to print; see the package."""
    import google.auth  # noqa: PLC0415 - an extra
    from google.auth.exceptions import (  # noqa: PLC0415
        DefaultCredentialsError,
        GoogleAuthError,
    )
    from google.auth.transport.requests import Request  # noqa: PLC0415

    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
    except DefaultCredentialsError as error:
        # "were not found" is the library's word for nothing at all; a file that cannot be used is another matter.
        found_nothing = "were not found" in str(error)
        return {"nothing": True} if found_nothing else {"kind": "DefaultCredentialsError", "error": str(error)}
    try:
        credentials.refresh(Request())  # type: ignore[no-untyped-call]
    except GoogleAuthError as error:
        return {"kind": type(error).__name__, "error": str(error.args[0]) if error.args else str(error)}
    expires = credentials.expiry
    return {"token": credentials.token, "expires": expires.replace(tzinfo=UTC).timestamp() if expires else None}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer()))
