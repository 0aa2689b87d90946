"""The form of every staff action: always a case number and a reason."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.forms.base import BaseForm
from accounts.forms.lines import LineField
from accounts.staff.justification import LEAST_CHARACTERS, MOST_CHARACTERS, MOST_TICKET_CHARACTERS, Justification


class ActionForm(BaseForm):
    """A case number and a reason, by which the action is found again and explained later.

    `row` is what the action is done to; forms of actions that show its present values take them from there.
    """

    ticket = LineField(
        label=_("Case number"),
        max_length=MOST_TICKET_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    words = forms.CharField(
        label=_("Reason"),
        min_length=LEAST_CHARACTERS,
        max_length=MOST_CHARACTERS,
        help_text=_(
            "At least ten characters. Owners can read it in their audit log; the e-mail to them contains "
            "only the number."
        ),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, row: Any = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.row = row

    def justification(self, by: Actor) -> Justification:
        """Return what was typed as rules take it, once the form is valid."""
        return Justification(by, self.cleaned_data["ticket"], self.cleaned_data["words"])


class InternalActionForm(ActionForm):
    """The same for an action that no client is notified of."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["words"].help_text = _("At least ten characters. Stored only in the staff audit log.")
