from pathlib import Path

import pytest

from cove.errors import ConfigurationError
from cove.http.tls import is_insecure, read_certificates, read_identity
from cove.model.url import Url

CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "url, entry, expected",
    [
        ("https://example.com/", "*", True),
        ("https://example.com/", "example.com", True),
        ("https://EXAMPLE.com/", "Example.COM", True),
        ("https://example.com:8443/", "example.com", True),
        ("https://example.com:8443/", "example.com:8443", True),
        ("https://example.com/", "example.com:443", True),
        ("https://example.com/", "example.com:8443", False),
        ("https://example.com/", "https://example.com", True),
        ("https://example.com/", "https://example.com/", True),
        ("https://example.com/", "http://example.com", False),
        ("https://sub.example.com/", "example.com", False),
        ("https://example.com.evil.example/", "example.com", False),
        ("https://[::1]:8443/", "[::1]:8443", True),
    ],
)
def test_insecure_hosts(url: str, entry: str, expected: bool) -> None:
    assert is_insecure(Url.parse(url), (entry,)) is expected


def test_files_and_folders_of_certificates_are_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(CERTIFICATE)
    folder = tmp_path / "certs"
    folder.mkdir()
    (folder / "a1b2c3d4.0").write_bytes(CERTIFICATE * 2)
    (folder / "README").write_text("not a certificate")
    assert read_certificates(str(tmp_path / "ca.pem"), str(folder)) == [CERTIFICATE, CERTIFICATE * 2]
    assert read_certificates("", "") == []
    assert read_identity("") is None
    assert read_identity(str(tmp_path / "ca.pem")) == CERTIFICATE


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    (tmp_path / "empty").touch()
    with pytest.raises(ConfigurationError, match="no certificate"):
        read_certificates(str(tmp_path / "empty"), "")
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
        read_certificates(missing, "")
    with pytest.raises(ConfigurationError, match="SSL_CERT_DIR"):
        read_certificates("", missing)
    with pytest.raises(ConfigurationError, match="SSL_CLIENT_CERT"):
        read_identity(missing)
