"""The events of the audit logs: each is described, and an action of staff is an event of both logs."""

from accounts.audit.events import (
    CLIENT_EVENTS,
    STAFF_EVENTS,
    AuditEvent,
    StaffEvent,
    client_event_text,
    staff_event_text,
)


def test_every_event_is_described() -> None:
    assert set(CLIENT_EVENTS) == set(AuditEvent)
    assert set(STAFF_EVENTS) == set(StaffEvent)


def test_an_action_of_staff_on_a_client_is_an_event_of_both_logs() -> None:
    by_operator = {event.value for event, description in CLIENT_EVENTS.items() if description.by_operator}

    assert by_operator <= {event.value for event in StaffEvent}


def test_an_unknown_tag_is_shown_as_it_is() -> None:
    assert client_event_text("users.misspelt") == staff_event_text("users.misspelt") == "users.misspelt"
