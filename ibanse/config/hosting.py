"""IBANSE_HOSTING_…: the operator's statements on the machines, and the provider's documents."""

from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True)
class HostingDocument:
    """A document on the provider's site, such as an agreement on data processing."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Hosting:
    """Who owns the machines, where they are, and what the provider shows for it; false when all is empty."""

    provider: str
    country: str
    certificates: list[str]
    documents: list[HostingDocument]

    def __bool__(self) -> bool:
        """Return whether the operator has stated anything."""
        return bool(self.provider or self.country or self.certificates or self.documents)


def documents(text: str) -> list[HostingDocument]:
    """Return the documents in `title https://address, title https://address`.

    Raises ImproperlyConfigured that repeats the entry which has no title or no `https:` address.
    """
    found = []
    for entry in filter(None, map(str.strip, text.split(","))):
        title, _blank, url = entry.rpartition(" ")
        if not (title.strip() and url.startswith("https://")):
            raise ImproperlyConfigured(
                f"IBANSE_HOSTING_DOCUMENTS: {entry!r} is not a title followed by an address that begins with https://. "
                "See deploy/settings.md."
            )
        found.append(HostingDocument(title.strip(), url))
    return found
