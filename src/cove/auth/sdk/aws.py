"""``python -m cove.auth.sdk.aws DOMAIN OWNER REGION [PROFILE]``: a token of CodeArtifact, by means of botocore."""

import json
import sys


def answer(domain: str, owner: str, region: str, profile: str = "") -> dict[str, object]:
    """What to print; see the package."""
    from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra
    from botocore.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415
        BotoCoreError,
        ClientError,
        NoCredentialsError,
    )
    from botocore.session import Session  # type: ignore[import-untyped]  # noqa: PLC0415

    limits = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 4, "mode": "standard"})
    try:
        client = Session(profile=profile or None).create_client("codeartifact", region_name=region, config=limits)
        given = client.get_authorization_token(domain=domain, domainOwner=owner)
    except NoCredentialsError:
        return {"nothing": True}
    except ClientError as error:
        return {"kind": error.response.get("Error", {}).get("Code", ""), "error": str(error)}
    except BotoCoreError as error:
        return {"kind": type(error).__name__, "error": str(error)}
    return {"token": given["authorizationToken"], "expires": given["expiration"].timestamp()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(*sys.argv[1:5])))
