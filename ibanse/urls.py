"""The URLs of the site."""

from django.urls import include, path

from ibanse import languages
from ibanse.backoffice import site
from privacy.contact import views

urlpatterns = [
    path("", include("validation.urls")),
    path("", include("accounts.auth.urls")),
    path("", include("accounts.urls")),
    path("", include("privacy.notice_urls")),
    path("account/settings/", include("privacy.urls")),
    path("", include("privacy.public_urls")),
    path("keys/", include("apikeys.urls")),
    path("contact/", views.contact, name="contact"),
    path("contact/sent/<uuid:pk>/", views.sent, name="contact_sent"),
    path("admin/", site.site.urls),
    path("language/", languages.switch, name="language"),
]
handler400 = "ibanse.errors.bad_request"
handler500 = "ibanse.errors.server_error"
