"""Choices with an explanation each, rendered by templates/parts/choices.html."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: its label and what it means."""

    name: Promise
    meaning: Promise


class _Explained:
    """Links each choice to its explanation; of a wrong field only the first choice gets the focus."""

    def create_option(self, *args: Any, **options: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(*args, **options)  # type: ignore[misc]  # Django's widget below
        option["attrs"]["aria-describedby"] = f"{option['attrs']['id']}_meaning"
        if option["index"] != "0":
            option["attrs"].pop("autofocus", None)
        return option


class Radios(_Explained, forms.RadioSelect):
    """Radio buttons with explanations."""


class Checkboxes(_Explained, forms.CheckboxSelectMultiple):
    """Checkboxes with explanations."""
