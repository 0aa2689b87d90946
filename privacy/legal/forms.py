"""The form by which owners request a legal document."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.forms.base import BaseForm
from accounts.forms.choices import Option, Radios
from privacy.models import ClientDocument


class DocumentForm(BaseForm):
    """Which document, in which language."""

    marks_optional_fields = False

    kind = forms.ChoiceField(
        label=_("Which document?"),
        choices=(
            (
                ClientDocument.Kind.AGREEMENT.value,
                Option(
                    _("Data-processing agreement"),
                    _(
                        "What we may do with personal data, and our obligations to you (GDPR, Article 28). "
                        "Both parties sign it."
                    ),
                ),
            ),
            (
                ClientDocument.Kind.MEASURES.value,
                Option(
                    _("Technical and organisational measures"),
                    _("How the data are protected, and how this is verified (GDPR, Article 32)."),
                ),
            ),
        ),
        widget=Radios,
        error_messages={"required": _("Choose an option.")},
    )
    language = forms.ChoiceField(label=_("Language of the document"), choices=settings.LANGUAGES)
