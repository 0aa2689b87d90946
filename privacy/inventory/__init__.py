"""What is stored, why, in what form and for how long; the sources of personal data."""
