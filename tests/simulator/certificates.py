"""A certificate authority for one test, made by the `openssl` program."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path

_DAYS = "3650"  # a moved clock may be years ahead
_CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = a simulated Identity Center
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


def available() -> bool:
    """True where certificates can be made."""
    return shutil.which("openssl") is not None


def make(folder: Path, hosts: Sequence[str]) -> tuple[Path, ssl.SSLContext]:
    """The authority's certificate, to be trusted, and what a server needs to be each of these hosts."""
    config = folder / "openssl.cnf"
    config.write_text(_CONFIG.format(names=", ".join(f"DNS:{host}" for host in hosts)))
    for who in ("ca", "server"):
        _openssl(folder, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{who}.key")
    request = ("req", "-new", "-config", config.name, "-sha256")
    _openssl(folder, *request, "-x509", "-days", _DAYS, "-extensions", "authority", "-key", "ca.key", "-out", "ca.pem")
    # The two must not bear the same name: a certificate that is its own issuer is taken for self-signed.
    _openssl(folder, *request, "-subj", f"/CN={hosts[0]}", "-key", "server.key", "-out", "server.csr")
    sign = ("x509", "-req", "-sha256", "-days", _DAYS, "-extfile", config.name, "-extensions", "server")
    signer = ("-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "2")
    _openssl(folder, *sign, *signer, "-in", "server.csr", "-out", "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return folder / "ca.pem", context


def _openssl(folder: Path, *arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]} failed:\n{done.stderr}")
