"""gunicorn for both modes: embedded, one process on a port; production, several on a socket behind nginx."""

import gc
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

chdir = str(Path(__file__).resolve().parent.parent)
# gunicorn reads this file before it looks into `chdir`.
sys.path.insert(0, chdir)
# Whoever starts gunicorn need not say so: there are no other settings.
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
    # Limits are counted in this one process's memory; a second process would count for itself.
    workers = 1
    # No proxy stands in front, so nobody's word about the scheme counts.
    forwarded_allow_ips = ""
    loglevel = "warning"
    # Somebody sits at the terminal and waits.
    graceful_timeout = 5
else:
    bind = f"unix:{env.text('IBANSE_SOCKET', '/run/ibanse/gunicorn.sock')}"
    workers = env.number("IBANSE_WORKERS", 2, least=1, most=64)
    # Longer than nginx keeps an idle connection, so that it is never gunicorn that closes one.
    keepalive = 5
    # nginx sets no path of its own; a caller must not either.
    forwarder_headers = ""
    # Owner and group, so that of all users of the machine only nginx (in the group) can pose as the proxy.
    umask = 0o007
    loglevel = "info"

wsgi_app = "ibanse.wsgi:application"
proc_name = "ibanse"
worker_class = "gthread"
threads = env.number("IBANSE_THREADS", 8, least=1, most=256)
# What is built at import is shared by all workers; threads and pools must therefore start in post_fork.
preload_app = True
# The access log would hold callers' addresses for no purpose, and the control socket would be one more door.
accesslog = None
control_socket_disable = True


class MaskedLog(Logger):  # type: ignore[misc]  # as above
    """gunicorn's own log, masked: with the traceback of a failed request it writes the address.

    It goes where all else goes: sealed, or in gunicorn's own format to standard error.
    """

    def setup(self, cfg: Config) -> None:
        """Set up as gunicorn does, also when it reads its configuration again; then mask whatever that set up."""
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
# The arbiter, which reads this file, serves nobody; what keeps a site from starting must be readable.
logging_handler.speak_openly()
# The heartbeat is a file that is touched all the time; on a busy disk that alone can get a worker killed.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - gunicorn opens it with mkstemp


def on_starting(server: Any) -> None:
    """Load every view before the fork: tables are shared, and a site that cannot load never says it is ready."""
    _ = get_resolver().url_patterns
    _refuse_master_keys_that_do_not_open()
    if settings.LOG_KEYS:
        try:
            logging_handler.try_out(settings.LOG_DIR)
        except OSError as error:
            sys.exit(f"IBANSE_LOG_DIR, {settings.LOG_DIR}, cannot be written to: {error.strerror}. {env.EXPLAINED_IN}")
    try:
        spool.create(settings.SPOOL_DIR).remove()
    except OSError as error:
        # Each worker would say so at length, and gunicorn would start the next.
        sys.exit(f"IBANSE_SPOOL_DIR, {settings.SPOOL_DIR}, cannot be written to: {error.strerror}. {env.EXPLAINED_IN}")


def _refuse_master_keys_that_do_not_open() -> None:
    """Exit with a sentence for each master key that is missing or wrong: nothing that it sealed could be read."""
    try:
        objections = vault.objections()
    except DatabaseError as error:
        # Not its text, which may hold the server's name and user.
        sys.exit(f"KEYRING_DATABASE_URL: the keyring cannot be read ({type(error).__name__}). {env.EXPLAINED_IN}")
    if objections:
        sys.exit("\n".join(objections))
    # The workers are forks: none may inherit an open database, or a pool whose threads stay behind.
    keyring = connections["keyring"]
    keyring.close()
    if hasattr(keyring, "close_pool"):
        keyring.close_pool()


def post_fork(server: Any, worker: Any) -> None:
    """Seal also what a worker prints: gunicorn prints the text of what ends one, and that may hold anything."""
    if settings.LOG_KEYS:
        logging_handler.take_over_streams()


def post_worker_init(worker: Any) -> None:
    """Start the writer; leave Ctrl-C to the arbiter, which tells its workers by SIGQUIT, and let that end them at once.

    gunicorn's own handler shuts the pool of threads down from within the signal. Where the signal met a thread that
    holds the pool's lock, or came twice, the worker hung until it was killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, lambda *_: os._exit(0))
    from apikeys.limits import rate
    from ibanse import scheduler
    from validation.recording import writer

    # Before there are threads, of which two could make it at the same moment.
    rate.shared()
    # Threads, so they must start after the fork.
    writer.start()
    scheduler.start()
    _look_at_the_mark_of_changes()


def _look_at_the_mark_of_changes() -> None:
    """Read it before the first call comes: on a busy machine some of the calls that wait for it were refused."""
    from accounts.guard import revisions

    # Without the database the worker serves all the same, and says so to each call.
    with suppress(revisions.Unreadable):
        revisions.current()
    connections["default"].close()


def worker_exit(server: Any, worker: Any) -> None:
    """Write what calls have left behind, and give back what is done in the background; after a kill others do."""
    from ibanse import scheduler
    from validation.recording import writer

    scheduler.stop()
    writer.stop()


def when_ready(server: Any) -> None:
    """Say where the site is, once the socket listens and the application is loaded."""
    # The tables that all workers share are garbage never: looking through them again and again took a fifth of the
    # time of a batch, and copied their pages into every worker.
    gc.collect()
    gc.freeze()
    if EMBEDDED:
        sys.stdout.write(f"ibanse is ready at http://localhost:{PORT} (Ctrl-C stops it)\n")
        sys.stdout.flush()
