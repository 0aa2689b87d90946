"""The paths of what anybody may read: terms, privacy, security. RFC 9116 fixes the last one, so they have no prefix."""

from django.urls import path

from privacy.legal import public_views

urlpatterns = [
    path("terms/", public_views.terms, name="terms"),
    path("privacy/", public_views.notice, name="privacy"),
    path("security/", public_views.security, name="security"),
    path(".well-known/security.txt", public_views.security_txt, name="security_txt"),
]
