"""A password must not be the address or the company over again. Length and common passwords are Django's to judge."""

from typing import Any

from django.contrib.auth.password_validation import UserAttributeSimilarityValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.profile import details


class NotLikeTheUserValidator(UserAttributeSimilarityValidator):
    """Refuses a password that is much like the user's e-mail address or the name of their company."""

    def __init__(self) -> None:
        super().__init__(user_attributes=("email", "company"))

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError `password_too_similar`.

        The company of somebody who is just signing up is expected as the attribute `company`.
        """
        if isinstance(user, User) and user.client is not None and not hasattr(user, "company"):
            user.company = details.contact(user.client).company  # type: ignore[attr-defined]  # read by the validator
        try:
            super().validate(password, user)
        except ValidationError:
            raise ValidationError(
                _("The password is too similar to your e-mail address or company name."),
                code="password_too_similar",
            ) from None

    def get_help_text(self) -> str:
        """Return the rule as a sentence."""
        return _("It must not be too similar to your e-mail address or company name.")
