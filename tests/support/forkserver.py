"""A process of a site that stands ready: each deed it is told runs in a fork of it, as if in a process of its own.

To start Python and Django takes a second, a fork takes none. Reads deeds from standard input, one JSON line each.
"""

import atexit
import json
import os
import signal
import sys
import traceback
from typing import Any, Final

import django

django.setup()

LONGEST_SECONDS: Final = 60


def carry_out(action: str, told: dict[str, Any], response: int) -> None:
    """Run a deed in this process, which is a fork, with what it prints going to `answer`; never returns."""
    os.dup2(response, 1)
    # A deed that hangs ends here, and its test with it.
    signal.alarm(LONGEST_SECONDS)
    status = 0
    try:
        known = {"__name__": "__main__", "told": told, "json": json, "sys": sys, "django": django}
        exec(compile(action, "<action>", "exec"), known)  # noqa: S102 - the tests' own words
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - said and told like that of a process
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main() -> None:
    """Carry out each line, one after the other, until nobody writes any more."""
    for line in sys.stdin:
        told = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            carry_out(told["action"], told["told"], writing)
        os.close(writing)
        with os.fdopen(reading) as said:
            text = said.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(json.dumps({"status": status, "said": text}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
