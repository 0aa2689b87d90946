"""Audit logs: what was done to a client, for its owners; what staff viewed and did, for the operator."""

from accounts.audit.client_log import record
from accounts.audit.events import AuditEvent, StaffEvent
from accounts.audit.staff_log import record as record_staff

__all__ = ["AuditEvent", "StaffEvent", "record", "record_staff"]
