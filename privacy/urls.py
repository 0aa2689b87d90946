"""The paths where owners decide about their data."""

from django.urls import path

from privacy.pages import settings

app_name = "privacy"
urlpatterns = [
    path("security-and-privacy/", settings.security_and_privacy, name="security_and_privacy"),
    path("security-and-privacy/logging/", settings.change_logging, name="change_logging"),
    path("second-factor/", settings.second_factor, name="second_factor"),
]
