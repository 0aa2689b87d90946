"""A client's team: members, invitations, and the recovery of a client without an owner."""
