"""``python -m cove.auth.sdk.azure``: an Entra token for Azure DevOps, by means of azure-identity."""

import json
import sys

_SCOPE = "499b84ac-1321-427f-aa17-267ca6975798/.default"


def answer(*, chosen: bool, ask_machine: bool) -> dict[str, object]:
    """What to print; see the package. ``chosen``: by AZURE_TOKEN_CREDENTIALS; ``ask_machine``: it may have an identity."""
    from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415 - an extra
    from azure.identity import (  # noqa: PLC0415
        CredentialUnavailableError,
        DefaultAzureCredential,
    )

    # Who chose one wants that; otherwise ``az`` and the machine are asked by ourselves as well.
    left_out = (
        {} if chosen else {"exclude_cli_credential": True, "exclude_managed_identity_credential": not ask_machine}
    )
    try:
        given = DefaultAzureCredential(process_timeout=10, **left_out).get_token(_SCOPE)
    except CredentialUnavailableError:
        return {"nothing": True}
    except (ClientAuthenticationError, ValueError) as error:
        said = str(error)
        # The library tries all it knows, and ends with this also when none of them is there.
        if said.startswith("DefaultAzureCredential failed") and "AADSTS" not in said:
            return {"nothing": True}
        return {"kind": type(error).__name__, "error": said}
    return {"token": given.token, "expires": given.expires_on}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(chosen="--chosen" in sys.argv, ask_machine="--ask-machine" in sys.argv)))
