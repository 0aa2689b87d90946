"""Runs the configuration of `deploy/nginx/`: with ports, folders and a certificate of the tests, all else unchanged.

Needs nginx. Callers may use 127.0.0.1, 127.0.0.2 and so on as their address: Linux has them all.
"""

import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support import services
from tests.support.production import Caller, Program, wait_until

HOST: Final = "ibanse.example"
CONFIGURATION: Final = services.ROOT / "deploy" / "nginx"
# The load of a test comes from a single address; a customer's does not.
NO_LIMIT: Final = {"rate=200r/s": "rate=100000r/s", "limit_conn connections 100": "limit_conn connections 10000"}
# Lets a test use any address: a header names it, as if there were one more proxy before nginx.
PRETENDED: Final = {"sendfile on;": "sendfile on; set_real_ip_from 127.0.0.1; real_ip_header X-Pretend;"}


class Certificate(NamedTuple):
    """Files: a certificate for HOST, the private key to it, and the authority that callers trust."""

    chain: Path
    key: Path
    authority: Path


def certificate(
    folder: Path, *, begins: timedelta = timedelta(0), lasts: timedelta = timedelta(days=90)
) -> Certificate:
    """Make an authority and a certificate of it, valid from now (or `begins` from now) on."""
    since = datetime.now(UTC) + begins - timedelta(minutes=1)
    authority_key, site_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the tests")])
    root = (
        _begun(authority, authority, authority_key, since, lasts)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    site = (
        _begun(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]), authority, site_key, since, lasts)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    made = Certificate(folder / "fullchain.pem", folder / "privkey.pem", folder / "authority.pem")
    made.authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    made.chain.write_bytes(site.public_bytes(serialization.Encoding.PEM))
    made.key.touch(mode=0o600)
    made.key.write_bytes(
        site_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, since: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


class ProxyResponse(NamedTuple):
    """The response of nginx."""

    status: int
    headers: Mapping[str, str]
    body: str


class Proxy:
    """A running nginx."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path, ports: tuple[int, int], trusted: Path) -> None:
        self.folder = folder
        self.http, self.https = ports
        self._process = process
        self._tls = ssl.create_default_context(cafile=str(trusted))
        self.authority = trusted

    def connect(self, source: str = "127.0.0.1", *, name: str = HOST) -> ssl.SSLSocket:
        """Open a TLS connection from a loopback address, to a server name."""
        plain = socket.create_connection(("127.0.0.1", self.https), timeout=20, source_address=(source, 0))
        try:
            return self._tls.wrap_socket(plain, server_hostname=name)
        except OSError:
            plain.close()
            raise

    def connection(self, source: str = "127.0.0.1") -> http.client.HTTPConnection:
        """Return a connection for requests; it connects when it needs to."""
        return _Secure(self, source)

    def caller(self, program: Program, source: str = "127.0.0.1") -> Caller:
        """Return a program's connection."""
        return Caller(self.https, program, self.connection(source))

    def asks(
        self,
        path: str,
        *,
        method: str = "GET",
        body: str | bytes = "",
        source: str = "127.0.0.1",
        encrypted: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> ProxyResponse:
        """Return the response to one request; headers of the same name are joined by commas."""
        connection = (
            self.connection(source)
            if encrypted
            else http.client.HTTPConnection("127.0.0.1", self.http, timeout=20, source_address=(source, 0))
        )
        try:
            connection.request(method, path, body or None, {"Host": HOST, **(headers or {})})
            response = connection.getresponse()
            content = response.read().decode(errors="replace")
        finally:
            connection.close()
        joined = {name.lower(): ", ".join(response.headers.get_all(name) or []) for name in response.headers}
        return ProxyResponse(response.status, joined, content)

    def written(self, log: str = "access") -> str:
        """Return a log file with everything until now: nginx writes after its response, so this waits a little."""
        path = self.folder / "logs" / f"{log}.log"
        size = -1
        while size != (size := path.stat().st_size):
            time.sleep(0.1)
        return path.read_text()

    def reload(self) -> None:
        """Let it read its configuration again and wait for the new workers."""
        before = self.workers()
        self._process.send_signal(signal.SIGHUP)
        wait_until(lambda: bool(self.workers() - before))

    def workers(self) -> set[int]:
        """Return the ids of its worker processes, also of those that are ending."""
        pid = self._process.pid
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()}


class _Secure(http.client.HTTPConnection):
    def __init__(self, proxy: Proxy, source: str) -> None:
        super().__init__(HOST, proxy.https, timeout=20)
        self._proxy_and_source = (proxy, source)

    def connect(self) -> None:
        proxy, source = self._proxy_and_source
        self.sock = proxy.connect(source)


@contextmanager
def proxy(
    folder: Path,
    upstream: Sequence[Path],
    static: Path | None = None,
    changed: Mapping[str, str] | None = None,
    *,
    lived: timedelta = timedelta(0),
) -> Iterator[Proxy]:
    """Run nginx in a new folder below `folder`, before the sockets, with pieces of its configuration `changed`.

    Its certificate is valid for 90 days, of which `lived` have passed.
    """
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        pytest.skip(services.missing("nginx"))
    root = folder / "nginx"
    shutil.copytree(CONFIGURATION, root)
    for name in ("logs", "acme", "temporary"):
        (root / name).mkdir()
    ports = services.free_port(), services.free_port()
    made = certificate(root, begins=-lived)
    _substitute(root, _replacements(root, made, ports, upstream, static or root) | dict(changed or {}))
    subprocess.run([binary, "-q", "-t", "-p", root, "-c", root / "nginx.conf"], check=True, timeout=30)
    command = [binary, "-p", str(root), "-c", str(root / "nginx.conf"), "-g", "daemon off;"]
    with services.serving(command, root, ports[1]) as process:
        yield Proxy(process, root, ports, made.authority)


def _replacements(
    root: Path, made: Certificate, ports: tuple[int, int], upstream: Sequence[Path], static: Path
) -> dict[str, str]:
    temporary = " ".join(
        f"{each}_temp_path {root}/temporary/{each};" for each in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
    )
    return {
        "@HOST@": HOST,
        "@CERTIFICATE@": str(made.chain),
        "@CERTIFICATE_KEY@": str(made.key),
        "@STATIC@": str(static),
        # Started by root its workers would become www-data, which may not open the folders of the tests.
        "user www-data;": "user root root;" if os.geteuid() == 0 else "",
        "/run/nginx.pid": f"{root}/pid",
        "/var/log/nginx": f"{root}/logs",
        "/var/www/letsencrypt": f"{root}/acme",
        "root /etc/nginx/ibanse": f"root {root}/ibanse",
        "worker_processes auto;": "worker_processes 2;",
        "server unix:/run/ibanse/gunicorn.sock;": " ".join(f"server unix:{each};" for each in upstream),
        "http {\n": f"http {{\n{temporary}\n",
        "listen 80": f"listen 127.0.0.1:{ports[0]}",
        "listen 443": f"listen 127.0.0.1:{ports[1]}",
    }


def _substitute(root: Path, replacements: Mapping[str, str]) -> None:
    """Replace each piece everywhere; one that is found nowhere fails: the test would not test the real file."""
    used = set()
    for path in [root / "nginx.conf", *(root / "ibanse").glob("*.conf")]:
        # Containers often have no IPv6.
        text = re.sub(r"listen \[::\]:.*", "", path.read_text())
        for piece, value in replacements.items():
            if piece in text:
                used.add(piece)
                text = text.replace(piece, value)
        path.write_text(text)
    assert used == set(replacements), set(replacements) - used


class FormBrowser:
    """A browser as far as signing in needs one: it stores cookies, and sends forms from their page."""

    def __init__(self, proxy: Proxy, source: str = "127.0.0.1") -> None:
        self._proxy = proxy
        self._source = source
        self.cookies: dict[str, str] = {}

    def opens(self, path: str, **headers: str) -> ProxyResponse:
        """Return the response to a GET request."""
        return self._asks(path, "GET", "", headers)

    def sends(self, path: str, fields: Mapping[str, str], **headers: str) -> ProxyResponse:
        """Return the response to a form on the page of the same path."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.opens(path).body)
        assert token is not None
        form = urlencode({"csrfmiddlewaretoken": token[1], **fields})
        page = {"Referer": f"https://{HOST}{path}", "Content-Type": "application/x-www-form-urlencoded"}
        return self._asks(path, "POST", form, page | headers)

    def _asks(self, path: str, method: str, body: str, headers: Mapping[str, str]) -> ProxyResponse:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        all_headers = {"Accept-Language": "en", "Cookie": cookie, **headers}
        response = self._proxy.asks(path, method=method, body=body, source=self._source, headers=all_headers)
        self.cookies |= dict(
            re.findall(r"(?:^|, )(csrftoken|session|language)=([^;]*)", response.headers.get("set-cookie", ""))
        )
        return response
