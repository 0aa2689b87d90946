"""Where metrics come from: one module per app and one for the machine."""
