"""Forms of sign-up, sign-in and factors: allauth's with our labels and without placeholders, and our own."""

import uuid
from typing import Any, ClassVar

from allauth.account import forms as account_forms
from allauth.core import context, ratelimit
from allauth.mfa.base import forms as factor_forms
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as passkey_forms
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import counters
from accounts.forms.lines import LineField
from accounts.models import User

MAX_EMAIL_CHARACTERS = 254
NEW_PASSWORD_HELP = _("At least 12 characters. A few words in a row are strong and easy to remember.")
PASSKEY_NAME_CHARACTERS = 60


class PlainForm(forms.Form):
    """Sets our labels on allauth's fields and removes the placeholders, which only repeat them."""

    labels: ClassVar[dict[str, Any]] = {}
    helps: ClassVar[dict[str, Any]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            field.help_text = self.helps.get(name, "")


class CodeField(forms.CharField):
    """A mailed code: displayed large, offered by phones, never autocorrected."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("Code"))
        super().__init__(max_length=32, **options)
        self.widget.attrs |= {
            "autocomplete": "one-time-code",
            "autocapitalize": "characters",
            "autocorrect": "off",
            "spellcheck": "false",
            "class": "code",
        }


class SignInForm(PlainForm, account_forms.LoginForm):
    """E-mail address and password."""

    labels: ClassVar = {"login": _("E-mail address"), "password": _("Password")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Password managers look for "username"; "webauthn" lets browsers offer a passkey in the same place.
        self.fields["login"].widget.attrs["autocomplete"] = "username webauthn"


class SignUpForm(forms.Form):
    """E-mail address, password, company and consent."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=MAX_EMAIL_CHARACTERS,
        widget=forms.EmailInput({"autocomplete": "email"}),
    )
    company = LineField(label=_("Company"), widget=forms.TextInput({"autocomplete": "organization"}))
    password1 = forms.CharField(
        label=_("Password"),
        help_text=NEW_PASSWORD_HELP,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=_("Repeat password"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    terms = forms.BooleanField(
        error_messages={"required": _("Tick this box to continue. An account cannot be created without it.")},
    )

    def clean_email(self) -> str:
        """Return the e-mail address in lower case: addresses are compared case-insensitively."""
        email: str = self.cleaned_data["email"]
        return email.lower()

    def clean(self) -> dict[str, Any]:
        """Check the password, also against e-mail address and company."""
        cleaned = self.cleaned_data
        password = cleaned.get("password1")
        if password:
            user = User(email=cleaned.get("email", ""))
            user.company = cleaned.get("company", "")  # type: ignore[attr-defined]  # read by our password validator
            try:
                validate_password(password, user)
            except forms.ValidationError as error:
                self.add_error("password1", error)
        if password and "password2" in cleaned and cleaned["password2"] != password:
            self.add_error("password2", _("The passwords do not match."))
        return cleaned


class CodeForm(forms.Form):
    """One mailed code."""

    code = CodeField()


class EmailChangeForm(forms.Form):
    """A new e-mail address."""

    email = forms.EmailField(
        label=_("New e-mail address"),
        max_length=MAX_EMAIL_CHARACTERS,
        widget=forms.EmailInput({"autocomplete": "email"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self) -> str:
        """Return the e-mail address in lower case; refuse the user's current one."""
        email: str = self.cleaned_data["email"].lower()
        if email == self.user.email:
            raise forms.ValidationError(_("This is your current e-mail address."))
        return email


class EmailChangeCodesForm(forms.Form):
    """The codes from both mailboxes."""

    new_code = CodeField(label=_("Code sent to the new e-mail address"))
    old_code = CodeField(label=_("Code sent to the current e-mail address"))


class _TwoPasswordsForm(PlainForm):
    labels: ClassVar = {
        "oldpassword": _("Current password"),
        "password1": _("New password"),
        "password2": _("Repeat new password"),
    }
    helps: ClassVar = {"password1": NEW_PASSWORD_HELP}


class ChangePasswordForm(_TwoPasswordsForm, account_forms.ChangePasswordForm):
    """The current password and a new one."""


class SetPasswordForm(_TwoPasswordsForm, account_forms.SetPasswordForm):
    """A first password, for a user without one."""


class NewPasswordForm(_TwoPasswordsForm, account_forms.ResetPasswordKeyForm):
    """A new password in place of a forgotten one."""


class ResetPasswordForm(PlainForm, account_forms.ResetPasswordForm):
    """The e-mail address of a user who forgot the password."""

    labels: ClassVar = {"email": _("E-mail address")}

    def clean_email(self) -> str:
        """Look the user up with one query: allauth makes a second one for an unknown address, which would reveal it."""
        email: str = self.cleaned_data["email"].lower()
        self.users = list(User.objects.filter(email=email, is_active=True))
        return email


class PasswordAgainForm(PlainForm, account_forms.ReauthenticateForm):
    """The password again, to reauthenticate."""

    labels: ClassVar = {"password": _("Password")}


class _CodeBase(PlainForm):
    labels: ClassVar = {"code": _("Code")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs |= {"class": "code", "autocorrect": "off", "spellcheck": "false"}


class ResetCodeForm(_CodeBase, account_forms.ConfirmPasswordResetCodeForm):
    """The code for a forgotten password."""

    def clean_code(self) -> str:
        """Compare the code. For an unknown address there is none; then a user is looked up all the same.

        allauth does so after a wrong code for a known address, and the difference would reveal which it was.
        """
        if not self.expected_code:
            User.objects.filter(pk=uuid.uuid4()).first()
        code: str = super().clean_code()
        return code


class SignInCodeForm(_CodeBase, account_forms.ConfirmLoginCodeForm):
    """The code that an unknown browser needs besides the password."""

    def clean_code(self) -> str:
        """Check the code, three times at most: allauth counts in the session, where simultaneous tries count once."""
        name = salted_hmac("accounts.auth.sign_in_code", self.expected_code).hexdigest()
        if not ratelimit.consume(context.request, action="sign_in_code_tried", key=name):
            raise forms.ValidationError(_("Too many attempts. Wait a few minutes and try again."))
        try:
            code: str = super().clean_code()
        except forms.ValidationError:
            counters.count("sign_ins", "code")
            raise
        return code


class EmailCodeForm(_CodeBase, account_forms.ConfirmEmailVerificationCodeForm):
    """The code that verifies an e-mail address."""


class _FactorCodeBase(_CodeBase):
    def clean_code(self) -> str:
        """Check the code and count a wrong one as a metric, without the user."""
        try:
            code: str = super().clean_code()  # type: ignore[misc]  # allauth's, of the other base class
        except forms.ValidationError:
            counters.count("sign_ins", "code")
            raise
        return code


class FactorCodeForm(_FactorCodeBase, factor_forms.AuthenticateForm):
    """A code of the authenticator app, or a recovery code."""


class FactorCodeAgainForm(_FactorCodeBase, factor_forms.ReauthenticateForm):
    """A code of the authenticator app, or a recovery code, to reauthenticate."""


class ActivateTOTPForm(_CodeBase, totp_forms.ActivateTOTPForm):
    """The first code of a new app."""


class AddPasskeyForm(PlainForm, passkey_forms.AddWebAuthnForm):
    """A name for the new passkey; the browser fills in the rest."""

    labels: ClassVar = {"name": _("Name"), "passwordless": _("Sign in with the passkey alone, without a password")}
    helps: ClassVar = {"name": _("To tell it apart from others, for example “Phone” or “Blue key”.")}
    name = LineField(max_length=PASSKEY_NAME_CHARACTERS, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True


class RenamePasskeyForm(PlainForm, passkey_forms.EditWebAuthnForm):
    """Another name for a passkey."""

    labels: ClassVar = {"name": _("Name")}
    name = LineField(max_length=PASSKEY_NAME_CHARACTERS)
