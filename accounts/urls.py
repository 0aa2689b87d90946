"""The paths of the client area. Sign-in, password, factors and sessions have theirs in accounts/identity."""

from django.urls import path

from accounts.pages import details, history, joining, overview, settings, support_access, users

app_name = "accounts"
urlpatterns = [
    path("overview/", overview.overview, name="overview"),
    path("account/", settings.account, name="account"),
    path("account/profile/", details.profile, name="profile"),
    path("account/contact/", details.contact, name="contact"),
    path("account/billing/", details.billing, name="billing"),
    path("account/users/", users.users, name="users"),
    path("account/users/invite/", users.invite, name="invite"),
    path("account/users/<uuid:pk>/<slug:deed>/", users.change, name="change_user"),
    path("account/invitations/<uuid:pk>/resend/", users.resend, name="resend_invitation"),
    path("account/invitations/<uuid:pk>/withdraw/", users.withdraw, name="withdraw_invitation"),
    path("account/history/", history.history, name="history"),
    path("account/history/verify/", history.verify, name="verify_history"),
    path("account/history/export/", history.export, name="export_history"),
    path("account/support-access/", support_access.show, name="support_access"),
    path("account/support-access/grant/", support_access.grant, name="grant_support_access"),
    path("account/support-access/end/", support_access.end, name="end_support_access"),
    path("account/settings/", settings.settings, name="settings"),
    path("invitations/<str:token>/", joining.accept, name="accept"),
    path("recovery/<str:token>/", joining.cancel_recovery, name="cancel_recovery"),
]
