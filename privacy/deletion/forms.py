"""Forms of deletions and receipts. Only the fields listed here are read from what is posted."""

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from accounts.forms.base import BaseForm
from privacy.deletion import receipts
from privacy.deletion.requesting import MOST_GRACE_DAYS

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile


class DeletionForm(BaseForm):
    """The grace period of an account deletion."""

    days = forms.IntegerField(
        label=_("Grace period (days)"),
        validators=[MinValueValidator(0), MaxValueValidator(MOST_GRACE_DAYS)],
        help_text=_(
            "From 0 to 30. During this time every owner can cancel with one click. With 0 the deletion "
            "starts within minutes of the confirmation."
        ),
        widget=forms.NumberInput(attrs={"min": 0, "max": MOST_GRACE_DAYS, "inputmode": "numeric"}),
    )


class ReceiptForm(BaseForm):
    """A receipt to verify, pasted or as a file."""

    marks_optional_fields = False

    file = forms.FileField(
        label=_("Receipt file"),
        required=False,
        allow_empty_file=True,
        help_text=_("Choose the file or drop it here: ibanse-receipt-….json"),
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )
    pasted = forms.CharField(
        label=_("Or paste its text"),
        required=False,
        max_length=receipts.MOST_BYTES,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )

    def clean_file(self) -> "UploadedFile[Any] | None":
        """Refuse a file larger than any receipt, before it is read."""
        file = cast("UploadedFile[Any] | None", self.cleaned_data["file"])
        if file is not None and (file.size or 0) > receipts.MOST_BYTES:
            raise forms.ValidationError(
                _("This file is too large to be a deletion receipt. Choose the file you received from us.")
            )
        return file

    def clean(self) -> dict[str, Any]:
        """Require one of the two."""
        if not self.errors and not self.cleaned_data.get("file") and not self.cleaned_data.get("pasted"):
            self.add_error("file", _("Choose a receipt file or paste its text."))
        return self.cleaned_data

    def text(self) -> str:
        """Return the receipt; the form is valid. A file takes precedence over pasted text."""
        file = self.cleaned_data.get("file")
        return file.read().decode(errors="replace") if file else str(self.cleaned_data["pasted"])
