"""One contract for every registry; what a single one adds stands in the tables."""

import pytest

from cove.model.index import DEFAULT_INDEX_URL, DEFAULT_PUBLISH_URL
from cove.model.url import Url
from cove.registries import REGISTRIES, Registry, recognise

AZURE = "https://pkgs.dev.azure.com/org/project/_packaging/feed/pypi/"
CODEARTIFACT = "https://my-domain-123456789012.d.codeartifact.eu-west-1.amazonaws.com/pypi/repo/"
GITLAB = "https://git.example.com/api/v4/"

KNOWN = [
    (DEFAULT_INDEX_URL, "pypi", DEFAULT_PUBLISH_URL),
    (AZURE + "simple/", "azure", AZURE + "upload/"),
    ("https://org.pkgs.visualstudio.com/_packaging/feed/pypi/simple", "azure",
     "https://org.pkgs.visualstudio.com/_packaging/feed/pypi/upload/"),
    ("https://europe-python.pkg.dev/project/repo", "google", "https://europe-python.pkg.dev/project/repo/"),
    ("https://europe-python.pkg.dev/project/repo/simple/", "google", "https://europe-python.pkg.dev/project/repo/"),
    (CODEARTIFACT + "simple/", "codeartifact", CODEARTIFACT),
    ("https://org.jfrog.io/artifactory/api/pypi/repo/simple", "artifactory", "https://org.jfrog.io/artifactory/api/pypi/repo"),
    (GITLAB + "projects/7/packages/pypi/simple", "gitlab", GITLAB + "projects/7/packages/pypi"),
    (GITLAB + "groups/7/-/packages/pypi/simple", "gitlab", None),
    ("https://example.com:8443/repository/repo/simple/", "nexus", "https://example.com:8443/repository/repo/"),
    ("http://127.0.0.1:3141/root/dev/+simple/", "devpi", "http://127.0.0.1:3141/root/dev/"),
    ("https://download.pytorch.org/whl/cpu", "pytorch", None),
    ("https://example.com/simple/", "generic", None),
    ("https://evil-pkgs.dev.azure.com.example.com/simple/", "generic", None),
    ("https://notdownload.pytorch.org/whl", "generic", None),
    ("file:///srv/simple", "generic", None),
]  # fmt: skip


@pytest.mark.parametrize("url, name, publish_url", KNOWN)
def test_an_index_is_recognised_and_its_upload_address_derived(url: str, name: str, publish_url: str | None) -> None:
    index_url = Url.parse(url.replace("://", "://user:secret@", 1)) if not url.startswith("file") else Url.parse(url)
    registry = recognise(index_url)
    derived = registry.publish_url(index_url)
    assert registry.name == name
    assert derived == (None if publish_url is None else Url.parse(publish_url))


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.name)
class TestEveryRegistry:
    def test_has_a_name_a_title_and_an_example(self, registry: Registry) -> None:
        assert registry.name.isascii()
        assert registry.name.islower()
        assert registry.title
        assert registry.name in {name for _, name, _ in KNOWN}

    def test_answers_for_any_url(self, registry: Registry) -> None:
        for url, _, _ in KNOWN:
            parsed = Url.parse(url)
            assert isinstance(registry.recognise(parsed), bool)
            derived = registry.publish_url(parsed)
            assert derived is None or derived.username is None

    def test_success_is_never_a_duplicate_and_words_are_lower_case(self, registry: Registry) -> None:
        for status, words in registry.duplicates:
            assert status >= 400
            assert words == words.lower()
            assert registry.says_already_there(status, f"Sorry: {words.upper()}!")
        assert not registry.says_already_there(200, "already exists")
        assert not registry.says_already_there(500, "already exists")

    def test_a_refusal_that_wants_credentials_is_never_absence(self, registry: Registry) -> None:
        assert not registry.absent_statuses & {401, 407, 429, 500, 502, 503, 504}

    def test_login_help_comes_with_refusals_only(self, registry: Registry) -> None:
        assert set(registry.login) <= set(registry.hints(401))
        assert not set(registry.login) & set(registry.hints(500))


def test_names_are_unique_and_the_generic_one_is_last() -> None:
    names = [registry.name for registry in REGISTRIES]
    assert len(set(names)) == len(names)
    assert names[-1] == "generic"


@pytest.mark.parametrize(
    "url, status, text",
    [
        (AZURE + "simple/", 409, "The feed 'Feed' already contains file 'a.whl' in package 'a 1'."),
        ("https://europe-python.pkg.dev/p/r/simple/", 400, "Requested entity already exists.\n"),
        (GITLAB + "projects/7/packages/pypi/simple", 400, "Validation failed: File name has already been taken"),
        ("https://org.jfrog.io/artifactory/api/pypi/r/simple", 403, "Not enough permissions to overwrite artifact 'x'"),
        ("https://example.com/repository/r/simple", 400, "r/packages/a/1/a-1.zip cannot be updated"),
        (DEFAULT_INDEX_URL, 400, "File already exists ('a-1.zip', with blake2_256 hash 'aa')"),
    ],
)
def test_duplicates_as_they_were_seen(url: str, status: int, text: str) -> None:
    assert recognise(Url.parse(url)).says_already_there(status, text)
