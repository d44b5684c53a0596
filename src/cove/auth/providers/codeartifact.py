"""Tokens for AWS CodeArtifact, from whatever is logged in to AWS."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from cove.auth.endpoints import json_object
from cove.auth.native import Failed, Native, Token, Way, read_token
from cove.errors import CoveError
from cove.formats.aws_signature import signed_headers
from cove.http.messages import Request
from cove.model.index import Index
from cove.model.url import Url
from cove.registries.codeartifact import Domain, domain_of

_WHO = (
    "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ENDPOINT_URL_CODEARTIFACT", "AWS_ENDPOINT_URL",
)  # fmt: skip
_ENDED = re.compile(r"ExpiredToken|RequestExpired|security token .*expired", re.IGNORECASE)
_SSO = re.compile(r"\bsso\b|SSOToken|TokenRetrieval|\btoken has expired and refresh failed", re.IGNORECASE)
_NOBODY = re.compile(r"Unable to locate credentials|NoCredentials", re.IGNORECASE)
_FORBIDDEN = re.compile(r"AccessDenied|not authorized to perform", re.IGNORECASE)
_NO_PROFILE = re.compile(r"ProfileNotFound|config profile .* could not be found", re.IGNORECASE)
_UNKNOWN_KEY = re.compile(r"UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch")


class CodeArtifact(Native):
    """``GetAuthorizationToken``: through botocore, else the ``aws`` program, else signed with the keys in the environment.

    All of them look for credentials as AWS does everywhere: variables, profile, single sign-on, role, the machine's own. The
    token lives as long as AWS says: twelve hours, or as long as the role that was assumed.
    """

    name = "codeartifact"
    username = "aws"

    def recognises(self, url: Url) -> bool:
        """``<domain>-<account>.d.codeartifact.<region>.amazonaws.com``, and its forms in China and for IPv6."""
        return domain_of(url) is not None

    def account(self, index: Index | None, url: Url) -> str:
        """The domain, the index's own profile, and a fingerprint of the variables and files that say who asks."""
        domain = self._domain(url)
        files = (self.at.at_home(".aws/config"), self.at.at_home(".aws/credentials"))
        own = index.aws_profile if index is not None else ""
        return f"{domain.name} {domain.owner} {domain.region} {own} {self.at.fingerprint(_WHO, files)}"

    def ways(self, index: Index | None, url: Url, *, renew: bool) -> Iterator[Way]:  # noqa: ARG002 - a new one each time
        """In the order of how much they know. The keys in the environment are not those of an index's own profile."""
        domain, own = self._domain(url), index.aws_profile if index is not None else ""
        yield lambda: self._by_botocore(domain, own)
        yield lambda: self._by_program(domain, own)
        if not own:
            yield lambda: self._by_ourselves(domain, url)

    def _domain(self, url: Url) -> Domain:
        domain = domain_of(url)
        assert domain is not None, "covers() was asked"
        return domain

    def _by_botocore(self, domain: Domain, own: str) -> Token | None:
        answer = self.ask_library(
            "botocore", "aws", domain.name, domain.owner, domain.region, own, more=self._without_waiting()
        )
        if answer is None or "nothing" in answer:
            return None
        if "error" in answer:
            raise self._failed("botocore", f"{answer.get('kind')}: {answer['error']}", domain, own)
        return read_token(answer, self._label("botocore", own), key="token", ends=("expires",))

    def _by_program(self, domain: Domain, own: str) -> Token | None:
        said = self.ask_program(
            "aws", "codeartifact", "get-authorization-token", "--domain", domain.name,
            "--domain-owner", domain.owner, "--region", domain.region, "--output", "json",
            *(("--profile", own) if own else ()), more=self._without_waiting(),
        )  # fmt: skip
        if said is None:
            return None
        if said.status != 0:
            raise self._failed("aws", said.stderr, domain, own)
        token = read_token(
            json_object(said.stdout), self._label("aws CLI", own), key="authorizationToken", ends=("expiration",)
        )
        if token is None:
            raise Failed("aws gave no token", "run `aws codeartifact get-authorization-token` by hand")
        return token

    def _by_ourselves(self, domain: Domain, url: Url) -> Token | None:
        environ, at = self.at.environ, datetime.now(UTC)
        key_id, key = environ.get("AWS_ACCESS_KEY_ID", ""), environ.get("AWS_SECRET_ACCESS_KEY", "")
        if not key_id or not key or self.at.client is None:
            return None
        suffix = "amazonaws.com.cn" if url.host.endswith(".cn") else "amazonaws.com"
        base = environ.get("AWS_ENDPOINT_URL_CODEARTIFACT") or f"https://codeartifact.{domain.region}.{suffix}"
        try:
            service = Url.parse(
                f"{base.rstrip('/')}/v1/authorization-token?domain={domain.name}&domain-owner={domain.owner}"
            )
            headers = {"Content-Length": "0"} | signed_headers(
                "POST", service, service="codeartifact", region=domain.region, key_id=key_id, key=key,
                session=environ.get("AWS_SESSION_TOKEN", ""), at=at,
            )  # fmt: skip
            response = self.at.client().send(Request("POST", service, headers, body=b"", most=1 << 16))
            values = json_object(response.body.read())
        except (CoveError, ValueError) as error:
            raise Failed(f"the token service of AWS cannot be asked: {error}") from error
        if response.status != 200:
            kind = response.headers.get("x-amzn-errortype", str(response.status)).partition(":")[0]
            raise self._failed("the token service of AWS", f"{kind}: {values.get('message', '')}", domain)
        return read_token(values, "$AWS_ACCESS_KEY_ID", key="authorizationToken", ends=("expiration",))

    def _label(self, what: str, own: str) -> str:
        profile = own or self._profile()
        return f"{what} (profile {profile})" if profile else what

    def _profile(self) -> str:
        return self.at.environ.get("AWS_PROFILE") or self.at.environ.get("AWS_DEFAULT_PROFILE") or ""

    def _without_waiting(self) -> dict[str, str]:
        """Variables that keep AWS's own tools from waiting for a machine's credentials where there are none."""
        at = self.at
        known = at.is_set("AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_EXECUTION_ENV")
        vendors = f"{at.hardware_says('sys_vendor')} {at.hardware_says('bios_vendor')}"
        may_be_ec2 = known or not at.hardware.is_dir() or "amazon" in vendors.lower()
        return {} if may_be_ec2 else {"AWS_EC2_METADATA_DISABLED": "true"}

    def _failed(self, who: str, said: str, domain: Domain, own: str = "") -> Failed:
        """What one of AWS's tools said, in a line; and the command that mends it."""
        profile = own or self._profile()
        option, of_profile = (f" --profile {profile}", f" of profile {profile}") if profile else ("", "")
        if _NO_PROFILE.search(said):
            return Failed(f"there is no AWS profile {profile}", "`aws configure list-profiles` lists them")
        # Before single sign-on, of whose roles the names may speak.
        if _FORBIDDEN.search(said):
            return Failed(
                f"AWS gives this account no token for the domain {domain.name} of {domain.owner} in {domain.region}",
                "it needs codeartifact:GetAuthorizationToken and sts:GetServiceBearerToken; "
                f"`aws sts get-caller-identity{option}` says who it is",
            )
        if _SSO.search(said):
            return Failed(f"the AWS single sign-on session{of_profile} has ended", f"run `aws sso login{option}`")
        if _ENDED.search(said):
            from_variables = self.at.is_set("AWS_SESSION_TOKEN") and not own
            mend = (
                "get new keys for AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN"
                if from_variables
                else f"run `aws sso login{option}`"
            )
            return Failed(f"the AWS credentials{of_profile} have expired", mend)
        if _NOBODY.search(said):
            return Failed("aws is not logged in", f"run `aws sso login{option}` or `aws configure`")
        if _UNKNOWN_KEY.search(said):
            return Failed(
                f"AWS does not accept the keys{of_profile}", "check AWS_ACCESS_KEY_ID, or `aws configure list`"
            )
        return Failed(f"{who} gave no token: {self.one_line(said)}", f"try `aws sts get-caller-identity{option}`")
