"""The data-processing agreement (GDPR, Article 28), in plain language. Knows a client only as a party.

What it says about the software is what the software does; its obligations of the operator have been reviewed by the
operator (see README.md). Changing any text requires a new VERSION; a test compares the two.
"""

from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from privacy.legal.parties import Party, facts
from privacy.legal.pdf import BlockKind, Paper, PaperSection, Paragraph

VERSION: Final = "2026-12"


def paper(controller: Party, processor: Party) -> Paper:
    """Return the agreement between the two, in the active language."""
    return Paper(
        title=_("Data-processing agreement"),
        facts=(
            facts(_("Controller"), controller),
            facts(_("Processor"), processor),
            (_("Service"), settings.SITE_URL),
            (
                _("Legal basis"),
                _("Article 28 of the General Data Protection Regulation (GDPR)"),
            ),
        ),
        intro=_(
            "The processor processes personal data on behalf of the controller when it runs the service. "
            "This agreement sets out what the processor may do with the data and what it owes the "
            "controller. Terms defined in the GDPR have the same meaning here."
        ),
        sections=(
            _subject(),
            _data(),
            _instructions(),
            _confidentiality(),
            _security(),
            _subprocessors(),
            _rights(),
            _assistance(),
            _transfers(),
            _ending(),
            _audits(),
            _rest(),
        ),
        signatures=(_signs(controller), _signs(processor)),
    )


def _signs(party: Party) -> tuple[str, ...]:
    return party.name, _("Place and date:"), _("Name:")


def _section(title: str, *paragraphs: str, points: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> PaperSection:
    return PaperSection(
        title,
        (
            *(Paragraph(text) for text in paragraphs),
            *(Paragraph(text, BlockKind.POINT) for text in points),
            *(Paragraph(text) for text in after),
        ),
    )


def _subject() -> PaperSection:
    return _section(
        _("Subject, nature, purpose and duration"),
        _(
            "The processor checks bank account numbers (IBAN) that the controller enters on the "
            "processor's pages or sends to its API, and maintains the controller's account. The purpose "
            "is to let the controller tell well-formed numbers from incorrect ones before it pays to "
            "them or stores them."
        ),
        _(
            "The data are received, checked by calculation and against public tables, returned with the "
            "result and, to the extent the controller has chosen, stored in encrypted form."
        ),
        _(
            "The agreement applies as long as the controller has an account. Its provisions on "
            "confidentiality, deletion and evidence apply until all personal data have been deleted."
        ),
    )


def _data() -> PaperSection:
    return _section(
        _("Data subjects and types of data"),
        _("The data concern:"),
        points=(
            _("people whose account numbers the controller checks, such as payees, customers and employees;"),
            _("the controller's own users of the service."),
        ),
        after=(
            _(
                "For a check: the account number and what follows from it (country, bank, BIC, result). "
                "Owners of the account choose what is stored: nothing; the time, the source, the country "
                "and the result without the number; or also the number, the bank and the caller's IP "
                "address, encrypted."
            ),
            _(
                "For users: e-mail address, name, role, language, sign-in methods, IP addresses of "
                "sessions, and the audit log of their actions in the account."
            ),
            _(
                "Special categories of personal data (Article 9) and data on criminal convictions "
                "(Article 10) are not needed, and the controller does not send them."
            ),
            _(
                "For invoicing and for protection against abuse the processor is itself a controller; "
                "this is described in its privacy notice."
            ),
        ),
    )


def _instructions() -> PaperSection:
    return _section(
        _("Instructions (Article 28(3)(a))"),
        _(
            "The processor processes the data only on documented instructions from the controller, "
            "including with regard to transfers to other countries. Instructions are this agreement and "
            "what the owners of the account choose in its settings; each such choice is recorded in the "
            "account's audit log, with time and user."
        ),
        _(
            "If Union or member state law requires further processing, the processor informs the "
            "controller beforehand, unless that law forbids it. If the processor believes that an "
            "instruction breaks the law, it informs the controller at once and may suspend carrying it "
            "out until the controller has confirmed or changed it."
        ),
    )


def _confidentiality() -> PaperSection:
    return _section(
        _("Confidentiality (Article 28(3)(b))"),
        _(
            "Access is limited to persons who need the data for their work and who are bound to "
            "confidentiality by contract or by law. This obligation continues after their work and this "
            "agreement have ended."
        ),
    )


def _security() -> PaperSection:
    return _section(
        _("Security (Articles 28(3)(c) and 32)"),
        _(
            "The processor takes the measures in the document “Technical and organisational measures”, "
            "which the controller can download from its account at any time. The processor may replace a "
            "measure with another one as long as the level of protection is not reduced."
        ),
    )


def _subprocessors() -> PaperSection:
    named = settings.SUBPROCESSORS or ()
    listed = (
        _("When this document was created, the following were engaged:")
        if named
        else _("When this document was created, no other processor was engaged.")
    )
    return _section(
        _("Other processors (Articles 28(2), 28(3)(d) and 28(4))"),
        _(
            "The controller gives the processor general authorisation to engage other processors. Each "
            "of them is bound by contract to the same obligations as in this agreement, and the "
            "processor is liable for their actions as for its own."
        ),
        listed,
        points=tuple(f"{other.name}, {other.country}: {other.purpose}" for other in named),
        after=(
            _(
                "The processor notifies the owners of the account at least 30 days before it engages or "
                "replaces another processor. Within that time the controller may object on data "
                "protection grounds; if no solution is found, it may terminate the contract before the "
                "change."
            ),
        ),
    )


def _rights() -> PaperSection:
    return _section(
        _("Rights of data subjects (Article 28(3)(e))"),
        _(
            "The processor helps the controller to respond to people who exercise their rights. Owners "
            "can do most of it themselves: find an account number in the check log and delete it there, "
            "download a copy of everything, correct details, remove users. Anyone who contacts the "
            "processor directly is referred to the controller."
        ),
    )


def _assistance() -> PaperSection:
    return _section(
        _("Breaches and other assistance (Article 28(3)(f))"),
        _(
            "The processor notifies the owners of the account of a personal data breach without undue "
            "delay, and no later than 48 hours after becoming aware of it, with what is known: what "
            "happened, whose and which data, the likely consequences, and what has been done. Further "
            "information follows as it becomes known."
        ),
        _(
            "The processor assists the controller, as far as it has the information, with impact "
            "assessments and with consulting the supervisory authority (Articles 35 and 36)."
        ),
    )


def _transfers() -> PaperSection:
    return _section(
        _("Transfers to other countries"),
        _(
            "The data stay within the European Union and the European Economic Area, unless the list of "
            "other processors above names another country or the controller itself uses the service from "
            "elsewhere. A transfer takes place only if Chapter V of the GDPR permits it."
        ),
    )


def _ending() -> PaperSection:
    return _section(
        _("Deletion and return (Article 28(3)(g))"),
        _(
            "Check records are deleted automatically after the number of days that the controller has "
            "chosen, between 1 and 365. Owners can delete them earlier, one by one or all at once."
        ),
        _(
            "When the service ends, the controller may download a copy of all data in machine-readable "
            "and spreadsheet formats, and the processor deletes the data within 30 days, unless the law "
            "obliges it to retain some of them. The account's own key is destroyed with them: what was "
            "encrypted with it can then no longer be read, not even in backups of the data."
        ),
        _("Data stored unencrypted remain in backups for another 35 days at most, until they are overwritten."),
    )


def _audits() -> PaperSection:
    return _section(
        _("Evidence and audits (Article 28(3)(h))"),
        _(
            "The processor gives the controller all information needed to demonstrate compliance with "
            "Article 28, and allows and supports audits, including inspections, by the controller or by "
            "an auditor appointed by the controller who is bound to secrecy."
        ),
        _(
            "An on-site audit is announced 30 days in advance, takes place during working hours and "
            "causes as little disruption as possible; data of other customers are not disclosed. After a "
            "breach, or when an authority requires it, a shorter notice is enough."
        ),
    )


def _rest() -> PaperSection:
    return _section(
        _("Liability, governing law and precedence"),
        _("Liability is governed by Article 82 of the GDPR."),
        _(
            "This agreement is governed by the same law as the terms of service. If the two differ with "
            "regard to personal data, this agreement takes precedence. Changes must be made in text form."
        ),
    )
