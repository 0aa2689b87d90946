"""The engine: from a text to a verdict on the IBAN in it. Pure: importable and testable without Django."""

from validation.engine.suggestions import with_suggestions
from validation.engine.verdict import DATA_VERSION, Verdict, check

__all__ = ["DATA_VERSION", "Verdict", "check", "with_suggestions"]
