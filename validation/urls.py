"""The paths of the check page, of the pages about countries, and of the documentation of the API."""

from django.urls import path

from validation import views
from validation.api import documentation

app_name = "validation"
urlpatterns = [
    path("", views.check, name="check"),
    path("countries/", views.country_list, name="countries"),
    path("countries/<str:code>/", views.country, name="country"),
    path("api/docs/", documentation.page, name="api_docs"),
]
