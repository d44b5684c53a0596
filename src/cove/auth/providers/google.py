"""Tokens for Google Artifact Registry, from whatever is logged in to Google Cloud."""

import re
from collections.abc import Iterator
from pathlib import Path

from cove.auth.endpoints import ask, json_object
from cove.auth.native import Failed, Native, Token, Way, read_token
from cove.model.index import Index
from cove.model.url import Url
from cove.registries.google import is_google

_WHO = (
    "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "CLOUDSDK_ACTIVE_CONFIG_NAME", "CLOUDSDK_CORE_ACCOUNT",
    "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT", "GCE_METADATA_HOST",
)  # fmt: skip
_SERVERLESS = ("K_SERVICE", "CLOUD_RUN_JOB", "FUNCTION_TARGET", "GAE_ENV")
_ENDED = re.compile(
    r"invalid_grant|Reauthentication|expired or revoked|refresh(ing)? .*token|ReauthFail", re.IGNORECASE
)
_NOBODY = re.compile(
    r"do(?:es)? not (?:currently )?have (?:an active account|any valid credentials)|auth login", re.IGNORECASE
)
_LOGIN, _LOGIN_APPLICATION = "run `gcloud auth login`", "run `gcloud auth application-default login`"


class Google(Native):
    """Application default credentials through google-auth, else the machine's metadata server, else ``gcloud``."""

    name = "google"
    username = "oauth2accesstoken"

    def recognises(self, url: Url) -> bool:
        """``<location>-python.pkg.dev``, and its older form ``-pypi``."""
        return is_google(url)

    def account(self, index: Index | None, url: Url) -> str:  # noqa: ARG002 - a token is for all of Google Cloud
        """A fingerprint of the variables and files that say who asks."""
        folder = self._folder()
        files = (
            self._application_credentials(),
            folder / "active_config",
            *sorted((folder / "configurations").glob("config_*")),
        )
        return self.at.fingerprint(_WHO, files)

    def ways(self, index: Index | None, url: Url, *, renew: bool) -> Iterator[Way]:  # noqa: ARG002 - a token is for all of Google Cloud
        """Applications' own credentials first, as all of Google's tools do."""
        yield self._by_library
        yield self._by_machine
        if self._application_credentials().is_file():
            yield self._by_program_for_applications
        yield lambda: self._by_program(renew=renew)

    def _folder(self) -> Path:
        named = self.at.environ.get("CLOUDSDK_CONFIG")
        windows = self.at.environ.get("APPDATA")
        if named or windows:
            return Path(named or f"{windows}/gcloud")
        return self.at.at_home(".config/gcloud")

    def _application_credentials(self) -> Path:
        named = self.at.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
        return Path(named) if named else self._folder() / "application_default_credentials.json"

    def _by_library(self) -> Token | None:
        at = self.at
        # It would look up the project that a token is for, which nobody asks for here.
        more = {"GOOGLE_CLOUD_PROJECT": at.environ.get("GOOGLE_CLOUD_PROJECT") or "none"}
        if not self._has_machine():
            more["NO_GCE_CHECK"] = "true"
        answer = self.ask_library("google.auth", "google", more=more)
        if answer is None or "nothing" in answer:
            return None
        if "error" in answer:
            said = f"{answer.get('kind')}: {answer['error']}"
            if _ENDED.search(said):
                raise Failed("the application default credentials have expired", _LOGIN_APPLICATION)
            raise Failed(
                f"the application default credentials give no token: {self.one_line(said)}", _LOGIN_APPLICATION
            )
        return read_token(answer, "google application default credentials", key="token", ends=("expires",))

    def _has_machine(self) -> bool:
        """Whether there is a sign of a metadata server: elsewhere, asking for one would be waiting."""
        if self.at.environ.get("NO_GCE_CHECK", "").lower() == "true":
            return False
        named = self.at.is_set("GCE_METADATA_HOST", "GCE_METADATA_IP", *_SERVERLESS)
        return named or self.at.hardware_says("product_name").startswith("Google")

    def _by_machine(self) -> Token | None:
        if not self._has_machine():
            return None
        host = self.at.environ.get("GCE_METADATA_HOST") or "metadata.google.internal"
        url = f"http://{host}/computeMetadata/v1/instance/service-accounts/default/token"
        try:
            told = ask(url, {"Metadata-Flavor": "Google"}, self.at.endpoint_limit)
        except OSError as error:
            raise Failed(f"the metadata server does not answer: {error}") from None
        # Whoever else answers there (a captive portal) does not say so.
        if told.status != 200 or told.headers.get("metadata-flavor") != "Google":
            return None
        return read_token(told.values, "google metadata server", key="access_token", ends=("expires_in",))

    def _by_program_for_applications(self) -> Token | None:
        said = self.ask_program("gcloud", "auth", "application-default", "print-access-token", more=_QUIET)
        if said is None:
            return None
        if said.status != 0 or not said.stdout.strip():
            raise self._failed("the application default credentials", said.stderr, _LOGIN_APPLICATION)
        return read_token({"token": said.stdout.strip()}, "gcloud (application default credentials)", key="token")

    def _by_program(self, *, renew: bool) -> Token | None:
        option = ("--force-auth-refresh",) if renew else ()
        said = self.ask_program("gcloud", "config", "config-helper", "--format=json(credential)", *option, more=_QUIET)
        if said is None:
            return None
        if said.status != 0:
            raise self._failed("gcloud", said.stderr, _LOGIN)
        credential = json_object(said.stdout).get("credential")
        token = read_token(
            credential if isinstance(credential, dict) else {}, "gcloud", key="access_token", ends=("token_expiry",)
        )
        if token is None:
            raise Failed("gcloud gave no token", "run `gcloud auth print-access-token` by hand")
        return token

    def _failed(self, who: str, said: str, remedy: str) -> Failed:
        if _ENDED.search(said):
            return Failed(f"the login of {who} has expired", remedy)
        if _NOBODY.search(said):
            return Failed(f"{who}: nobody is logged in", remedy)
        return Failed(f"{who} gave no token: {self.one_line(said)}", remedy)


_QUIET = {"CLOUDSDK_CORE_DISABLE_PROMPTS": "1"}
