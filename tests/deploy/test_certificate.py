"""The certificate: renewed at half of its lifetime, with an alarm while more than a third is left."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support import services
from tests.support.production import Production
from tests.support.proxy import HOST, Proxy, certificate, proxy

pytestmark = pytest.mark.deploy


@contextmanager
def nginx(folder: Path, *, lived: timedelta) -> Iterator[Proxy]:
    """Run nginx with a certificate of this age."""
    with proxy(folder, [folder / "nobody.sock"], lived=lived) as running:
        yield running


def checked(production: Production, folder: Path, place: str, trust: Path, **settings: str) -> tuple[int, str, str]:
    """Return the status of the command, its output, and what was mailed."""
    mails = folder / "mails"
    changed = {"IBANSE_CONTACT_ADDRESS": "olga@ibanse.example", "EMAIL_URL": f"file://{mails}", **settings}
    command = [sys.executable, "manage.py", "check_certificate", "--connect", place, "--trust", str(trust)]
    done = subprocess.run(
        command, cwd=services.ROOT, env=production.environment | changed, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr, "".join(mail.read_text() for mail in mails.glob("*"))


class TestAlarm:
    @pytest.mark.parametrize(
        ("lived", "message"), [(0, "90 of 90 days are left"), (45, "45 of 90"), (53, "37 of 90 days are left")]
    )
    def test_certificate_with_time_left_raises_no_alarm(
        self, production: Production, tmp_path: Path, lived: int, message: str
    ) -> None:
        with nginx(tmp_path, lived=timedelta(days=lived)) as site:
            status, output, mailed = checked(production, tmp_path, f"127.0.0.1:{site.https}", site.authority)

        assert (status, mailed) == (0, "")
        assert f"The certificate of {HOST} is valid until " in output
        assert message in output

    @pytest.mark.parametrize(
        ("lived", "message"),
        [
            (55, "35 of 90 days are left. It should have been renewed."),
            (91, f"Nobody trusts the certificate of {HOST}: certificate has expired."),
        ],
    )
    def test_late_renewal_raises_an_alarm(
        self, production: Production, tmp_path: Path, lived: int, message: str
    ) -> None:
        with nginx(tmp_path, lived=timedelta(days=lived)) as site:
            status, output, mailed = checked(production, tmp_path, f"127.0.0.1:{site.https}", site.authority)

        assert status == 1
        assert message in output
        assert "Traceback" not in output
        assert "To: olga@ibanse.example" in mailed
        assert message in mailed.replace("=\n", "").replace("\n", " ")

    def test_wrong_name_and_no_server_raise_an_alarm(self, production: Production, tmp_path: Path) -> None:
        with nginx(tmp_path, lived=timedelta(0)) as site:
            place, trust = f"127.0.0.1:{site.https}", site.authority
            other = checked(production, tmp_path, place, trust, IBANSE_SITE_URL="https://other.example")
            no_server = checked(production, tmp_path, f"127.0.0.1:{services.free_port()}", trust)

        assert other[0] == no_server[0] == 1
        assert "cannot be seen at" in other[1]
        assert "Connection refused" in no_server[1]

    def test_unmailed_alarm_still_fails(self, production: Production, tmp_path: Path) -> None:
        nowhere = f"127.0.0.1:{services.free_port()}"

        status, output, _ = checked(
            production, tmp_path, nowhere, certificate(tmp_path).authority, EMAIL_URL=f"smtp://{nowhere}"
        )

        assert status == 1
        assert "This could not be mailed (ConnectionRefusedError)." in output


class TestRenewal:
    def test_certbot_hook_schedules_renewal_at_half_of_the_lifetime(self, tmp_path: Path) -> None:
        lineage = tmp_path / "letsencrypt" / "live" / HOST
        settings = tmp_path / "letsencrypt" / "renewal" / f"{HOST}.conf"
        programs = tmp_path / "bin"
        for folder in (lineage, settings.parent, programs):
            folder.mkdir(parents=True)
        rest = "version = 4.0.0\n[renewalparams]\nauthenticator = webroot\n"
        settings.write_text(f"# renew_before_expiry = 30 days\n{rest}")
        (programs / "systemctl").write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/calls\n')
        (programs / "systemctl").chmod(0o755)
        environment = os.environ | {"RENEWED_LINEAGE": str(lineage), "PATH": f"{programs}:{os.environ['PATH']}"}
        hook = services.ROOT / "deploy" / "nginx" / "certificate-renewed"

        for days, hours in ((90, 1080), (45, 540), (6, 72)):
            certificate(lineage, lasts=timedelta(days=days))
            subprocess.run([hook], env=environment, check=True, timeout=20)
            assert re.findall("renew_before_expiry.*", settings.read_text()) == [f"renew_before_expiry = {hours} hours"]

        assert settings.read_text().endswith(rest)
        assert (tmp_path / "calls").read_text() == "reload nginx\n" * 3
