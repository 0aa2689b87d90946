"""Requests pages from gunicorn's socket, each on its own connection, until SIGTERM; then writes the counts.

Runs alone inside the Debian of tests/deploy/test_install.py: standard library only.
"""

import collections
import http.client
import json
import os
import signal
import socket
import time
from pathlib import Path

SOCKET = "/run/ibanse/gunicorn.sock"
HEADERS = {"Host": "ibanse.example", "X-Forwarded-Proto": "https", "X-Real-IP": "192.0.2.7", "Connection": "close"}


class SocketConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def connect(self) -> None:
        """Connect to gunicorn."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(SOCKET)


def main() -> None:
    """Write /root/load.pid at the start and /root/load.seen at the end."""
    seen: collections.Counter[str] = collections.Counter()
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    Path("/root/load.pid").write_text(str(os.getpid()), encoding="ascii")
    while not stopped:
        try:
            connection = SocketConnection("gunicorn")
            connection.request("GET", "/", headers=HEADERS)
            response = connection.getresponse()
            response.read()
            connection.close()
            seen[str(response.status)] += 1
        except OSError as error:
            seen[repr(error)] += 1
        time.sleep(0.03)  # Leaves the upgrade enough CPU time.
    Path("/root/load.seen").write_text(json.dumps(seen), encoding="ascii")


if __name__ == "__main__":
    main()
