"""Audit logs: what was done in a client's account and in the back-office, chained so that changes show."""
