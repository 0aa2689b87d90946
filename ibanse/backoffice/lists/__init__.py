"""Lists of the back-office: one ModelAdmin per table."""
