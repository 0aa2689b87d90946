"""URLs of the public pages: terms, privacy notice, security. Without a prefix, since RFC 9116 fixes the last one."""

from django.urls import path

from privacy.legal import views as legal_views
from privacy.security_page import views as security_views

urlpatterns = [
    path("terms/", legal_views.terms, name="terms"),
    path("privacy/", legal_views.notice, name="privacy"),
    path("security/", security_views.security, name="security"),
    path(".well-known/security.txt", security_views.security_txt, name="security_txt"),
]
