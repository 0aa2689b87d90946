"""Drives a server: as hard as it can take (wrk), or with single calls at a fixed rate."""

import json
import math
import select
import shutil
import socket
import subprocess
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import quantiles

CONNECTIONS = 16
_SCRIPT = Path(__file__).with_name("load.lua")


class LoadError(Exception):
    """The server did not respond as it must; the message says how."""


@dataclass(frozen=True)
class LoadResult:
    """What the callers saw: times in milliseconds; `refused` answers were above 399, `broken` calls had none."""

    requests: int
    seconds: float
    refused: int
    broken: int
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Return the requests per second."""
        return self.requests / self.seconds


def post(path: str, body: bytes, headers: Sequence[str]) -> bytes:
    """Return a request as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", *headers, "Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def saturate(port: int, requests: Path, seconds: float) -> LoadResult:
    """Send the requests of a file (a zero byte ends each) as fast as 16 keep-alive connections get their responses."""
    if shutil.which("wrk") is None:
        raise LoadError("wrk is missing")
    command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{math.ceil(seconds)}s"]
    command += ["--timeout", "10s", "--script", str(_SCRIPT), f"http://127.0.0.1:{port}", "--", str(requests)]
    response = subprocess.run(command, capture_output=True, text=True, check=False)
    if response.returncode:
        raise LoadError(f"wrk failed: {response.stderr or response.stdout}")
    return LoadResult(**json.loads(response.stdout.strip().splitlines()[-1]))


def pace(port: int, requests: Sequence[bytes], rate: float, seconds: float) -> LoadResult:
    """Send single calls at random moments, on average `rate` in a second, whether or not the earlier have returned.

    wrk sends its next call only after an answer and so never sees who would have had to wait. Here a call's time
    begins when it was due; with all 16 connections busy it waits for one.
    """
    random = Random(20_261_123)
    idle = deque(_connect(port) for _ in range(CONNECTIONS))
    busy: dict[socket.socket, tuple[float, bytes]] = {}
    times: list[float] = []
    refused = sent = 0
    due = began = time.perf_counter()
    try:
        while busy or due < began + seconds:
            now = time.perf_counter()
            if due < began + seconds and idle and due <= now:
                connection = idle.popleft()
                connection.sendall(requests[sent % len(requests)])
                busy[connection] = (due, b"")
                sent += 1
                due += random.expovariate(rate)
                continue
            # Of the kernel's ways to wait, select alone takes fractions of a millisecond.
            patience = max(0.0, due - now) if idle and due < began + seconds else 10.0
            readable, _, _ = select.select(list(busy), [], [], patience)
            if not readable and patience == 10.0:
                raise LoadError("No answer within ten seconds.")
            for connection in readable:
                was_due, response = busy[connection]
                received = connection.recv(65_536)
                if not received:
                    raise LoadError("The server closed a keep-alive connection.")
                if _is_complete(response + received):
                    times.append((time.perf_counter() - was_due) * 1000)
                    refused += not (response + received).startswith(b"HTTP/1.1 2")
                    del busy[connection]
                    idle.append(connection)
                else:
                    busy[connection] = (was_due, response + received)
    finally:
        for connection in [*idle, *busy]:
            connection.close()
    hundredths = quantiles(times, n=100)
    return LoadResult(len(times), time.perf_counter() - began, refused, 0, hundredths[49], hundredths[98])


def ask(port: int, request: bytes) -> bytes:
    """Return the whole answer to one request; raise LoadError when it is none of a server that keeps connections."""
    with _connect(port) as connection:
        connection.settimeout(10)
        connection.sendall(request)
        response = b""
        while not _is_complete(response):
            received = connection.recv(65_536)
            if not received:
                raise LoadError(f"The connection was closed after {response!r}")
            response += received
    if b"\r\nconnection: close" in response.partition(b"\r\n\r\n")[0].lower():
        raise LoadError("The server does not keep connections.")
    return response


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _is_complete(response: bytes) -> bool:
    head, end, body = response.partition(b"\r\n\r\n")
    if not end:
        return False
    headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    if b"content-length" in headers:
        return len(body) >= int(headers[b"content-length"])
    return body.endswith(b"0\r\n\r\n")  # In chunks, as Django answers without its CommonMiddleware.
