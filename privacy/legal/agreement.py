"""The data-processing agreement of article 28 of the GDPR, in plain words. Knows no client but as a party.

What it says of the software is what the software does; what it obliges the operator to, the operator has reviewed (see
README.md). Whoever changes a word gives it a new VERSION: a test holds both together.
"""

from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from privacy.legal.parties import Party, facts
from privacy.legal.pdf import Kind, Line, Paper, Section

VERSION: Final = "2026-11"


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
            "The processor handles personal data for the controller when it runs the service. This agreement says what "
            "the processor may do with them and what it owes the controller. Words of the GDPR mean here what they "
            "mean there."
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


def _section(title: str, *paragraphs: str, points: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> Section:
    return Section(
        title,
        (
            *(Line(text) for text in paragraphs),
            *(Line(text, Kind.POINT) for text in points),
            *(Line(text) for text in after),
        ),
    )


def _subject() -> Section:
    return _section(
        _("Subject, nature, purpose and duration"),
        _(
            "The processor checks numbers of bank accounts (IBAN) that the controller enters on its pages or sends to "
            "its programming interface, and keeps the controller's account. The purpose is that the controller can "
            "tell well-formed numbers from wrong ones before it pays or stores them."
        ),
        _(
            "The data are received, checked by calculation and against public tables, answered and, as far as the "
            "controller has chosen it, stored in encrypted form."
        ),
        _(
            "The agreement holds as long as the controller has an account. What it says of confidentiality, deletion "
            "and evidence holds until all personal data are deleted."
        ),
    )


def _data() -> Section:
    return _section(
        _("Whose data, and which"),
        _("The data are about:"),
        points=(
            _("people whose account numbers the controller checks, such as payees, customers and employees;"),
            _("the controller's own users of the service."),
        ),
        after=(
            _(
                "Of a check: the account number, with what follows from it (country, bank, BIC, result). Owners of the "
                "account choose what is kept of it: nothing; the time, the source, the country and the result without "
                "the number; or also the number, the bank and the caller's network address, encrypted."
            ),
            _(
                "Of users: e-mail address, name, role, language, means of signing in, network addresses of sessions, "
                "and the history of what they did in the account."
            ),
            _(
                "Special categories of personal data (article 9) and data on criminal convictions (article 10) are "
                "not needed, and the controller does not send them."
            ),
            _(
                "For invoicing and for fending off abuse the processor is a controller of its own; its privacy notice "
                "tells of that."
            ),
        ),
    )


def _instructions() -> Section:
    return _section(
        _("Instructions (article 28.3 a)"),
        _(
            "The processor handles the data only on documented instructions from the controller, also as to transfers "
            "to other countries. Instructions are this agreement and what the owners of the account choose in its "
            "settings; each such choice is in the history of the account, with time and user."
        ),
        _(
            "If the law of the Union or of a member state obliges the processor to more, it says so beforehand, "
            "unless that law forbids it. If it believes that an instruction breaks the law, it says so at once and "
            "may wait with it until the controller has confirmed or changed it."
        ),
    )


def _confidentiality() -> Section:
    return _section(
        _("Confidentiality (article 28.3 b)"),
        _(
            "Only persons who need the data for their work, and who are bound to confidentiality by contract or by "
            "law, get access to them. That holds beyond the end of their work and of this agreement."
        ),
    )


def _security() -> Section:
    return _section(
        _("Security (articles 28.3 c and 32)"),
        _(
            "The processor takes the measures of the document “Technical and organisational measures”, which the "
            "controller can get in its account at any time. It may replace a measure by another one as long as the "
            "protection does not become less."
        ),
    )


def _subprocessors() -> Section:
    named = settings.SUBPROCESSORS or ()
    listed = (
        _("When this document was made, these were engaged:")
        if named
        else _("When this document was made, no other processor was engaged.")
    )
    return _section(
        _("Other processors (articles 28.2, 28.3 d and 28.4)"),
        _(
            "The controller permits the processor in general to engage other processors. Each of them is bound by "
            "contract to the same obligations as in this agreement, and the processor answers for what they do as for "
            "its own deeds."
        ),
        listed,
        points=tuple(f"{other.name}, {other.country}: {other.purpose}" for other in named),
        after=(
            _(
                "The processor writes to the owners of the account at least 30 days before it engages another one or "
                "replaces one. Within that time the controller may object for reasons of data protection; if no "
                "solution is found, it may end the contract before the change."
            ),
        ),
    )


def _rights() -> Section:
    return _section(
        _("Rights of the persons concerned (article 28.3 e)"),
        _(
            "The processor helps the controller to answer people who ask for their rights. Owners can do most of it "
            "themselves: find an account number in the log and delete it there, take a copy of everything, correct "
            "details, remove users. Who turns to the processor directly is sent on to the controller."
        ),
    )


def _assistance() -> Section:
    return _section(
        _("Breaches and other help (article 28.3 f)"),
        _(
            "The processor tells the owners of the account of a personal data breach without undue delay, at the "
            "latest 48 hours after it has learned of it, with what is known: what happened, whose and which data, the "
            "likely consequences, and what was done. What is learned later follows."
        ),
        _(
            "It helps the controller, as far as it has the information, with impact assessments and with consulting "
            "the supervisory authority (articles 35 and 36)."
        ),
    )


def _transfers() -> Section:
    return _section(
        _("Transfers to other countries"),
        _(
            "The data stay within the European Union and the European Economic Area, unless the list of other "
            "processors above names another country or the controller itself asks from elsewhere. A transfer takes "
            "place only if chapter V of the GDPR permits it."
        ),
    )


def _ending() -> Section:
    return _section(
        _("Deletion and return (article 28.3 g)"),
        _(
            "Records of checks are deleted by themselves after the days that the controller has chosen, between 1 and "
            "365. Owners can delete them earlier, one by one or all."
        ),
        _(
            "When the service ends, the controller may take a copy of all data, as documents for programs and for "
            "spreadsheets, and the processor deletes the data within 30 days, unless the law obliges it to keep some. "
            "With them goes the key that only this account has: what was encrypted with it can no longer be read then, "
            "also in backups of the data."
        ),
        _("What was stored in clear remains in backups for another 35 days at most, until they are overwritten."),
    )


def _audits() -> Section:
    return _section(
        _("Evidence and audits (article 28.3 h)"),
        _(
            "The processor gives the controller all information that is needed to show that article 28 is complied "
            "with, and allows and supports audits, inspections included, by the controller or by an auditor whom it "
            "has charged and who is bound to secrecy."
        ),
        _(
            "An audit on site is announced 30 days ahead, takes place in working hours and disturbs as little as "
            "possible; data of other customers are not disclosed. After a breach, or when an authority asks for it, a "
            "shorter time is enough."
        ),
    )


def _rest() -> Section:
    return _section(
        _("Liability, law and precedence"),
        _("Article 82 of the GDPR holds for liability."),
        _(
            "The law that applies to the terms of the service applies to this agreement. Where the two differ as to "
            "personal data, this agreement goes first. Changes need text form."
        ),
    )
