"""Documents that a client needs of the operator, made out to it as PDF: the agreement and the measures of the GDPR.

A document that was made stays as it was, sealed with the client's data key, until an owner deletes it: so it can be
fetched again to the byte, whatever has changed since in the words, the details or the library that draws it. Asked for
once more while nothing has changed, the same one is returned.
"""

import json
from collections.abc import Callable
from dataclasses import astuple, dataclass
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts import audit
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.errors import Refusal
from accounts.models import Client
from privacy import vault
from privacy.legal import agreement, measures, parties, pdf
from privacy.legal.parties import Party
from privacy.legal.pdf import Paper
from privacy.models import ClientDocument

MOST_PER_DAY: Final = 20
_FINGERPRINT_CHARACTERS: Final = 16
_Kind = ClientDocument.Kind


class _Source(NamedTuple):
    """Where a document comes from."""

    version: str
    paper: Callable[[Party, Party], Paper]


_SOURCES: Final = {
    _Kind.AGREEMENT: _Source(agreement.VERSION, agreement.paper),
    _Kind.MEASURES: _Source(measures.VERSION, measures.paper),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a document without reading it."""

    company: str
    """Whom it was made out to."""
    fingerprint: str
    """Begin of the SHA-256 of its words, as it stands at the foot of each page."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a client, opened as far as the list needs it."""

    row: ClientDocument
    facts: Facts


class Made(NamedTuple):
    """What came of asking for a document."""

    row: ClientDocument
    is_new: bool


def obstacle(client: Client, kind: str) -> str:
    """Return why the client cannot have this document now, as a code of sentences.REFUSALS, or nothing."""
    if not parties.operator_is_named():
        return "operator_not_named"
    if parties.missing(client, parties.NEEDED):
        return "contact_details_missing"
    if kind == _Kind.MEASURES and not measures.are_proved():
        return "nothing_proved"
    return ""


def request(client: Client, kind: str, language: str, *, by: Actor) -> Made:
    """Make a document out to the client and record it; the newest one again if not a word would be another.

    Raises Refusal: what `obstacle` returns, `characters_not_printable` or `too_many_documents`.
    """
    if code := obstacle(client, kind):
        raise Refusal(code)
    today = timezone.localdate()
    with override(language):
        source = _SOURCES[_Kind(kind)]
        paper = source.paper(parties.client(client), parties.operator())
        if odd := pdf.unprintable(json.dumps(astuple(paper), ensure_ascii=False)):
            raise Refusal("characters_not_printable", characters=" ".join(odd))
        words = json.dumps([source.version, language, astuple(paper)], ensure_ascii=False)
        facts = Facts(parties.client(client).name, sha256(words.encode()).hexdigest()[:_FINGERPRINT_CHARACTERS])
        with transaction.atomic():
            Client.objects.lock(client)  # Two clicks at once must not make two.
            index = vault.blind_index(client.pk, words, purpose="document")
            same = ClientDocument.objects.filter(client=client, kind=kind, language=language, words_index=index).first()
            if same:
                return Made(same, is_new=False)
            _refuse_too_many(client)
            row = ClientDocument(
                pk=uuid4(), client=client, requested_by=by.user, kind=kind, language=language, version=source.version
            )
            row.made_on, row.words_index = today, index
            row.sealed_facts = _seal(row, "facts", json.dumps([facts.company, facts.fingerprint]).encode())
            row.sealed_pdf = _seal(row, "pdf", pdf.write(paper, _imprint(row, paper, facts)))
            row.save()
            detail = {"document": kind, "version": row.version, "language": language, "fingerprint": facts.fingerprint}
            audit.record(AuditEvent.DOCUMENT_MADE, client=client, by=by, detail=detail)
    return Made(row, is_new=True)


def of(client: Client) -> list[Document]:
    """Return the client's documents, newest first, without their pages."""
    rows = ClientDocument.objects.filter(client=client).select_related("requested_by").defer("sealed_pdf")
    return [opened(row) for row in rows]


def opened(row: ClientDocument) -> Document:
    """Return what is known of a document."""
    company, fingerprint = json.loads(_unseal(row, "facts", row.sealed_facts))
    return Document(row, Facts(company, fingerprint))


def download(client: Client, pk: UUID, *, by: Actor) -> tuple[str, bytes]:
    """Return the name and the bytes of a document, and record that it was fetched.

    Raises DoesNotExist for a document of another client and vault.VaultError for one that does not open.
    """
    row = ClientDocument.objects.get(client=client, pk=pk)
    pages = _unseal(row, "pdf", row.sealed_pdf)
    detail = {"document": row.kind, "version": row.version, "language": row.language}
    audit.record(AuditEvent.DOCUMENT_DOWNLOADED, client=client, by=by, detail=detail)
    return f"ibanse-{row.kind}-{row.language}-{row.made_on.isoformat()}.pdf", pages


def delete(client: Client, pk: UUID, *, by: Actor) -> None:
    """Delete a document and record which; raises DoesNotExist for one of another client, or one that is gone."""
    with transaction.atomic():
        Client.objects.lock(client)
        row = ClientDocument.objects.filter(client=client).defer("sealed_pdf").get(pk=pk)
        row.delete()
        detail = {"document": row.kind, "version": row.version, "language": row.language}
        audit.record(AuditEvent.DOCUMENT_DELETED, client=client, by=by, detail=detail)


def spaced(fingerprint: str) -> str:
    """Return a fingerprint in groups of four, as people compare it."""
    return " ".join(fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4))


def _refuse_too_many(client: Client) -> None:
    today = ClientDocument.objects.filter(client=client, made_on=timezone.localdate())
    if today.count() >= MOST_PER_DAY:
        raise Refusal("too_many_documents", limit=MOST_PER_DAY)


def _imprint(row: ClientDocument, paper: Paper, facts: Facts) -> pdf.Imprint:
    """Return what stands at the foot; the row is one that is being made, with a date of its own."""
    foot = _("%(title)s · version %(version)s · %(day)s · fingerprint %(fingerprint)s") % {
        "title": paper.title,
        "version": row.version,
        "day": date_format(row.made_on, "DATE_FORMAT"),
        "fingerprint": spaced(facts.fingerprint),
    }
    return pdf.Imprint(row.language, settings.OPERATOR_NAME, row.made_on, foot)


def _seal(row: ClientDocument, part: str, data: bytes) -> bytes:
    return vault.seal(row.client_id, data, purpose=f"document.{part}", record=str(row.pk))


def _unseal(row: ClientDocument, part: str, sealed: bytes | memoryview) -> bytes:
    return vault.unseal(row.client_id, sealed, purpose=f"document.{part}", record=str(row.pk))
