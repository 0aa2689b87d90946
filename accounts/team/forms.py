"""Forms of a client's team: what an owner enters to invite a colleague, and what the colleague enters to join."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from accounts.forms.base import BaseForm
from accounts.forms.lines import LineField
from accounts.models import User


class InvitationForm(BaseForm):
    """The e-mail address to invite."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("We e-mail a link that can be used once and is valid for seven days."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


class JoinForm(BaseForm):
    """The name and password of an invited colleague."""

    name = LineField(label=_("Your name"), widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Choose a password"),
        max_length=1000,
        strip=False,
        help_text=_("At least 12 characters. A sentence of your own is easy to remember and hard to guess."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.email = email

    def clean_password(self) -> str:
        """Apply the password rules, which also compare with the e-mail address."""
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.email))
        return password
