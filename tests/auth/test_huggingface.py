import pytest

from cove.auth.chain import CredentialChain
from cove.auth.providers import ProviderOptions, make_providers
from cove.model.index import Index
from cove.model.url import Url

TOKEN = {"HF_TOKEN": "hf_x"}


@pytest.mark.parametrize(
    "url, environ, is_sent",
    [
        ("https://huggingface.co/team/simple/", TOKEN, True),
        ("https://huggingface.co:443/team/simple/", TOKEN, True),
        ("https://huggingface.co/team/simple/", {"HF_TOKEN": ""}, False),
        ("https://huggingface.co/team/simple/", {**TOKEN, "UV_NO_HF_TOKEN": "1"}, False),
        ("https://ada@huggingface.co/team/simple/", TOKEN, False),
        ("http://huggingface.co/team/simple/", TOKEN, False),
        ("https://huggingface.co:8443/team/simple/", TOKEN, False),
        ("https://cdn.huggingface.co/team/simple/", TOKEN, False),
        ("https://huggingface.co.example.com/team/simple/", TOKEN, False),
        ("https://example.com/huggingface.co/simple/", TOKEN, False),
    ],
)
def test_the_token_is_for_one_realm(url: str, environ: dict[str, str], is_sent: bool) -> None:
    index = Index(Url.parse(url), name="hub")
    chain = CredentialChain([index], make_providers(ProviderOptions([index], environ)))
    for found in (chain.for_index(index), chain.for_url(Url(f"{index.url.public}x.whl")), chain.for_host(index.url)):
        assert (found is not None) is is_sent
        if found is not None:
            assert (found.scheme, found.password.reveal(), str(found.origin)) == ("bearer", "hf_x", "$HF_TOKEN")
