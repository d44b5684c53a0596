"""Package URLs, and what of a digest has a name in CycloneDX."""

import json
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.formats.cyclonedx import Component, dump, purl
from cove.model.index import DEFAULT_INDEX_URL


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_url_in_a_package_url_can_be_read_again(version: str, rest: str) -> None:
    url = f"https://git.example.org/{rest}"
    made = purl("demo", version, repository=url)
    head, _, qualifiers = made.partition("?")
    assert head.startswith("pkg:pypi/demo@")
    assert not set(head[len("pkg:pypi/demo@") :]) & set("@?#&= ")
    key, _, value = qualifiers.partition("=")
    assert (key, unquote(value), "&" in value) == ("vcs_url", url, False)


def test_the_default_index_is_not_told() -> None:
    assert purl("demo", "1.0", index=DEFAULT_INDEX_URL) == "pkg:pypi/demo@1.0"
    alike = DEFAULT_INDEX_URL.replace("/simple", ".example.com/simple/")
    elsewhere = purl("demo", "1.0+local", index=alike)
    assert elsewhere == f"pkg:pypi/demo@1.0%2Blocal?repository_url={alike}"


@pytest.mark.parametrize(
    "digest, told",
    [
        ("sha256:ab", [{"alg": "SHA-256", "content": "ab"}]),
        ("md5:ab", [{"alg": "MD5", "content": "ab"}]),
        (f"blake2b:{'a' * 128}", [{"alg": "BLAKE2b-512", "content": "a" * 128}]),
        ("sha1024:ab", None),
    ],
)
def test_digests(digest: str, told: object) -> None:
    component = Component("x-1", "x", files=[("https://example.org/x.whl", digest)])
    document = json.loads(dump(component, [], [("x-1", ["b", "a", "b"]), ("y", ())], tool=("t", "1")))
    (file,) = document["metadata"]["component"]["externalReferences"]
    assert file.get("hashes") == told
    assert document["dependencies"] == [{"ref": "x-1", "dependsOn": ["a", "b"]}, {"ref": "y"}]
