"""The back-office: Django's admin on a site class of our own."""
