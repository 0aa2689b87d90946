"""What the pages of deeds ask staff for: always a reason, and what else a deed needs."""

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.forms.base import BaseForm
from accounts.forms.lines import LineField
from accounts.guard import blocks
from accounts.models import Client
from accounts.staff import limits
from accounts.staff.justification import LEAST_CHARACTERS, MOST_CHARACTERS, MOST_TICKET_CHARACTERS, Justification
from accounts.usage import quota


class ActionForm(BaseForm):
    """A reason, under which the deed is found again and explained to who asks."""

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
        """Return the reason as the deeds take it; the form has been found right."""
        return Justification(by, self.cleaned_data["ticket"], self.cleaned_data["words"])


class StaffActionForm(ActionForm):
    """The reason of a deed that no client hears of."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["words"].help_text = _("At least ten characters. Stored only in the staff audit log.")


class QuotaForm(ActionForm):
    """Units per month."""

    before = forms.IntegerField(widget=forms.HiddenInput)
    units = forms.IntegerField(label=_("Checks per month"), min_value=0, max_value=quota.MOST_UNITS)
    field_order = ("before", "units")

    def __init__(self, *args: Any, row: Client, **options: Any) -> None:
        super().__init__(*args, row=row, **options)
        self.initial.update(before=row.monthly_quota, units=row.monthly_quota)


class UserLimitForm(ActionForm):
    """Most users."""

    before = forms.IntegerField(widget=forms.HiddenInput)
    most = forms.IntegerField(
        label=_("Maximum number of users, including open invitations"), min_value=1, max_value=limits.MOST_USERS
    )
    field_order = ("before", "most")

    def __init__(self, *args: Any, row: Client, **options: Any) -> None:
        super().__init__(*args, row=row, **options)
        self.initial.update(before=row.user_limit, most=row.user_limit)


class NoteForm(ActionForm):
    """A note is its own reason."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["words"].label = _("Note")
        self.fields["words"].help_text = _(
            "At least ten characters, for colleagues who take over the case. The client receives the "
            "note with the copy of its data: do not write anything it may not read, and no IBAN."
        )


class BlockForm(StaffActionForm):
    """What to block, and for how long."""

    LASTS: Final = {
        "1": _("One hour"),
        "24": _("One day"),
        "168": _("Seven days"),
        "720": _("30 days"),
        "0": _("Until lifted"),
    }

    network = LineField(
        label=_("IP address or network"),
        max_length=50,
        help_text=_("For example 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    hours = forms.ChoiceField(label=_("Duration"), choices=tuple(LASTS.items()), initial="24")
    field_order = ("network", "hours")

    def clean_network(self) -> str:
        """Refuse what is no address or network."""
        text: str = self.cleaned_data["network"]
        try:
            blocks.overlapping(text)
        except blocks.BlockRefused:
            raise ValidationError(_("Not a valid IP address or network.")) from None
        return text

    def lasts(self) -> timedelta | None:
        """Return for how long, None without an end."""
        hours = int(self.cleaned_data["hours"])
        return timedelta(hours=hours) if hours else None
