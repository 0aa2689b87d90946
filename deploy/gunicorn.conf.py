"""Configuration of gunicorn: embedded, one process on a port; in production, several on a socket behind nginx."""

import gc
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

chdir = str(Path(__file__).resolve().parent.parent)
# gunicorn reads this file before it applies `chdir`.
sys.path.insert(0, chdir)
# There are no other settings, so nobody has to set this.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ibanse.settings")

from django.conf import settings
from django.db import DatabaseError, connections
from django.urls import get_resolver
from gunicorn.config import Config  # type: ignore[import-untyped]  # gunicorn brings no types
from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # as above

from ibanse.config import env
from ibanse.logging import handler as logging_handler
from ibanse.logging.masking import MaskingFormatter
from privacy import vault
from validation.recording import spool

EMBEDDED = env.text("IBANSE_MODE", "embedded") == "embedded"

if EMBEDDED:
    PORT = env.number("PORT", 8000, least=1, most=65535)
    bind = f"127.0.0.1:{PORT}"
    # Limits are counted in this process's memory; a second process would count separately.
    workers = 1
    # There is no proxy, so no header about the scheme is trusted.
    forwarded_allow_ips = ""
    loglevel = "warning"
    # Somebody waits at the terminal.
    graceful_timeout = 5
else:
    bind = f"unix:{env.text('IBANSE_SOCKET', '/run/ibanse/gunicorn.sock')}"
    workers = env.number("IBANSE_WORKERS", 2, least=1, most=64)
    # Longer than in nginx, so that gunicorn never closes an idle connection first.
    keepalive = 5
    # nginx does not set the path prefix, so a caller must not either.
    forwarder_headers = ""
    # Owner and group only, so that no user but nginx (in the group) can connect and claim to be the proxy.
    umask = 0o007
    loglevel = "info"

wsgi_app = "ibanse.wsgi:application"
proc_name = "ibanse"
worker_class = "gthread"
threads = env.number("IBANSE_THREADS", 8, least=1, most=256)
# Workers share what is built at import; threads and pools must therefore start after the fork.
preload_app = True
# An access log would record callers' IP addresses for no purpose, and the control socket would be another entry point.
accesslog = None
control_socket_disable = True


class MaskedLog(Logger):  # type: ignore[misc]  # as above
    """gunicorn's own log, masked, since the traceback of a failed request contains its URL.

    It goes where all logs go: encrypted to a file, or in gunicorn's format to standard error.
    """

    def setup(self, cfg: Config) -> None:
        """Set up gunicorn's handlers, also after a reload, then replace or mask them."""
        super().setup(cfg)
        if settings.LOG_KEYS:
            sealed = logging_handler.of_this_process(settings.LOG_DIR, settings.LOG_KEYS)
            self.error_log.handlers[:] = [sealed, logging_handler.Journal()]
            return
        formats = {self.error_log: (self.error_fmt, self.datefmt), self.access_log: (self.access_fmt, None)}
        for log, (line, date) in formats.items():
            for handler in log.handlers:
                handler.setFormatter(MaskingFormatter(line, date))


logger_class = MaskedLog
# The arbiter, which reads this file, serves no requests; errors that prevent a start must be readable.
logging_handler.log_openly()
# The heartbeat is a file that is updated continuously; on a busy disk its delay alone can get a worker killed.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - gunicorn opens it with mkstemp


def on_starting(server: Any) -> None:
    """Load every view before the fork, so that workers share them and a broken site never reports ready."""
    _ = get_resolver().url_patterns
    _refuse_unusable_master_keys()
    if settings.LOG_KEYS:
        try:
            logging_handler.try_out(settings.LOG_DIR)
        except OSError as error:
            sys.exit(f"IBANSE_LOG_DIR, {settings.LOG_DIR}, cannot be written to: {error.strerror}. {env.EXPLAINED_IN}")
    try:
        spool.create(settings.SPOOL_DIR).remove()
    except OSError as error:
        # Otherwise each worker would log a traceback, and gunicorn would start the next one.
        sys.exit(f"IBANSE_SPOOL_DIR, {settings.SPOOL_DIR}, cannot be written to: {error.strerror}. {env.EXPLAINED_IN}")


def _refuse_unusable_master_keys() -> None:
    """Exit with a line for each master key that is missing or wrong: nothing that it wrapped could be read."""
    try:
        objections = vault.objections()
    except DatabaseError as error:
        # Not its text, which may contain the server's name and user.
        sys.exit(f"KEYRING_DATABASE_URL: the keyring cannot be read ({type(error).__name__}). {env.EXPLAINED_IN}")
    if objections:
        sys.exit("\n".join(objections))
    # Workers are forks: none may inherit an open connection, or a pool whose threads do not survive the fork.
    keyring = connections["keyring"]
    keyring.close()
    if hasattr(keyring, "close_pool"):
        keyring.close_pool()


def post_fork(server: Any, worker: Any) -> None:
    """Encrypt also what a worker prints: gunicorn prints the exception that ends one, which may contain anything."""
    if settings.LOG_KEYS:
        logging_handler.take_over_streams()


def post_worker_init(worker: Any) -> None:
    """Start the threads; leave Ctrl-C to the arbiter, which sends SIGQUIT to its workers, and exit at once on that.

    gunicorn's handler shuts the thread pool down inside the signal handler. When the signal interrupted a thread that
    held the pool's lock, or came twice, the worker hung until it was killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, lambda *_: os._exit(0))
    from apikeys.limits import rate
    from ibanse import scheduler
    from validation.recording import writer

    # Before there are threads, two of which could create it at the same time.
    rate.shared()
    # They are threads, so they must start after the fork.
    writer.start()
    scheduler.start()
    _load_revision()


def _load_revision() -> None:
    """Read the revision before the first call: on a busy machine, calls that had to wait for it were refused."""
    from accounts.guard import revisions

    # Without the database the worker starts all the same, and refuses each call with that reason.
    with suppress(revisions.Unreadable):
        revisions.current()
    connections["default"].close()


def worker_exit(server: Any, worker: Any) -> None:
    """Write the spooled records and release background jobs; after a kill another worker does that."""
    from ibanse import scheduler
    from validation.recording import writer

    scheduler.stop()
    writer.stop()


def when_ready(server: Any) -> None:
    """Print the URL, once the socket listens and the application is loaded."""
    # The tables that all workers share are never garbage: collecting them again and again took a fifth of the time of a
    # batch, and copied their memory pages into every worker.
    gc.collect()
    gc.freeze()
    if EMBEDDED:
        sys.stdout.write(f"ibanse is ready at http://localhost:{PORT} (Ctrl-C stops it)\n")
        sys.stdout.flush()
