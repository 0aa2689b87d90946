"""A client's people: members, invitations, and how a lost owner is replaced."""
