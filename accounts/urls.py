"""The URLs of the account pages. Sign-in, password, second factor and sessions have theirs in accounts/auth/urls.py."""

from django.urls import path

from accounts.audit import views as audit_views
from accounts.profile import views as profile_views
from accounts.staff import views as staff_views
from accounts.team import views as team_views
from accounts.usage import views as usage_views

app_name = "accounts"
urlpatterns = [
    path("overview/", usage_views.overview, name="overview"),
    path("account/", profile_views.account_index, name="account"),
    path("account/profile/", profile_views.profile, name="profile"),
    path("account/contact/", profile_views.contact, name="contact"),
    path("account/billing/", profile_views.billing, name="billing"),
    path("account/users/", team_views.users, name="users"),
    path("account/users/invite/", team_views.invite, name="invite"),
    path("account/users/<uuid:pk>/<slug:action>/", team_views.change, name="change_user"),
    path("account/invitations/<uuid:pk>/resend/", team_views.resend, name="resend_invitation"),
    path("account/invitations/<uuid:pk>/withdraw/", team_views.withdraw, name="withdraw_invitation"),
    path("account/history/", audit_views.history, name="history"),
    path("account/history/verify/", audit_views.verify, name="verify_history"),
    path("account/history/export/", audit_views.export, name="export_history"),
    path("account/support-access/", staff_views.show, name="support_access"),
    path("account/support-access/grant/", staff_views.grant, name="grant_support_access"),
    path("account/support-access/end/", staff_views.end, name="end_support_access"),
    path("account/settings/", profile_views.settings_index, name="settings"),
    path("invitations/<str:token>/", team_views.accept, name="accept"),
    path("recovery/<str:token>/", team_views.cancel_recovery, name="cancel_recovery"),
]
