"""URLs of the pages on which owners decide about their data."""

from django.urls import path

from privacy.check_logging import views as check_logging_views
from privacy.deletion import views
from privacy.export import views as export_views
from privacy.legal import views as legal_views

app_name = "privacy"
urlpatterns = [
    path("security-and-privacy/", check_logging_views.security_and_privacy, name="security_and_privacy"),
    path("security-and-privacy/logging/", check_logging_views.change_logging, name="change_logging"),
    path("documents/", legal_views.documents, name="documents"),
    path("documents/make/", legal_views.make, name="make_document"),
    path("documents/<uuid:pk>/delete/", legal_views.delete, name="delete_document"),
    path("documents/<uuid:pk>/download/", legal_views.download, name="download_document"),
    path("second-factor/", check_logging_views.second_factor, name="second_factor"),
    path("security-and-privacy/export/", export_views.export, name="export"),
    path("security-and-privacy/export/request/", export_views.request_export, name="request_export"),
    path("security-and-privacy/export/<uuid:pk>/download/", export_views.download, name="download_export"),
    path("security-and-privacy/deletion/", views.deletion, name="deletion"),
    path("security-and-privacy/deletion/request/", views.request_deletion, name="request_deletion"),
    path("security-and-privacy/deletion/cancel/", views.cancel, name="cancel_deletion"),
    path("security-and-privacy/deletion/user/<uuid:pk>/", views.erase_user, name="erase_user"),
    path("security-and-privacy/deletion/<slug:scope>/", views.erase_part, name="erase_part"),
]
