"""The pages of the client area, a module per subject: HTTP in, HTML out, permission above each view, no rule inside."""
