"""The back-office on PostgreSQL with 10,000 clients, a million rows of log and a million of history: p50 and queries.

What a list shows is counted on its way out; the record of each look is part of the time.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Final

from tests.benchmarks import own_database

if TYPE_CHECKING:
    from django.test import Client as Browser

CLIENTS: Final = 10_000
ROWS: Final = 1_000_000
"""Of the check log, and of the histories."""
ROUNDS: Final = 21

_EACH: Final = "FROM (SELECT id, row_number() OVER () AS n FROM accounts_client) AS client"
FILL: Final = (
    f"""INSERT INTO accounts_user (id, password, email, sealed_name, language, time_zone, role, client_id, is_active,
        is_staff, is_superuser, joined_at)
        SELECT gen_random_uuid(), '!', client.id || '@clients.example', '', 'sv', '', 'owner', client.id, true,
        false, false, now() {_EACH}""",
    f"""INSERT INTO accounts_invitation (id, client_id, email, nonce, sent_at, expires_at)
        SELECT gen_random_uuid(), client.id, client.id || '@invited.example', gen_random_uuid(), now(), now()
        {_EACH}""",
    f"INSERT INTO accounts_contactdetails SELECT client.id, '', now() {_EACH}",
    f"INSERT INTO accounts_billingdetails SELECT client.id, '', now() {_EACH}",
    f"""INSERT INTO accounts_usageday (client_id, day, source, valid, invalid, units)
        SELECT client.id, current_date - day, 'api', 10, 1, 11 {_EACH}, generate_series(0, 29) AS day""",
    f"""INSERT INTO apikeys_quotamonth (client_id, month, taken)
        SELECT client.id, current_date - 31 * month, 330 {_EACH}, generate_series(0, 11) AS month""",
    f"""INSERT INTO apikeys_apikey (id, client_id, identifier, is_test, digest, pepper, sealed_name, scopes,
        any_address, rate_per_minute, created_at, expires_at)
        SELECT gen_random_uuid(), client.id, 'k' || lpad(client.n::text, 9, '0'), false, '', 1, '', '["validate"]',
        true, 600, now(), now() + interval '1 year' {_EACH}""",
    """INSERT INTO usersessions_usersession (user_id, created_at, ip, last_seen_at, session_key, user_agent, data)
        SELECT id, now(), '192.0.2.7', now(), id::text, 'Firefox/1 Windows', '{}' FROM accounts_user
        WHERE client_id IS NOT NULL""",
    f"""INSERT INTO accounts_historyentry (client_id, number, tag, at, network, detail_hash, previous_hash, hash)
        SELECT client.id, number, (ARRAY['users.signed_in', 'keys.created', 'contact.changed'])[1 + number % 3], now(),
        '192.0.2.0/24', '', '', '' {_EACH}, generate_series(1, {ROWS // CLIENTS}) AS number""",
    f"""INSERT INTO validation_validationrecord (id, client_id, at, expires_on, source, country, is_valid, codes,
        sealed)
        SELECT gen_random_uuid(), client.id, now() - number * interval '1 hour', current_date + 30, 'api', 'SE', true,
        '', '' {_EACH}, generate_series(1, {ROWS // CLIENTS}) AS number""",
)


def run() -> None:
    """Print each list's p50 and its queries, of all rows, of one client's, and of a search."""
    own_database.run("tests.benchmarks.office")


def measure() -> None:
    """Fill a database of this process's settings, and print what is found."""
    own_database.prepare()
    # Models can be imported only from here on.
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from accounts.models import Client
    from ibanse.backoffice.site import site

    now = timezone.now()
    clients = Client.objects.bulk_create(Client(created_at=now - timedelta(hours=n)) for n in range(CLIENTS))
    began = time.perf_counter()
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement)
        cursor.execute("VACUUM ANALYZE")
    print(f"  {CLIENTS:,} clients, {ROWS:,} rows of log and of history: {time.perf_counter() - began:.0f} s to write")
    browser = staff_browser()
    one = clients[CLIENTS // 2].pk
    print(f"  {'list, p50/least in ms (queries)':34}{'all':>15}{'one client':>15}{'searched':>15}")
    for model, shown_by in site._registry.items():
        meta = model._meta
        place = f"/admin/{meta.app_label}/{meta.model_name}/"
        narrowed = getattr(shown_by, "of_client", "")
        queries = ["", f"{narrowed}={one}" if narrowed else "", f"q={one}"]
        figures = []
        for query in queries:
            browser.get(place, QUERY_STRING=query)
            with CaptureQueriesContext(connection) as captured:
                response = browser.get(place, QUERY_STRING=query)
            assert response.status_code == 200, (place, query, response.status_code)
            queries_run = sum(
                each["sql"].startswith(("SELECT", "INSERT", "UPDATE")) for each in captured.captured_queries
            )
            figures.append(f"{p50(partial(browser.get, place, QUERY_STRING=query))} ({queries_run})")
        print(f"  {meta.label:34}{figures[0]:>15}{figures[1]:>15}{figures[2]:>15}")
    print(f"  {'page of a client':34}{p50(lambda: browser.get(f'/admin/accounts/client/{one}/change/')):>12}")
    print(f"  {'first page':34}{p50(lambda: browser.get('/admin/')):>12}")


def staff_browser() -> "Browser":
    """Return the browser of somebody in every group."""
    from allauth.account.internal.flows.login import record_authentication
    from allauth.mfa.models import Authenticator
    from django.contrib.auth.models import Group
    from django.http import HttpRequest
    from django.test import Client

    from accounts.models import User
    from accounts.staff import groups

    groups.sync()
    user = User.objects.create_user("staff@operator.example", is_staff=True)
    user.groups.set(Group.objects.all())
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    browser = Client(REMOTE_ADDR="192.0.2.7")
    browser.force_login(user, backend="accounts.auth.backend.EmailBackend")
    request = HttpRequest()
    request.session = browser.session
    record_authentication(request, user, "mfa")
    request.session.save()
    return browser


def p50(action: Callable[[], object]) -> str:
    """Return the median milliseconds of an action, and the least: what it takes when nothing else runs."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        action()
        times.append((time.perf_counter() - began) * 1000)
    return f"{median(times):.0f}/{min(times):.0f}"


if __name__ == "__main__":
    measure()
