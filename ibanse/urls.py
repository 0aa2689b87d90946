"""Which app answers which path."""

from django.urls import include, path

urlpatterns = [
    path("", include("validation.urls")),
]
handler400 = "ibanse.errors.bad_request"
handler500 = "ibanse.errors.server_error"
