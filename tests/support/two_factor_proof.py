"""When somebody has last proven who they are: what is sensitive asks for it once more."""

import time

from allauth.account.internal.userkit import user_id_to_str

from tests.base import Person


def proven(person: Person, *, minutes_ago: int = 0) -> Person:
    """Let this person's session say that the password was typed so many minutes ago."""
    at = time.time() - 60 * minutes_ago
    session = person.browser.session
    session["account_authentication_methods"] = [{"method": "password", "at": at, "reauthenticated": True}]
    session["account_authentication_methods_user"] = user_id_to_str(person.user)
    session.save()
    return person
