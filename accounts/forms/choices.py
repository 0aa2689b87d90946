"""Several choices on a form, with what each of them means: templates/parts/choices.html shows both."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several, with what it means."""

    name: Promise
    meaning: Promise


class _Explained:
    """Ties each choice to what it means, and puts the focus of a wrong field on the first one only."""

    def create_option(self, *args: Any, **options: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(*args, **options)  # type: ignore[misc]  # Django's widget below
        option["attrs"]["aria-describedby"] = f"{option['attrs']['id']}_meaning"
        if option["index"] != "0":
            option["attrs"].pop("autofocus", None)
        return option


class Radios(_Explained, forms.RadioSelect):
    """One of several choices."""


class Checkboxes(_Explained, forms.CheckboxSelectMultiple):
    """Any of several choices."""
