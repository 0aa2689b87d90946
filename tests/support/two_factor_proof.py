"""The time of the last reauthentication, which sensitive pages ask for."""

import time

from allauth.account.internal.userkit import user_id_to_str

from tests.base import Person


def proven(person: Person, *, minutes_ago: int = 0) -> Person:
    """Set in the person's session that the password was typed so many minutes ago."""
    at = time.time() - 60 * minutes_ago
    session = person.browser.session
    session["account_authentication_methods"] = [{"method": "password", "at": at, "reauthenticated": True}]
    session["account_authentication_methods_user"] = user_id_to_str(person.user)
    session.save()
    return person
