"""The paths of the check page, of the pages about countries, of the documentation of the API and of the log."""

from django.urls import path

from validation import log_pages, views
from validation.api import documentation

app_name = "validation"
urlpatterns = [
    path("", views.check, name="check"),
    path("countries/", views.country_list, name="countries"),
    path("countries/<str:code>/", views.country, name="country"),
    path("api/docs/", documentation.page, name="api_docs"),
    path("log/", log_pages.log, name="log"),
    path("log/find/", log_pages.find, name="find_in_log"),
    path("log/delete/", log_pages.erase, name="erase_log"),
    path("log/export/", log_pages.export, name="export_log"),
    path("log/<uuid:pk>/", log_pages.row, name="log_row"),
    path("log/<uuid:pk>/delete/", log_pages.erase_row, name="erase_log_row"),
]
