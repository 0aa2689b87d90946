"""The paths of the check page, the pages about countries, the documentation of the API, check records and health."""

from django.urls import path, re_path

from validation.api import health
from validation.api.docs import views as api_docs
from validation.records import views as records
from validation.site import views as site

app_name = "validation"
urlpatterns = [
    path("", site.check, name="check"),
    path("countries/", site.country_list, name="countries"),
    path("countries/<str:code>/", site.country, name="country"),
    path("api/docs/", api_docs.page, name="api_docs"),
    path("log/", records.list_records, name="log"),
    path("log/find/", records.search_iban, name="find_in_log"),
    path("log/delete/", records.erase_selected, name="erase_log"),
    path("log/export/", records.export_file, name="export_log"),
    path("log/<uuid:pk>/", records.show_record, name="log_row"),
    path("log/<uuid:pk>/delete/", records.erase_record, name="erase_log_row"),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
    re_path(r"^health(?:/|$)", health.unknown, name="health_unknown"),
]
