"""Fixtures of all tests: quick settings, a real Chromium, real servers; and the markers set at collection."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import TransactionTestCase, override_settings
from django.utils.translation.reloader import translation_file_changed

from accounts import counters
from accounts.guard import revisions
from ibanse import catalogues
from privacy import vault
from tests.support import services
from tests.support.production import Production, database_beside


def pytest_configure() -> None:
    """Compile the translations that have changed: they are not in git."""
    for path in catalogues.compile_changed():
        # pytest-django has set up Django by now, which has read the old ones.
        translation_file_changed(None, path)


@pytest.fixture(scope="session", autouse=True)
def plain_static_files() -> Iterator[None]:
    """Serve pages in tests without `collectstatic`: names stay as they are, and the folder may be empty."""
    # WhiteNoise warns about a folder that does not exist, and a warning fails a test.
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}):
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hash passwords quickly in tests; that argon2id comes first is tested by name."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def own_export_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Store data exports in a folder of this run: pruning would remove those of other databases."""
    with override_settings(EXPORT_DIR=tmp_path_factory.mktemp("exports")):
        yield


@pytest.fixture(autouse=True)
def own_ledger(tmp_path: Path) -> Iterator[None]:
    """Give each test its own ledger of erasures."""
    with override_settings(ERASURE_LEDGER=tmp_path / "erasures" / "ledger"):
        yield


@pytest.fixture(autouse=True)
def forget_caches() -> None:
    """Begin each test with empty caches: the rows in them were rolled back with the test before."""
    vault.forget()
    revisions.forget()
    counters.forget()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Drive Debian's Chromium, without its own connections to the outside."""
    if not services.CHROMIUM.exists():
        pytest.skip(services.missing("chromium"))
    switches = (
        "no-sandbox disable-gpu disable-quic no-first-run disable-background-networking "
        "disable-component-update disable-sync disable-dev-shm-usage"
    )
    return {
        **browser_type_launch_args,
        "executable_path": str(services.CHROMIUM),
        "args": [f"--{switch}" for switch in switches.split()],
    }


@pytest.fixture(scope="session")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder into which the live site writes its mails, one file each."""
    return tmp_path_factory.mktemp("mailbox")


@pytest.fixture(scope="session")
def live_environment(tmp_path_factory: pytest.TempPathFactory, mailbox: Path) -> dict[str, str]:
    """Return the environment of the live site: its own data folder, and limits that no test reaches."""
    return services.environment(
        PORT=str(services.free_port()),
        IBANSE_DATA_DIR=str(tmp_path_factory.mktemp("live-site")),
        IBANSE_ANONYMOUS_CHECKS_PER_MINUTE="10000",
        EMAIL_URL=f"file://{mailbox}",
        IBANSE_CONTACT_ADDRESS="desk@operator.example",
        IBANSE_OPERATOR_NAME="Nordkoll AB",
        IBANSE_OPERATOR_ADDRESS="Storgatan 1, 222 22 Lund",
        IBANSE_SUBPROCESSORS="none",
    )


@pytest.fixture(scope="session")
def live_site(live_environment: dict[str, str]) -> Iterator[str]:
    """Start ibanse as `make run` does; yield its URL."""
    # Playwright runs an event loop in this thread; Django would refuse database calls in it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    port = int(live_environment["PORT"])
    server = subprocess.Popen([sys.executable, "-m", "deploy.start"], cwd=services.ROOT, env=live_environment)
    try:
        if not services.starts(server, port):
            pytest.fail("The live site did not start; its output stands above.")
        # A name, not an IP address: passkeys are bound to a name.
        yield f"http://localhost:{port}"
    finally:
        services.stop(server, signal.SIGTERM)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Start a Redis."""
    try:
        with services.redis() as url:
            yield url
    except services.ServiceError:
        pytest.skip(services.missing("redis-server"))


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Production]:
    """Prepare a site as in production, with its own database of the run's kind."""
    with _prepared(tmp_path_factory.mktemp("production"), redis_url) as site:
        yield site


@pytest.fixture
def production_of_its_own(tmp_path: Path, redis_url: str) -> Iterator[Production]:
    """Prepare one for a single test that changes what others rely on, such as keys."""
    with _prepared(tmp_path, redis_url) as site:
        yield site


@contextmanager
def _prepared(folder: Path, redis_url: str) -> Iterator[Production]:
    with database_beside(os.environ.get("DATABASE_URL"), folder) as url:
        site = Production(folder, url, redis_url)
        site.prepare()
        yield site


@pytest.fixture(scope="session")
def base_url(live_site: str) -> str:
    """Let `page.goto("/")` open the live site; the plugin's own fixture makes pytest 9 warn."""
    return live_site


# Fixtures that give a test a database of the run's kind. Without them it cannot reach one: pytest-django forbids it.
_DATABASES = frozenset({"db", "transactional_db", "production", "production_of_its_own"})


def _uses_a_database(item: pytest.Item) -> bool:
    case = getattr(item, "cls", None)
    is_case = case is not None and issubclass(case, TransactionTestCase)
    return (
        is_case
        or item.get_closest_marker("django_db") is not None
        or not _DATABASES.isdisjoint(getattr(item, "fixturenames", ()))
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use a database, report each test's claims, and begin with the longest file."""
    for item in items:
        # They go into the JUnit report, from which `make release` takes the result of each claim.
        item.user_properties += [("claim", slug) for mark in item.iter_markers("claim") for slug in mark.args]
        if _uses_a_database(item) and not item.get_closest_marker("postgresql"):
            item.add_marker("database")
    items.sort(key=lambda item: "tests/deploy/test_install.py" not in item.nodeid)
