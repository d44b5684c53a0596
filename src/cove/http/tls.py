"""Whom TLS trusts: certificate files, client certificates, hosts whose certificates are not checked."""

from collections.abc import Sequence
from pathlib import Path

from cove.errors import ConfigurationError
from cove.model.url import Url

_BEGIN = b"-----BEGIN CERTIFICATE-----"


def read_certificates(cert_file: str, cert_dir: str, *, setting: str = "$SSL_CERT_FILE") -> list[bytes]:
    """The PEM bundles to trust beside the system's: that file, and every ``*.pem``, ``*.crt`` and hashed file in that folder.

    Empty arguments mean none. Raises ``ConfigurationError`` when something named cannot be read; ``setting`` is what named
    the file.
    """
    bundles = [_read(Path(cert_file), setting)] if cert_file else []
    if bundles and _BEGIN not in bundles[0]:
        raise ConfigurationError(f"`{cert_file}`, named by {setting}, holds no certificate in PEM form")
    for folder in filter(None, cert_dir.split(_separator(cert_dir))):
        try:
            files = sorted(path for path in Path(folder).iterdir() if path.is_file())
        except OSError as error:
            raise _unusable("$SSL_CERT_DIR", folder, error) from error
        contents = [_read(path, "$SSL_CERT_DIR") for path in files]
        bundles.extend(content for content in contents if _BEGIN in content)
    return bundles


def read_identity(client_cert: str, *, setting: str = "$SSL_CLIENT_CERT") -> bytes | None:
    """The PEM file with client certificate and key, or ``None`` for an empty argument."""
    return _read(Path(client_cert), setting) if client_cert else None


def is_insecure(url: Url, hosts: Sequence[str]) -> bool:
    """Whether an entry (``host``, ``host:port``, either with a scheme before it, or ``*``) covers ``url``."""
    scheme, host, port = url.realm
    for entry in hosts:
        wanted_scheme, separator, rest = entry.rpartition("://")
        rest = rest.removesuffix("/").lower()
        if separator and wanted_scheme.lower() != scheme:
            continue
        if rest in ("*", host, f"[{host}]", f"{host}:{port}", f"[{host}]:{port}"):
            return True
    return False


def _separator(folders: str) -> str:
    """OpenSSL's list separator; a drive letter's colon is not one."""
    return ";" if ";" in folders or folders[1:3] == ":\\" else ":"


def _read(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unusable(setting, str(path), error) from error


def _unusable(setting: str, path: str, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"`{path}`, named by {setting}, cannot be read: {error.strerror}", hints=(f"correct or unset {setting}",)
    )
