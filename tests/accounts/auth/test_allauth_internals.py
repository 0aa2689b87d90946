"""What we use of allauth's inside: it may change with any version, and must not change unnoticed."""

import ast
import inspect
from pathlib import Path

import pytest
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal import ratelimit

from accounts.auth import allauth_internals
from accounts.auth.adapters import AccountAdapter

ROOT = Path(__file__).parents[3]
PACKAGES = ("accounts", "apikeys", "ibanse", "privacy", "validation", "deploy")


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def internals_in(module: Path) -> list[str]:
    """Return what a module imports from allauth's inside."""
    found = []
    for node in ast.walk(ast.parse(module.read_text())):
        names = [f"{node.module}.{alias.name}" for alias in node.names] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found += [name for name in names if name.startswith("allauth.") and ".internal" in name]
    return found


class TestShape:
    def test_a_sign_in_is_recorded_by_request_user_and_method(self) -> None:
        assert parameters(allauth_internals.record_authentication) == ["request", "user", "method", "extra_data"]

    def test_a_limit_takes_rates_of_our_own(self) -> None:
        assert {"request", "app", "action", "config", "key"} <= set(parameters(ratelimit.consume))

    def test_usage_can_be_rolled_back(self) -> None:
        assert parameters(ratelimit.RateLimitUsage.rollback) == ["self"]

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("pre_authenticate", ["self", "request", "credentials"]),
            ("authentication_failed", ["self", "request", "credentials"]),
            ("_get_login_attempts_cache_key", ["self", "request", "credentials"]),
        ],
    )
    def test_the_hooks_of_the_adapter_keep_their_signatures(self, name: str, expected: list[str]) -> None:
        for adapter in (DefaultAccountAdapter, AccountAdapter):
            assert parameters(getattr(adapter, name)) == expected

    def test_the_adapter_rolls_back_what_we_counted(self) -> None:
        assert '"_login_failed_rl_usage"' in inspect.getsource(DefaultAccountAdapter._rollback_login_failed_rl_usage)
        assert "pre_authenticate" in inspect.getsource(DefaultAccountAdapter.authenticate)
        assert "_rollback_login_failed_rl_usage" in inspect.getsource(DefaultAccountAdapter.authenticate)


class TestOneModule:
    def test_nobody_else_reaches_inside(self) -> None:
        modules = [module for package in PACKAGES for module in (ROOT / package).rglob("*.py")]
        using = {str(module.relative_to(ROOT)): internals_in(module) for module in modules}

        assert [name for name, found in using.items() if found] == ["accounts/auth/allauth_internals.py"]
