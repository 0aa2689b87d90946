"""Starts the embedded mode: checks the port, prepares databases and files, then becomes gunicorn.

Production does not use it: there systemd starts gunicorn, with the same deploy/gunicorn.conf.py.
"""

import os
import signal
import sys

# ruff: noqa: E402 - the handler comes before the slow imports
# Until gunicorn installs its handlers, Ctrl-C exits at once, without a traceback or an error of make.
signal.signal(signal.SIGINT, lambda *_: os._exit(0))

import errno
import runpy
import socket

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from ibanse import catalogues
from ibanse.config import env
from privacy import vault

# Not those of libraries, which may drop old migrations.
APPS = {"accounts", "apikeys", "guard", "privacy", "validation", "vault"}
UNUSABLE = {
    errno.EADDRINUSE: "is taken by another program",
    errno.EACCES: "is reserved for the administrator",
}


def start() -> None:
    """Become the server, or exit with one line about the port, a setting or the database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ibanse.settings")
    try:
        if env.text("IBANSE_MODE", "embedded") == "production":
            sys.exit("This starts the embedded mode. For production run: gunicorn -c deploy/gunicorn.conf.py")
        refuse_unusable(env.number("PORT", 8000, least=1, most=65535))
        catalogues.compile_changed()
        django.setup()
        refuse_foreign_databases()
        for database in settings.DATABASES:
            call_command("migrate", database=database, verbosity=0)
        call_command("sync_staff_groups", verbosity=0)
        if objections := vault.objections():
            sys.exit("\n".join(objections))
        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("describe_data", verbosity=0)
        if env.flag("IBANSE_DEMO", default=True):
            sys.stdout.write("A demo client (IBANSE_DEMO=0 omits it):\n")
            call_command("create_demo")
    except (ImproperlyConfigured, OperationalError) as reason:
        sys.exit(str(reason))
    master_keys = settings.DATA_DIR / "master_keys"
    if env.SECRET_FILES.get(master_keys):
        sys.stdout.write(
            f"Created {master_keys}. Nothing encrypted can be read without it: keep a copy, apart from the data.\n"
        )
        sys.stdout.flush()
    # The worker is a fork: it must not inherit an open connection, or a pool whose threads do not survive the fork.
    for connection in connections.all():
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
    sys.argv = ["gunicorn", "-c", "deploy/gunicorn.conf.py"]
    runpy.run_module("gunicorn", run_name="__main__", alter_sys=True)


def refuse_foreign_databases() -> None:
    """Exit with one line when a database was made by another version: its tables cannot become those of this one."""
    known = MigrationLoader(None).disk_migrations.keys()
    for connection in connections.all():
        applied = MigrationRecorder(connection).applied_migrations().keys()
        if any(app in APPS and (app, name) not in known for app, name in applied):
            sys.exit(
                f"The data in {settings.DATA_DIR} was made by another version of ibanse, which this one cannot read. "
                "Move that folder away, or remove it, and start again."
            )


def refuse_unusable(port: int) -> None:
    """Exit with one line when `port` is not available, before anything is changed."""
    # A browser may try localhost on IPv6 first, where another program would respond in our place.
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError as error:
            if reason := UNUSABLE.get(error.errno or 0):
                sys.exit(f"Port {port} {reason}. Choose another one, such as: PORT=8123 make run")
            # Other errors do not matter: a machine without IPv6 fails here and serves well.


if __name__ == "__main__":
    start()
