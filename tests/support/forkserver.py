"""Runs functions in the processes of a site, each in a fork of one that is ready, as if in a new process.

Starting Python and Django takes a second, a fork almost nothing. Calls from several threads run side by side.
"""

import atexit
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NoReturn

from tests.support import services

LONGEST_SECONDS: Final = 60


class ForkServer:
    """The client's end: a process with settings of its own that has set up Django and waits."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        # In the abstract namespace: no file to remove. It takes connections before the process is ready for them.
        self._name = f"\0ibanse-tests-{uuid.uuid4()}"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self._name)
            listener.listen(64)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.forkserver", str(listener.fileno())],
                cwd=services.ROOT, env=environment, stdin=subprocess.PIPE, pass_fds=[listener.fileno()],
            )  # fmt: skip

    def run(self, function: str, positional: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """Run a function, called `module:name`, with JSON arguments; return its value, as JSON gives it back.

        Raises CalledProcessError, with what it printed in its notes, when it raised something or was killed.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self._name)
            with connection.makefile("rw", encoding="utf-8") as stream:
                stream.write(json.dumps({"function": function, "positional": positional, "named": named}) + "\n")
                stream.flush()
                line = stream.readline()
        response = json.loads(line or '{"status": 1, "output": "the fork server has ended"}')
        if response["status"]:
            error = subprocess.CalledProcessError(response["status"], function, response["output"])
            error.add_note(response["output"])
            raise error
        return response["value"]

    def stop(self) -> None:
        """End it; what it has begun ends by itself."""
        self._process.communicate(timeout=20)


def serve(listener: socket.socket) -> None:
    """Respond to each connection in a fork, until standard input ends."""
    import django  # Only the server needs it, and with its own settings.

    django.setup()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # The forks that respond are not waited for.
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            respond(connection)
        connection.close()


def respond(connection: socket.socket) -> NoReturn:
    """Run what is requested in one more fork, since it may be killed, and send what came of it."""
    with suppress(BrokenPipeError), connection.makefile("rw", encoding="utf-8") as stream:
        request = json.loads(stream.readline())
        value = os.memfd_create("value")
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(readable)
            run(request, writable, value)
        os.close(writable)
        with os.fdopen(readable, errors="replace") as pipe:
            output = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.lseek(value, 0, os.SEEK_SET)
        with os.fdopen(value) as file:
            returned = json.loads(file.read() or "null")
        stream.write(json.dumps({"status": status, "output": output, "value": returned}) + "\n")
    os._exit(0)


def run(request: Mapping[str, Any], output: int, value: int) -> NoReturn:
    """Run a function in this process, with what it prints going to one file and its value to another."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    signal.alarm(LONGEST_SECONDS)  # A function that hangs ends here, and its test with it.
    status = 0
    try:
        module, name = request["function"].split(":")
        function = getattr(importlib.import_module(module), name)
        os.write(value, json.dumps(function(*request["positional"], **request["named"])).encode())
    except BaseException:  # noqa: BLE001 - reported like that of a process
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


_servers: dict[tuple[tuple[str, str], ...], ForkServer] = {}
_servers_lock = threading.Lock()
_MOST_SERVERS: Final = 4


def for_environment(environment: Mapping[str, str]) -> ForkServer:
    """Return a server with these settings, from those that run or a new one; the oldest of too many ends."""
    settings = tuple(sorted(environment.items()))
    with _servers_lock:
        if settings not in _servers:
            if len(_servers) == _MOST_SERVERS:
                _servers.pop(next(iter(_servers))).stop()
            _servers[settings] = ForkServer(environment)
        return _servers[settings]


@atexit.register
def stop_all() -> None:
    """End all servers with the process of the tests."""
    while _servers:
        _servers.popitem()[1].stop()


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
