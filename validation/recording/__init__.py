"""What calls leave behind: one record for each, built in one place, spooled durably, written in batches."""
