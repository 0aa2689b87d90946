"""The paths of the check page, of the pages about countries, of the documentation of the API and of the log."""

from django.urls import path, re_path

from validation import log_pages, views
from validation.api import health
from validation.api.docs import views as api_docs

app_name = "validation"
urlpatterns = [
    path("", views.check, name="check"),
    path("countries/", views.country_list, name="countries"),
    path("countries/<str:code>/", views.country, name="country"),
    path("api/docs/", api_docs.page, name="api_docs"),
    path("log/", log_pages.log, name="log"),
    path("log/find/", log_pages.find, name="find_in_log"),
    path("log/delete/", log_pages.erase, name="erase_log"),
    path("log/export/", log_pages.export, name="export_log"),
    path("log/<uuid:pk>/", log_pages.row, name="log_row"),
    path("log/<uuid:pk>/delete/", log_pages.erase_row, name="erase_log_row"),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
    re_path(r"^health(?:/|$)", health.unknown, name="health_unknown"),
]
