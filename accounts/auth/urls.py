"""URLs of sign-up, sign-in and the user's own security. allauth reverses these names, so they have no namespace.

allauth's other pages are left out: user names, phones, several e-mail addresses, links instead of codes.
"""

from allauth.account import views as account
from allauth.account.decorators import reauthentication_required
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.urls import path
from django.views.generic import RedirectView

from accounts.auth import views

PASSKEYS = "account/second-factor/passkeys"

urlpatterns = [
    path("sign-up/", views.sign_up, name="account_signup"),
    path("sign-up/code/", views.sign_up_code, name="account_signup_code"),
    path("sign-in/", views.sign_in, name="account_login"),
    path("sign-in/passkey/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("sign-in/code/", account.confirm_login_code, name="account_confirm_login_code"),
    path("sign-in/second-factor/", factors.authenticate, name="mfa_authenticate"),
    path("sign-in/address/", account.email_verification_sent, name="account_email_verification_sent"),
    path("sign-in/inactive/", account.account_inactive, name="account_inactive"),
    path("sign-in/forgotten/", account.password_reset, name="account_reset_password"),
    path("sign-in/forgotten/code/", account.confirm_password_reset_code, name="account_confirm_password_reset_code"),
    path("sign-in/forgotten/password/", account.complete_password_reset, name="account_complete_password_reset"),
    path("sign-in/forgotten/done/", account.password_reset_from_key_done, name="account_password_reset_completed"),
    path("sign-out/", account.logout, name="account_logout"),
    path("account/again/", account.reauthenticate, name="account_reauthenticate"),
    path("account/again/code/", factors.reauthenticate, name="mfa_reauthenticate"),
    path("account/again/passkey/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("account/email/", views.change_email, name="account_email"),
    path("account/password/", account.password_change, name="account_change_password"),
    path("account/password/first/", reauthentication_required(account.password_set), name="account_set_password"),
    path("account/second-factor/", factors.index, name="mfa_index"),
    path("account/second-factor/app/", totp.activate_totp, name="mfa_activate_totp"),
    path("account/second-factor/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    # allauth redirects to its list of passkeys after a change; ours is part of the page of factors.
    path(f"{PASSKEYS}/", RedirectView.as_view(pattern_name="mfa_index"), name="mfa_list_webauthn"),
    path(f"{PASSKEYS}/add/", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path(f"{PASSKEYS}/<int:pk>/rename/", passkeys.edit_webauthn, name="mfa_edit_webauthn"),
    path(f"{PASSKEYS}/<int:pk>/remove/", passkeys.remove_webauthn, name="mfa_remove_webauthn"),
    path("account/second-factor/codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "account/second-factor/codes/new/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"
    ),
    path(
        "account/second-factor/codes/download/",
        recovery_codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
    path("account/sessions/", views.sessions, name="usersessions_list"),
    path("account/sessions/<int:pk>/end/", views.end_session, name="usersessions_end"),
    path("account/sessions/end-others/", views.end_other_sessions, name="usersessions_end_others"),
]
