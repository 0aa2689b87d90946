"""How many IBANs of a batch one core checks, through the pipeline of the API and without HTTP."""

import io
import json
import os
import sys
import time
from random import Random
from statistics import median

import django

from tests.benchmarks.engine import MISTYPED_SHARE, ROUNDS, mistyped, on_one_core, valid_iban
from validation import engine
from validation.engine.registry import COUNTRIES

IBANS_PER_CALL = 1000
CALLS = 20


def run(token: str) -> None:
    """Print the IBANs per second, by the processor time of this process with its writer, and by the clock."""
    on_one_core()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ibanse.settings")
    django.setup()
    # Models can be imported only from here on.
    from validation.api.pipeline import ApiRequest, respond
    from validation.recording import writer

    writer.start()
    bodies, bad = _bodies()
    by_processor, by_clock = [], []
    for _ in range(ROUNDS + 1):
        began, clock_began = time.process_time(), time.perf_counter()
        for body in bodies:
            headers = {
                "CONTENT_LENGTH": str(len(body)),
                "CONTENT_TYPE": "application/json",
                "HTTP_AUTHORIZATION": f"Bearer {token}",
            }
            stream = io.BytesIO(body)
            request = ApiRequest("POST", "/api/v1/validate/batch", headers, "192.0.2.7", stream, is_secure=True)
            response = respond(request)
            if response.status != 200:
                raise SystemExit(f"validate/batch responds with {response.status}: {response.body.decode()}")
        ibans = IBANS_PER_CALL * len(bodies)
        by_processor.append(ibans / (time.process_time() - began))
        by_clock.append(ibans / (time.perf_counter() - clock_began))
    writer.stop()
    # The first round fills the caches.
    print(
        f"\n  validate/batch, {IBANS_PER_CALL} ibans a call, {bad:.0%} bad, in-process, one core: "
        f"{median(by_processor[1:]):,.0f} ibans/s by processor time, {median(by_clock[1:]):,.0f} by the clock"
    )


def _bodies() -> tuple[list[bytes], float]:
    random = Random(20_261_123)
    countries = random.choices(list(COUNTRIES.values()), k=IBANS_PER_CALL * CALLS)
    ibans = [valid_iban(random, country) for country in countries]
    ibans = [mistyped(random, iban) if random.random() < MISTYPED_SHARE else iban for iban in ibans]
    bad = sum(not engine.check(iban).valid for iban in ibans) / len(ibans)
    calls = (ibans[at : at + IBANS_PER_CALL] for at in range(0, len(ibans), IBANS_PER_CALL))
    return [json.dumps({"ibans": each}).encode() for each in calls], bad


if __name__ == "__main__":
    run(sys.argv[1])
