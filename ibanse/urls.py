"""Which app answers which path."""

from django.urls import include, path

from ibanse import languages

urlpatterns = [
    path("", include("validation.urls")),
    path("", include("accounts.identity.urls")),
    path("", include("accounts.urls")),
    path("account/settings/", include("privacy.urls")),
    path("keys/", include("apikeys.urls")),
    path("language/", languages.switch, name="language"),
]
handler400 = "ibanse.errors.bad_request"
handler500 = "ibanse.errors.server_error"
