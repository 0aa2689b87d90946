"""The base class of the project's forms."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import messages
from accounts.errors import Refusal


class BaseForm(forms.Form):
    """Marks optional fields and shows a refused action like a field error."""

    marks_optional_fields = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            if self.marks_optional_fields and not field.required:
                field.label = _("%(label)s (optional)") % {"label": field.label}

    def add_error(self, field: str | None, error: Any) -> None:
        """Add the error and set the focus on the first wrong field, so that screen readers announce it."""
        super().add_error(field, error)
        wrong = [self.fields[name].widget for name in self.fields if name in self.errors]
        for widget in wrong[1:]:
            widget.attrs.pop("autofocus", None)
        if wrong:
            wrong[0].attrs["autofocus"] = True

    def refuse(self, refusal: Refusal, field: str | None = None) -> None:
        """Show why the action was refused, at the field or above the form."""
        self.add_error(field, messages.refusal(refusal))
