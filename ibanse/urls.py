"""Which app answers which path."""

from django.urls import include, path

from ibanse import admin, languages
from privacy.pages import contact

urlpatterns = [
    path("", include("validation.urls")),
    path("", include("accounts.identity.urls")),
    path("", include("accounts.urls")),
    path("", include("privacy.notice_urls")),
    path("account/settings/", include("privacy.urls")),
    path("", include("privacy.public_urls")),
    path("keys/", include("apikeys.urls")),
    path("contact/", contact.contact, name="contact"),
    path("contact/sent/<uuid:pk>/", contact.sent, name="contact_sent"),
    path("admin/", admin.site.urls),
    path("language/", languages.switch, name="language"),
]
handler400 = "ibanse.errors.bad_request"
handler500 = "ibanse.errors.server_error"
