"""Reads every setting from the environment. Strict: an error names the setting and the remedy."""

import base64
import os
import re
import secrets
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final

from django.core.exceptions import ImproperlyConfigured

from privacy.crypto import sealed_box

_MAIL_ADDRESS: Final = re.compile(r"[^\s@,;:<>()\"]+@(?:[^\s@,;:<>()\".]+\.)+[^\s@,;:<>()\".]+")
EXPLAINED_IN = "See deploy/settings.md."
SECRET_FILES: Final[dict[Path, bool]] = {}
"""Every file that a secret was read from → whether this process created it."""


def text(name: str, default: str | None = None, *, choices: tuple[str, ...] = ()) -> str:
    """Return the value of the environment variable `name`, or of the systemd credential of that name, or `default`.

    Blank counts as unset. Raises ImproperlyConfigured when there is none of them, or when the value is none of
    `choices`.
    """
    value = _raw(name) or default
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set. {EXPLAINED_IN}")
    if choices and value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of {', '.join(choices)}. {EXPLAINED_IN}")
    return value


def flag(name: str, *, default: bool) -> bool:
    """Return a yes or a no, written as `1` or `0`."""
    return text(name, "1" if default else "0", choices=("0", "1")) == "1"


def number(name: str, default: int, *, least: int, most: int) -> int:
    """Return a whole number from `least` to `most`."""
    value = text(name, str(default))
    if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
        raise ImproperlyConfigured(
            f"{name} is {value!r}; it must be a whole number from {least} to {most}. {EXPLAINED_IN}"
        )
    return int(value)


def listing(name: str, default: str | None = None) -> list[str]:
    """Return the comma-separated values of `name`, without blanks."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return the IP addresses and networks of `name`, such as `192.0.2.0/24, 2001:db8::7`; none when it is unset."""
    found = []
    for part in listing(name, ""):
        try:
            found.append(ip_network(part))
        except ValueError:
            raise ImproperlyConfigured(
                f"{name}: {part!r} is no address or network, such as 192.0.2.0/24 or 2001:db8::/32. {EXPLAINED_IN}"
            ) from None
    return found


def mail_address(name: str, otherwise: str) -> str:
    """Return the one e-mail address that is the value of `name`, or the first one in `otherwise`, or nothing.

    Raises ImproperlyConfigured for a value that is anything but one address.
    """
    value = text(name, "")
    if value and not _MAIL_ADDRESS.fullmatch(value):
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be one e-mail address. {EXPLAINED_IN}")
    found = _MAIL_ADDRESS.search(otherwise)
    return value or (found[0] if found else "")


def secret(name: str, *, made_in: Path | None) -> list[str]:
    """Return a secret and the previous ones behind it: each of at least 32 characters, without blanks.

    With `made_in` (a folder; the embedded mode) an unset secret is created once and stored there in a file that only
    its owner can read. Without it (production) a missing secret is refused by name.
    """
    if made_in is not None and not _raw(name):
        value = _create_once(made_in / name.removeprefix("IBANSE_").lower(), secrets.token_urlsafe(48))
    else:
        value = text(name)
    words = value.split()
    if any(len(word) < 32 for word in words):
        raise ImproperlyConfigured(f"{name} must have at least 32 characters, without blanks. {EXPLAINED_IN}")
    return words


def numbered_keys(name: str, *, made_in: Path | None) -> dict[int, bytes]:
    """Return keys of 32 bytes by their versions, written as `1:<base64>,2:<base64>`; the highest one is the newest.

    With `made_in` an unset one is created once, as in `secret`. Raises ImproperlyConfigured with the version and what
    is wrong with it, and never repeats a key.
    """
    if made_in is not None and not _raw(name):
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        value = _create_once(made_in / name.removeprefix("IBANSE_").lower(), f"1:{key}")
    else:
        value = text(name)
    keys: dict[int, bytes] = {}
    for entry in value.split(","):
        version, colon, encoded = entry.strip().partition(":")
        if not (colon and version.isascii() and version.isdigit() and int(version) > 0):
            raise ImproperlyConfigured(f"{name}: each key is written as a number, a colon and base64. {EXPLAINED_IN}")
        if int(version) in keys:
            raise ImproperlyConfigured(f"{name}: number {int(version)} is there twice. {EXPLAINED_IN}")
        try:
            keys[int(version)] = base64.b64decode(encoded, validate=True)
        except ValueError:
            raise ImproperlyConfigured(f"{name}: key {int(version)} is not base64. {EXPLAINED_IN}") from None
        if len(keys[int(version)]) != 32:
            raise ImproperlyConfigured(f"{name}: key {int(version)} does not have 32 bytes. {EXPLAINED_IN}")
    return keys


def log_keys(name: str, default: str | None = None) -> tuple[sealed_box.PublicKey, ...]:
    """Return the public keys that the log is encrypted with, or none when the value is `plain`."""
    value = text(name, default)
    if value == "plain":
        return ()
    try:
        return sealed_box.public_keys(value)
    except sealed_box.KeyTextError as error:
        raise ImproperlyConfigured(f"{name}: {error} {EXPLAINED_IN}") from None


def _raw(name: str) -> str:
    """Return the environment variable, else the systemd credential `name`, else nothing; without blanks around it.

    systemd puts the files of a unit's LoadCredential= into $CREDENTIALS_DIRECTORY, for that unit's user only
    (systemd.exec(5)): an environment can be read by every process of the user, and is inherited by every child.
    """
    value = os.environ.get(name, "").strip()
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if value or not folder:
        return value
    credential = Path(folder) / name
    try:
        return credential.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        # Not the error's text: it would repeat a byte that is not UTF-8.
        reason = f"{credential} cannot be read as text ({type(error).__name__}). {EXPLAINED_IN}"
        raise ImproperlyConfigured(f"{name}: {reason}") from None


def _create_once(path: Path, value: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    SECRET_FILES.setdefault(path, False)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        # The mode must hold from the first byte.
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(value)
        # A link never replaces: of two processes that start together, the first one's secret holds for both.
        path.hardlink_to(draft)
        SECRET_FILES[path] = True
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
    return path.read_text(encoding="ascii").strip()
