"""A password must not resemble the e-mail address or the company; Django checks length and common passwords."""

from typing import Any

from django.contrib.auth.password_validation import UserAttributeSimilarityValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.profile import details


class NotLikeTheUserValidator(UserAttributeSimilarityValidator):
    """Refuses a password that is similar to the user's e-mail address or company name."""

    def __init__(self) -> None:
        super().__init__(user_attributes=("email", "company"))

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError `password_too_similar`.

        While a user is signing up, their company is expected as the attribute `company`.
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
        """Return the rule for display."""
        return _("It must not be too similar to your e-mail address or company name.")
