"""Rules of what the operator's staff may do: groups, entry, justification and each action."""
