"""The form by which an owner gives support access."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms.base import BaseForm
from accounts.forms.choices import Option, Radios


class SupportAccessForm(BaseForm):
    """How long support has access."""

    length = forms.ChoiceField(
        label=_("How long?"),
        choices=[
            ("hour", Option(_("One hour"), _("Enough while you are on the phone to us."))),
            ("day", Option(_("One day"), _("Enough for a question by e-mail."))),
            ("week", Option(_("Seven days"), _("When something needs to be investigated."))),
        ],
        widget=Radios,
        error_messages={"required": _("Choose an option.")},
    )
