"""The paths where owners decide about their data."""

from django.urls import path

from privacy.pages import deletion, documents, export, settings

app_name = "privacy"
urlpatterns = [
    path("security-and-privacy/", settings.security_and_privacy, name="security_and_privacy"),
    path("security-and-privacy/logging/", settings.change_logging, name="change_logging"),
    path("documents/", documents.documents, name="documents"),
    path("documents/make/", documents.make, name="make_document"),
    path("documents/<uuid:pk>/delete/", documents.delete, name="delete_document"),
    path("documents/<uuid:pk>/download/", documents.download, name="download_document"),
    path("second-factor/", settings.second_factor, name="second_factor"),
    path("security-and-privacy/export/", export.export, name="export"),
    path("security-and-privacy/export/request/", export.ask, name="request_export"),
    path("security-and-privacy/export/<uuid:pk>/download/", export.download, name="download_export"),
    path("security-and-privacy/deletion/", deletion.deletion, name="deletion"),
    path("security-and-privacy/deletion/request/", deletion.ask, name="request_deletion"),
    path("security-and-privacy/deletion/cancel/", deletion.cancel, name="cancel_deletion"),
    path("security-and-privacy/deletion/user/<uuid:pk>/", deletion.erase_user, name="erase_user"),
    path("security-and-privacy/deletion/<slug:scope>/", deletion.erase_part, name="erase_part"),
]
