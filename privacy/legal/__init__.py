"""Legal documents issued to a client as PDF: the data-processing agreement and the measures required by the GDPR.

An issued document is stored unchanged, sealed with the client's data key, until an owner deletes it: it can be
downloaded again byte for byte, even after the text, the client's details or the PDF library have changed. Requested
again while nothing has changed, the same one is returned.
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


class _Template(NamedTuple):
    """The text of a kind of document."""

    version: str
    paper: Callable[[Party, Party], Paper]


_TEMPLATES: Final = {
    _Kind.AGREEMENT: _Template(agreement.VERSION, agreement.paper),
    _Kind.MEASURES: _Template(measures.VERSION, measures.paper),
}


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What the list of documents shows about one."""

    company: str
    """The company it was issued to."""
    fingerprint: str
    """The beginning of the SHA-256 of its text, printed in the footer of each page."""


@dataclass(frozen=True, slots=True)
class IssuedDocument:
    """A document of a client, without its PDF."""

    row: ClientDocument
    facts: DocumentFacts


class DocumentOutcome(NamedTuple):
    """The result of a request for a document."""

    row: ClientDocument
    is_new: bool


def obstacle(client: Client, kind: str) -> str:
    """Return why the client cannot have this document now, as a code of messages.REFUSALS, or an empty text."""
    if not parties.operator_is_named():
        return "operator_not_named"
    if parties.missing(client, parties.NEEDED):
        return "contact_details_missing"
    if kind == _Kind.MEASURES and not measures.are_proved():
        return "nothing_proved"
    return ""


def request_document(client: Client, kind: str, language: str, *, by: Actor) -> DocumentOutcome:
    """Issue a document to the client and record it; return the existing one if its text would be the same.

    Raises Refusal: what `obstacle` returns, `characters_not_printable` or `too_many_documents`.
    """
    if code := obstacle(client, kind):
        raise Refusal(code)
    today = timezone.localdate()
    with override(language):
        template = _TEMPLATES[_Kind(kind)]
        paper = template.paper(parties.client(client), parties.operator())
        if unprintable := pdf.unprintable(json.dumps(astuple(paper), ensure_ascii=False)):
            raise Refusal("characters_not_printable", characters=" ".join(unprintable))
        words = json.dumps([template.version, language, astuple(paper)], ensure_ascii=False)
        facts = DocumentFacts(parties.client(client).name, sha256(words.encode()).hexdigest()[:_FINGERPRINT_CHARACTERS])
        with transaction.atomic():
            Client.objects.lock(client)  # Two clicks at once must not create two.
            index = vault.blind_index(client.pk, words, purpose="document")
            same = ClientDocument.objects.filter(client=client, kind=kind, language=language, words_index=index).first()
            if same:
                return DocumentOutcome(same, is_new=False)
            _refuse_too_many(client)
            row = ClientDocument(
                pk=uuid4(), client=client, requested_by=by.user, kind=kind, language=language, version=template.version
            )
            row.made_on, row.words_index = today, index
            row.sealed_facts = _seal(row, "facts", json.dumps([facts.company, facts.fingerprint]).encode())
            row.sealed_pdf = _seal(row, "pdf", pdf.write(paper, _imprint(row, paper, facts)))
            row.save()
            detail = {"document": kind, "version": row.version, "language": language, "fingerprint": facts.fingerprint}
            audit.record(AuditEvent.DOCUMENT_MADE, client=client, by=by, detail=detail)
    return DocumentOutcome(row, is_new=True)


def documents_of(client: Client) -> list[IssuedDocument]:
    """Return the client's documents, newest first, without their PDFs."""
    rows = ClientDocument.objects.filter(client=client).select_related("requested_by").defer("sealed_pdf")
    return [opened(row) for row in rows]


def opened(row: ClientDocument) -> IssuedDocument:
    """Return a document with its facts decrypted."""
    company, fingerprint = json.loads(_unseal(row, "facts", row.sealed_facts))
    return IssuedDocument(row, DocumentFacts(company, fingerprint))


def download(client: Client, pk: UUID, *, by: Actor) -> tuple[str, bytes]:
    """Return the name and the bytes of a document, and record the download.

    Raises DoesNotExist for a document of another client and vault.VaultError for one that cannot be decrypted.
    """
    row = ClientDocument.objects.get(client=client, pk=pk)
    pages = _unseal(row, "pdf", row.sealed_pdf)
    detail = {"document": row.kind, "version": row.version, "language": row.language}
    audit.record(AuditEvent.DOCUMENT_DOWNLOADED, client=client, by=by, detail=detail)
    return f"ibanse-{row.kind}-{row.language}-{row.made_on.isoformat()}.pdf", pages


def delete(client: Client, pk: UUID, *, by: Actor) -> None:
    """Delete a document and record which; raises DoesNotExist for one of another client, or a deleted one."""
    with transaction.atomic():
        Client.objects.lock(client)
        row = ClientDocument.objects.filter(client=client).defer("sealed_pdf").get(pk=pk)
        row.delete()
        detail = {"document": row.kind, "version": row.version, "language": row.language}
        audit.record(AuditEvent.DOCUMENT_DELETED, client=client, by=by, detail=detail)


def spaced(fingerprint: str) -> str:
    """Return a fingerprint in groups of four, for people to compare."""
    return " ".join(fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4))


def _refuse_too_many(client: Client) -> None:
    today = ClientDocument.objects.filter(client=client, made_on=timezone.localdate())
    if today.count() >= MOST_PER_DAY:
        raise Refusal("too_many_documents", limit=MOST_PER_DAY)


def _imprint(row: ClientDocument, paper: Paper, facts: DocumentFacts) -> pdf.Imprint:
    """Return the metadata and footer of a document that is being created."""
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
