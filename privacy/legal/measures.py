"""The technical and organisational measures (GDPR, Article 32): the claims proven for a release, as a document.

It says nothing that the security page does not say: both read the same table, and a claim without evidence is on
neither. Changing any text of this module requires a new VERSION.
"""

from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from privacy.legal.parties import Party, facts
from privacy.legal.pdf import BlockKind, Paper, PaperSection, Paragraph
from privacy.security_page import evidence

VERSION: Final = "2026-12"


def paper(controller: Party, processor: Party) -> Paper:
    """Return the measures, issued to the controller, in the active language."""
    return Paper(
        title=_("Technical and organisational measures"),
        facts=(
            facts(_("Controller"), controller),
            facts(_("Processor"), processor),
            (_("Service"), settings.SITE_URL),
            (_("Legal basis"), _("Article 32 of the General Data Protection Regulation (GDPR)")),
        ),
        intro=_(
            "These are the measures implemented in the software of the service. Each is listed only "
            "while the tests that prove it pass for the running version. Measures the processor takes "
            "outside the software, such as staff training, are not part of this document."
        ),
        sections=tuple(_sections()),
    )


def are_proved() -> bool:
    """Return whether there is any measure to list: only a release has results."""
    return any(shown.passed_on for section in evidence.sections() for shown in section.claims)


def _sections() -> Iterator[PaperSection]:
    for section in evidence.sections():
        lines: list[Paragraph] = []
        for shown in section.claims:
            if shown.passed_on is None:
                continue
            day = date_format(shown.passed_on, "DATE_FORMAT")
            checked = _("How it is checked: %(check)s Passed on %(day)s.") % {"check": shown.claim.check, "day": day}
            lines += [
                Paragraph(str(shown.claim.says), BlockKind.STRONG),
                Paragraph(str(shown.claim.how)),
                Paragraph(checked, BlockKind.FINE),
            ]
        yield PaperSection(str(section.subject.title), tuple(lines))
