"""Blocking an IP address or network, and unblocking it."""

from datetime import timedelta
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.forms.lines import LineField
from accounts.guard import blocks
from accounts.guard.models import Block
from accounts.permissions import StaffPermission
from accounts.staff import ip_blocks
from accounts.staff.justification import Justification
from ibanse.backoffice.forms import ActionForm, InternalActionForm
from ibanse.backoffice.model_admin import moment
from ibanse.backoffice.pages import RECORDED_FOR_STAFF, Fact, StaffActionView


class BlockForm(InternalActionForm):
    """What to block, and for how long."""

    DURATIONS: Final = {
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
    hours = forms.ChoiceField(label=_("Duration"), choices=tuple(DURATIONS.items()), initial="24")
    field_order = ("network", "hours")

    def clean_network(self) -> str:
        """Refuse what is no IP address or network."""
        text: str = self.cleaned_data["network"]
        try:
            blocks.overlapping(text)
        except blocks.BlockRefused:
            raise ValidationError(_("Not a valid IP address or network.")) from None
        return text

    def duration(self) -> timedelta | None:
        """Return for how long, None without an end."""
        hours = int(self.cleaned_data["hours"])
        return timedelta(hours=hours) if hours else None


class SetBlock(StaffActionView[None]):
    """Block an IP address or network."""

    name, path, permission = "set_block", "blocks/add/", StaffPermission.SET_BLOCK
    section = "security"
    link = _("Block an IP address")
    question = _("Block an IP address or network?")
    meaning = (
        _("Within two seconds, all API calls from there are refused, whichever key they use."),
        _("Blocking again updates case and end date."),
        RECORDED_FOR_STAFF,
    )
    done = already = _("The IP address has been blocked.")
    is_grave = True
    form_class: ClassVar[type[ActionForm]] = BlockForm

    def find(self, **place: Any) -> None:
        """There is no row yet."""

    def carry_out(self, row: None, justification: Justification, form: Any) -> bool:
        """Block it."""
        duration = form.duration()
        until = timezone.now() + duration if duration else None
        ip_blocks.block(form.cleaned_data["network"], justification, until=until)
        return True

    def client_id(self, row: None) -> None:
        """An IP address belongs to no client."""

    def back(self, row: None) -> str:
        """Return to the list of blocks."""
        return reverse("admin:guard_block_changelist")


class LiftBlock(StaffActionView[Block]):
    """Unblock an IP address or network."""

    name, path, permission = "lift_block", "blocks/<int:pk>/lift/", StaffPermission.LIFT_BLOCK
    on = Block
    link = _("Unblock")
    question = _("Unblock this IP address?")
    meaning = (_("API calls from there are accepted again within two seconds."), RECORDED_FOR_STAFF)
    done = _("The IP address has been unblocked.")
    already = _("The IP address was no longer blocked. No changes were made.")
    form_class: ClassVar[type[ActionForm]] = InternalActionForm

    def carry_out(self, row: Block, justification: Justification, form: Any) -> bool:
        """Unblock it."""
        return ip_blocks.lift(row.network, justification)

    def client_id(self, row: Block) -> None:
        """An IP address belongs to no client."""

    def facts(self, row: Block) -> list[Fact]:
        """Return what is blocked, why and until when."""
        return [
            (_("IP address or network"), row.network),
            (_("Case number"), row.reason),
            (_("Since"), moment(row.created_at)),
            (_("Until"), moment(row.expires_at) if row.expires_at else _("until lifted")),
        ]

    def back(self, row: Block) -> str:
        """Return to the list of blocks."""
        return reverse("admin:guard_block_changelist")


PAGES = (SetBlock.as_page(), LiftBlock.as_page())
