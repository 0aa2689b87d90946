"""Messages of the contact form."""
