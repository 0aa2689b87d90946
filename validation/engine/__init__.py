"""The engine: from a text to a verdict on the IBAN in it. Pure: importable and testable without Django."""

from validation.engine.verdict import DATA_VERSION, Verdict, check

__all__ = ["DATA_VERSION", "Verdict", "check"]
