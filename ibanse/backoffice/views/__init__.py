"""Pages of the back-office that are no list."""
