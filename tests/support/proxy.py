"""The configuration of `deploy/nginx/`, run for real: ports, folders and the certificate are ours, all else as it is.

Needs nginx. Callers may come from 127.0.0.1, 127.0.0.2 and so on: Linux has them all.
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
# Load comes from one address here; no customer's does.
NO_LIMIT: Final = {"rate=200r/s": "rate=100000r/s", "limit_conn connections 100": "limit_conn connections 10000"}
# Lets a test come from any address: a header says it, as if there were one more proxy before nginx.
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
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: str


class Proxy:
    """An nginx that runs."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path, ports: tuple[int, int], trusted: Path) -> None:
        self.folder = folder
        self.http, self.https = ports
        self._process = process
        self._tls = ssl.create_default_context(cafile=str(trusted))
        self.authority = trusted

    def connect(self, source: str = "127.0.0.1", *, name: str = HOST) -> ssl.SSLSocket:
        """Return a connection by TLS, from a loopback address, to a name."""
        plain = socket.create_connection(("127.0.0.1", self.https), timeout=20, source_address=(source, 0))
        try:
            return self._tls.wrap_socket(plain, server_hostname=name)
        except OSError:
            plain.close()
            raise

    def connection(self, source: str = "127.0.0.1") -> http.client.HTTPConnection:
        """Return a connection for requests; it connects by itself, again and again."""
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
        """Return the answer to one request; more headers of the same name come out joined by commas."""
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
        """Return a log file, once everything until now is in it: nginx writes after its answer."""
        time.sleep(0.1)
        return (self.folder / "logs" / f"{log}.log").read_text()

    def reload(self) -> None:
        """Let it read its configuration again and wait until new workers serve."""
        before = self.workers()
        self._process.send_signal(signal.SIGHUP)
        wait_until(lambda: bool(self.workers() - before))

    def workers(self) -> set[int]:
        """Return its worker processes, also those that are about to end."""
        pid = self._process.pid
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()}


class _Secure(http.client.HTTPConnection):
    def __init__(self, proxy: Proxy, source: str) -> None:
        super().__init__(HOST, proxy.https, timeout=20)
        self._place = (proxy, source)

    def connect(self) -> None:
        proxy, source = self._place
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

    Its certificate is of 90 days, of which so many it has `lived` already.
    """
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        pytest.skip(services.missing("nginx"))
    place = folder / "nginx"
    shutil.copytree(CONFIGURATION, place)
    for name in ("logs", "acme", "temporary"):
        (place / name).mkdir()
    ports = services.free_port(), services.free_port()
    made = certificate(place, begins=-lived)
    told = _told(place, made, ports, upstream, static or place) | dict(changed or {})
    _substitute(place, told)
    subprocess.run([binary, "-q", "-t", "-p", place, "-c", place / "nginx.conf"], check=True, timeout=30)
    command = [binary, "-p", str(place), "-c", str(place / "nginx.conf"), "-g", "daemon off;"]
    with services.serving(command, place, ports[1]) as process:
        yield Proxy(process, place, ports, made.authority)


def _told(
    place: Path, made: Certificate, ports: tuple[int, int], upstream: Sequence[Path], static: Path
) -> dict[str, str]:
    temporary = " ".join(
        f"{each}_temp_path {place}/temporary/{each};" for each in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
    )
    return {
        "@HOST@": HOST,
        "@CERTIFICATE@": str(made.chain),
        "@CERTIFICATE_KEY@": str(made.key),
        "@STATIC@": str(static),
        # Started by root its workers would become www-data, whom our folders do not let in.
        "user www-data;": "user root root;" if os.geteuid() == 0 else "",
        "/run/nginx.pid": f"{place}/pid",
        "/var/log/nginx": f"{place}/logs",
        "/var/www/letsencrypt": f"{place}/acme",
        "root /etc/nginx/ibanse": f"root {place}/ibanse",
        "worker_processes auto;": "worker_processes 2;",
        "server unix:/run/ibanse/gunicorn.sock;": " ".join(f"server unix:{each};" for each in upstream),
        "http {\n": f"http {{\n{temporary}\n",
        "listen 80": f"listen 127.0.0.1:{ports[0]}",
        "listen 443": f"listen 127.0.0.1:{ports[1]}",
    }


def _substitute(place: Path, told: Mapping[str, str]) -> None:
    """Replace each piece wherever it stands; it must stand somewhere, or the real file would not be what is tested."""
    used = set()
    for path in [place / "nginx.conf", *(place / "ibanse").glob("*.conf")]:
        # Containers often have no IPv6.
        text = re.sub(r"listen \[::\]:.*", "", path.read_text())
        for piece, value in told.items():
            if piece in text:
                used.add(piece)
                text = text.replace(piece, value)
        path.write_text(text)
    assert used == set(told), set(told) - used


class Visitor:
    """A browser as far as signing in needs one: it keeps cookies and sends forms from the page that they are on."""

    def __init__(self, proxy: Proxy, source: str = "127.0.0.1") -> None:
        self._proxy = proxy
        self._source = source
        self.cookies: dict[str, str] = {}

    def opens(self, path: str, **headers: str) -> ProxyResponse:
        """Return a page."""
        return self._asks(path, "GET", "", headers)

    def sends(self, path: str, fields: Mapping[str, str], **headers: str) -> ProxyResponse:
        """Return the answer to a form on the page of the same path."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.opens(path).body)
        assert token is not None
        form = urlencode({"csrfmiddlewaretoken": token[1], **fields})
        page = {"Referer": f"https://{HOST}{path}", "Content-Type": "application/x-www-form-urlencoded"}
        return self._asks(path, "POST", form, page | headers)

    def _asks(self, path: str, method: str, body: str, headers: Mapping[str, str]) -> ProxyResponse:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        told = {"Accept-Language": "en", "Cookie": cookie, **headers}
        response = self._proxy.asks(path, method=method, body=body, source=self._source, headers=told)
        self.cookies |= dict(
            re.findall(r"(?:^|, )(csrftoken|session|language)=([^;]*)", response.headers.get("set-cookie", ""))
        )
        return response
