"""Tokens for Azure Artifacts, from the pipeline, the machine, or whoever is logged in to Azure."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote, urlencode, urlsplit

from cove.auth.endpoints import ask, json_object
from cove.auth.native import Failed, Native, Surroundings, Token, Way, read_token
from cove.errors import CoveError
from cove.http.messages import Request
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret
from cove.model.url import Url
from cove.registries.azure import is_azure_devops

RESOURCE = "499b84ac-1321-427f-aa17-267ca6975798"
"""Azure DevOps, as Entra calls it."""

_ENDPOINTS = ("ARTIFACTS_CREDENTIALPROVIDER_EXTERNAL_FEED_ENDPOINTS", "VSS_NUGET_EXTERNAL_FEED_ENDPOINTS")
_PREFIXES = (
    ("ARTIFACTS_CREDENTIALPROVIDER_URI_PREFIXES", "ARTIFACTS_CREDENTIALPROVIDER_ACCESSTOKEN"),
    ("VSS_NUGET_URI_PREFIXES", "VSS_NUGET_ACCESSTOKEN"),
)
_WHO = (
    "AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_AUTHORITY_HOST", "AZURE_CONFIG_DIR",
    "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_USERNAME", "AZURE_TOKEN_CREDENTIALS", "IDENTITY_ENDPOINT",
)  # fmt: skip
_ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"
"""What the chassis of every virtual machine in Azure says it is."""

_FEED = re.compile(r"(.*/_packaging/[^/]+)(?:/.*)?")
_NOBODY = re.compile(r"az login|AADSTS(?:50078|50173|50076|70043|70044|700082|700084)\b")
_ENDED = re.compile(r"expired|AADSTS(?:50173|70043|70044|700082|700084)\b", re.IGNORECASE)


class Azure(Native):
    """What the pipeline gives, else a managed identity, workload identity, azure-identity, or the ``az`` program.

    Feeds take any user name with a token; the credential has the one that is known.
    """

    name = "azure"
    username = "VssSessionToken"

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._handed_out: set[Secret] = set()

    def recognises(self, url: Url) -> bool:
        """``pkgs.dev.azure.com``, and ``<organization>.pkgs.visualstudio.com``."""
        return is_azure_devops(url)

    def accepts(self, username: str) -> bool:  # noqa: ARG002 - any
        """Any."""
        return True

    def account(self, index: Index | None, url: Url) -> str:  # noqa: ARG002 - a token is for all of Azure DevOps
        """A fingerprint of the variables and files that say who asks."""
        named = self.at.environ.get("AZURE_CONFIG_DIR")
        folder = Path(named) if named else self.at.at_home(".azure")
        return self.at.fingerprint(_WHO, (folder / "azureProfile.json",))

    def get(self, index: Index | None, url: Url) -> Credential | None:
        """What the pipeline gives comes before what is kept: it is for this run."""
        for origin, username, secret in self._given(url):
            if secret not in self._refused:
                self._handed_out.add(secret)
                return Credential(url.username or username or self.username, secret, origin)
        return super().get(index, url)

    def forget(self, index: Index | None, url: Url, refused: Credential) -> bool:
        """As for every cloud; after what the pipeline gave come the other ways."""
        was_given = refused.password in self._handed_out
        return super().forget(index, url, refused) or was_given

    def ways(self, index: Index | None, url: Url, *, renew: bool) -> Iterator[Way]:  # noqa: ARG002 - of a refused token, no way makes a copy twice
        """In the order of azure-identity, which comes late because loading it takes longer than asking."""
        yield self._by_machine
        yield self._by_application
        yield self._by_library
        yield self._by_program

    # -- what pipelines give ---------------------------------------------------------------------------------------------

    def _given(self, url: Url) -> Iterator[tuple[Origin, str, Secret]]:
        environ = self.at.environ
        for variable in _ENDPOINTS:
            if environ.get(variable):
                yield from self._given_for_feed(variable, environ[variable], url)
        for prefixes, variable in _PREFIXES:
            token = environ.get(variable)
            if token and any(_is_below(prefix, url) for prefix in environ.get(prefixes, "").split(";")):
                yield Origin("variable", variable), "", Secret(token)
        token = environ.get("SYSTEM_ACCESSTOKEN")
        if token and not token.startswith("$("):  # a pipeline's variable that was not replaced
            yield Origin("variable", "SYSTEM_ACCESSTOKEN"), "", Secret(token)

    def _given_for_feed(self, variable: str, text: str, url: Url) -> Iterator[tuple[Origin, str, Secret]]:
        """The feed's own entry: by its URL, with or without slash, else one for another kind of package in the same feed."""
        entries = json_object(text).get("endpointCredentials")
        if not isinstance(entries, list):
            self._tell(
                Failed(f"${variable} is ignored: it is not JSON with `endpointCredentials`", f"correct ${variable}")
            )
            return
        whole = [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("password"), str)]
        same_url = [entry for entry in whole if _place(str(entry.get("endpoint", ""))) == _place(url.public)]
        same_feed = [entry for entry in whole if _feed(str(entry.get("endpoint", ""))) == _feed(url.public) != ""]
        for entry in (*same_url, *same_feed):
            if entry["password"]:
                yield Origin("variable", variable), str(entry.get("username") or ""), Secret(entry["password"])

    # -- ways ------------------------------------------------------------------------------------------------------------

    def _by_machine(self) -> Token | None:
        environ = self.at.environ
        if environ.get("IDENTITY_ENDPOINT") and environ.get("IDENTITY_HEADER"):
            base, version = environ["IDENTITY_ENDPOINT"], "2019-08-01"
            headers = {"X-IDENTITY-HEADER": environ["IDENTITY_HEADER"], "Metadata": "true"}
        elif self._has_machine():
            host = environ.get("AZURE_POD_IDENTITY_AUTHORITY_HOST") or "http://169.254.169.254"
            base, version = f"{host.rstrip('/')}/metadata/identity/oauth2/token", "2018-02-01"
            headers = {"Metadata": "true"}
        else:
            return None
        query = {"api-version": version, "resource": RESOURCE}
        if environ.get("AZURE_CLIENT_ID"):
            query["client_id"] = environ["AZURE_CLIENT_ID"]
        try:
            told = ask(f"{base}?{urlencode(query)}", headers, self.at.endpoint_limit)
        except OSError as error:
            raise Failed(f"the managed identity's endpoint does not answer: {error}") from None
        if told.status == 400 and "IDENTITY_ENDPOINT" not in environ:
            return None  # a machine without an identity says so
        if told.status != 200:
            reason = self.one_line(
                str(told.values.get("error_description") or told.values.get("message") or told.status)
            )
            raise Failed(
                f"the managed identity gives no token: {reason}", "check AZURE_CLIENT_ID, and the machine's identity"
            )
        return read_token(told.values, "azure managed identity", key="access_token", ends=("expires_on", "expires_in"))

    def _has_machine(self) -> bool:
        """Whether there is a sign of the instance metadata service: elsewhere, asking for it would be waiting."""
        named = self.at.is_set("AZURE_POD_IDENTITY_AUTHORITY_HOST")
        return named or self.at.hardware_says("chassis_asset_tag") == _ASSET_TAG

    def _by_application(self) -> Token | None:
        """An application's identity: proved with a token of the cluster or pipeline (workload identity), or a secret."""
        environ = self.at.environ
        client, tenant = environ.get("AZURE_CLIENT_ID"), environ.get("AZURE_TENANT_ID")
        file, secret = environ.get("AZURE_FEDERATED_TOKEN_FILE"), environ.get("AZURE_CLIENT_SECRET")
        if not client or not tenant or not (file or secret) or self.at.client is None:
            return None
        form = {"grant_type": "client_credentials", "client_id": client, "scope": f"{RESOURCE}/.default"}
        what = "azure workload identity" if file else "azure client secret"
        try:
            if file:
                form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                form["client_assertion"] = Path(file).read_text("utf-8").strip()
            else:
                form["client_secret"] = secret or ""
            authority = self._authority(tenant)
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
            response = self.at.client().send(
                Request("POST", authority, headers, body=urlencode(form).encode(), most=1 << 18)
            )
            values = json_object(response.body.read())
        except (CoveError, OSError, ValueError) as error:
            raise Failed(f"{what}: {error}", "check AZURE_FEDERATED_TOKEN_FILE and AZURE_AUTHORITY_HOST") from error
        if response.status != 200:
            reason = self.one_line(str(values.get("error_description") or response.status).partition("Trace ID")[0])
            raise Failed(
                f"{what} gives no token: {reason}", "check AZURE_CLIENT_ID, AZURE_TENANT_ID and what Entra trusts"
            )
        return read_token(values, what, key="access_token", ends=("expires_in",))

    def _authority(self, tenant: str) -> Url:
        """Where the tenant's tokens are given out; raises ``ValueError``."""
        base = self.at.environ.get("AZURE_AUTHORITY_HOST") or "https://login.microsoftonline.com"
        authority = Url.parse(f"{base.rstrip('/')}/{quote(tenant, safe='')}/oauth2/v2.0/token")
        if authority.scheme != "https":
            raise ValueError("AZURE_AUTHORITY_HOST is not an https URL")
        return authority

    def _by_library(self) -> Token | None:
        flags = [
            *(["--chosen"] if self.at.is_set("AZURE_TOKEN_CREDENTIALS") else []),
            *(["--ask-machine"] if self._has_machine() else []),
        ]
        answer = self.ask_library("azure.identity", "azure", *flags)
        if answer is None or "nothing" in answer:
            return None
        if "error" in answer:
            raise self._failed("azure-identity", str(answer["error"]))
        return read_token(answer, "azure-identity", key="token", ends=("expires",))

    def _by_program(self) -> Token | None:
        said = self.ask_program("az", "account", "get-access-token", "--resource", RESOURCE, "--output", "json")
        if said is None:
            return None
        if said.status != 0:
            raise self._failed("az", said.stderr)
        token = read_token(json_object(said.stdout), "az CLI", key="accessToken", ends=("expires_on", "expiresOn"))
        if token is None:
            raise Failed("az gave no token", "run `az account get-access-token` by hand")
        return token

    def _failed(self, who: str, said: str) -> Failed:
        if _ENDED.search(said):
            return Failed("the Azure login has expired", "run `az login`")
        if _NOBODY.search(said):
            return Failed(f"{who} is not logged in", "run `az login`")
        return Failed(f"{who} gave no token: {self.one_line(said)}", "run `az login`")


def _place(text: str) -> str:
    """An address without what does not matter: how it is written in capitals, a slash at the end."""
    parts = urlsplit(text.strip())
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{unquote(parts.path)}".rstrip("/").lower()


def _feed(text: str) -> str:
    match = _FEED.fullmatch(_place(text))
    return match[1] if match else ""


def _is_below(prefix: str, url: Url) -> bool:
    start = _place(prefix)
    place = _place(url.public)
    return bool(prefix.strip()) and (place == start or place.startswith(start + "/"))
