import pytest

from cove.errors import IndexUnreachable, TruncatedDownload
from cove.http.failures import CertificateRefused, broken_off, unreachable


@pytest.mark.parametrize(
    "detail, message",
    [
        ("Connection refused (os error 111)", "corp cannot be reached: the connection was refused"),
        (
            "failed to lookup address information: unknown",
            "corp cannot be reached: the host name is not known",
        ),
        ("operation timed out", "corp cannot be reached: it did not answer in time"),
        ("something new", "corp cannot be reached: something new"),
    ],
)
def test_causes_in_plain_words(detail: str, message: str) -> None:
    error = unreachable("corp", ("client error (Connect)", detail))
    assert type(error) is IndexUnreachable
    assert error.message == message


def test_certificates_are_a_kind_of_their_own() -> None:
    error = unreachable("corp", ("client error (Connect)", "invalid peer certificate: UnknownIssuer"))
    assert isinstance(error, CertificateRefused)
    assert "SSL_CERT_FILE" in error.hints[0]
    assert error.code == "index-unreachable"


def test_a_body_that_ends_is_not_one_that_stops() -> None:
    assert isinstance(broken_off("corp", "foo.whl", ("end of file before message length reached",)), TruncatedDownload)
    assert isinstance(broken_off("corp", "foo.whl", ("operation timed out",)), IndexUnreachable)
