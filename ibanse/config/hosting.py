"""IBANSE_HOSTING_…: what the operator says of the machines, and the documents that the provider publishes."""

from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True)
class Document:
    """A document on somebody's site, such as an agreement on data processing."""

    title: str
    address: str


@dataclass(frozen=True, slots=True)
class Hosting:
    """Who owns the machines, where they stand, and what the provider shows for it; false when nothing is said."""

    provider: str
    country: str
    certificates: list[str]
    documents: list[Document]

    def __bool__(self) -> bool:
        """Return whether anything is said."""
        return bool(self.provider or self.country or self.certificates or self.documents)


def documents(text: str) -> list[Document]:
    """Return the documents in `title https://address, title https://address`.

    Raises ImproperlyConfigured that repeats the entry which has no title or no `https:` address.
    """
    found = []
    for entry in filter(None, map(str.strip, text.split(","))):
        title, _blank, address = entry.rpartition(" ")
        if not (title.strip() and address.startswith("https://")):
            raise ImproperlyConfigured(
                f"IBANSE_HOSTING_DOCUMENTS: {entry!r} is not a title followed by an address that begins with https://. "
                "See deploy/settings.md."
            )
        found.append(Document(title.strip(), address))
    return found
