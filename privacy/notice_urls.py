"""The paths of what anybody may read: terms, privacy, security. RFC 9116 fixes the last one, so they have no prefix."""

from django.urls import path

from privacy.pages import public

urlpatterns = [
    path("terms/", public.terms, name="terms"),
    path("privacy/", public.notice, name="privacy"),
    path("security/", public.security, name="security"),
    path(".well-known/security.txt", public.security_txt, name="security_txt"),
]
