"""Claims about how the service is run: infrastructure and network, and encrypted connections."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from privacy.claims.claim import Claim, Subject, within

INFRASTRUCTURE: Final = Subject(
    "infrastructure",
    _("Infrastructure and network"),
    (
        Claim(
            "complete_start",
            _("The service does not start in production while a secret or a part of it is missing."),
            _(
                "Each secret and each database, cache and mail server must be named in the server's "
                "configuration; in production none has a default. The framework's own checks for production "
                "report nothing."
            ),
            _("Each of these settings is taken away in turn; the start must fail and name it."),
            files=("ibanse/settings.py", "ibanse/env.py", "ibanse/checks.py"),
            tests=(*within("tests/ibanse/test_settings.py", "TestProduction"),),
        ),
        Claim(
            "caller_address",
            _("The network address of a caller is read from one place only, and what else a caller sends is ignored."),
            _(
                "Behind the proxy one single header counts: the one that the proxy sets. A missing or odd "
                "value is refused, never guessed."
            ),
            _("Forged, doubled and malformed headers are sent to a running server; none of them changes the address."),
            files=("accounts/guard/addresses.py", "deploy/nginx/ibanse/proxy.conf"),
            tests=(
                "tests/accounts/guard/test_addresses.py",
                *within("tests/deploy/test_proxy.py", "TestPeopleAndPrograms"),
                *within("tests/validation/api/test_addresses.py", "ProxyTests", "TestBehindARealServer"),
            ),
        ),
        Claim(
            "own_name_only",
            _(
                "The server answers to its own name only, and cuts off callers that are too slow, too large or too "
                "many."
            ),
            _("A proxy (nginx) stands in front. Who asks for another name gets neither an answer nor our certificate."),
            _("Other names, slow and oversized requests and floods are sent to a real proxy."),
            files=("deploy/nginx/ibanse/site.conf", "deploy/nginx/ibanse/limits.conf"),
            tests=(*within("tests/deploy/test_proxy.py", "TestLimits", "TestOtherNames"),),
            only_with="production",
        ),
        Claim(
            "nothing_hidden",
            _("Malformed requests are refused or do no harm, and none can hide another one in it."),
            _("Proxy and service both refuse what is ambiguous in its length, its headers or its path."),
            _("63 odd requests go to the service directly and through a real proxy; no hidden call may be counted."),
            files=("deploy/nginx/ibanse/site.conf", "deploy/gunicorn.conf.py", "ibanse/api_gate.py"),
            tests=("tests/deploy/test_smuggling.py",),
            only_with="production",
        ),
        Claim(
            "shut_in",
            _("Each part of the service reaches only what it needs of the machine."),
            _(
                "Limits of systemd for each of them: other files, users, devices and calls of the system are out of "
                "reach, and no image of the memory is ever written."
            ),
            _(
                "systemd itself rates each unit, which must get 2.0 of 10 or less (less is better); a unit with a "
                "mistake must be noticed."
            ),
            files=("deploy/systemd",),
            tests=("tests/deploy/test_units.py",),
            only_with="production",
        ),
        Claim(
            "least_rights",
            _("The database lets each part of the service do only what that part is for."),
            _(
                "Five roles in PostgreSQL. The one that serves you can neither change nor delete an entry of the "
                "history, and a changed detail shows."
            ),
            _(
                "Each role tries what is not its own on a real server, and a failing statement must leave no value in "
                "its log."
            ),
            files=("deploy/postgresql",),
            tests=("tests/deploy/test_postgresql.py",),
            only_with="production",
        ),
        Claim(
            "blocked_addresses",
            _("The operator can shut an attacking address out of the API; that holds everywhere within two seconds."),
            _("Single addresses and whole networks, IPv4 and IPv6. A blocked caller is refused before anything else."),
            _("One process blocks an address; another must refuse it within two seconds, valid key or not."),
            files=("accounts/guard/blocks.py", "accounts/guard/revisions.py"),
            tests=(
                *within("tests/accounts/guard/test_blocks.py", "BlockTests"),
                *within(
                    "tests/apikeys/test_authentication.py",
                    "OtherWorkersTests::test_an_address_that_another_worker_blocked_is_refused_within_two_seconds",
                ),
                *within("tests/validation/api/test_addresses.py", "BlockTests"),
                *within(
                    "tests/validation/api/test_problems.py", "OrderTests::test_a_blocked_address_learns_nothing_else"
                ),
            ),
        ),
    ),
)

TRANSPORT: Final = Subject(
    "tls",
    _("Encrypted connections (TLS)"),
    (
        Claim(
            "modern_tls",
            _("Connections are encrypted by TLS 1.2 or 1.3, with the settings that Mozilla calls intermediate."),
            _("The proxy offers nothing older and nothing weaker."),
            _(
                "A scanner that is not ours (sslyze) compares a real proxy with Mozilla's list, and must find a "
                "weaker one."
            ),
            files=("deploy/nginx/ibanse/tls.conf", "deploy/nginx/ibanse/site.conf"),
            tests=("tests/deploy/test_tls.py",),
            only_with="production",
        ),
        Claim(
            "encrypted_calls",
            _("An API call that arrives unencrypted is refused, and its key is not even looked at."),
            _("The proxy says how a call came. Pages are redirected to HTTPS; calls get an error that says why."),
            _("A valid key is sent over plain HTTP; the call must be refused before the key is compared."),
            files=("validation/api/answer.py", "apikeys/problems.py", "deploy/nginx/ibanse/site.conf"),
            tests=(
                *within("tests/deploy/test_proxy.py", "TestWithoutEncryption"),
                *within("tests/ibanse/test_settings.py", "TestProduction::test_pages_are_sent_to_https_and_stay_there"),
                *within(
                    "tests/validation/api/test_problems.py",
                    "OrderTests::test_a_key_that_came_in_clear_is_not_even_compared",
                ),
            ),
            only_with="production",
        ),
        Claim(
            "https_only",
            _(
                "Browsers are told to come by HTTPS only, for two years, and the session's cookie never "
                "travels in clear."
            ),
            _("Strict-Transport-Security for this name and all below it; the cookie is Secure, HttpOnly and SameSite."),
            _("The headers and the cookie of the production settings are read and compared."),
            files=("ibanse/settings.py", "deploy/nginx/ibanse/headers.conf"),
            tests=(
                *within(
                    "tests/deploy/test_proxy.py",
                    "TestWhatIsTold::test_every_answer_says_once_that_there_is_only_https",
                ),
                *within(
                    "tests/accounts/identity/test_signin.py",
                    "SessionTests::test_the_cookie_is_for_this_site_and_out_of_reach_of_scripts",
                    "SessionTests::test_the_cookie_travels_encrypted_in_production",
                ),
                *within(
                    "tests/ibanse/test_settings.py",
                    "TestProduction::test_pages_are_sent_to_https_and_stay_there",
                    "TestProduction::test_the_deployment_check_is_clean",
                ),
            ),
            only_with="production",
        ),
    ),
)
