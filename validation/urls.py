"""The paths of the check page and of the pages about countries."""

from django.urls import path

from validation import views

app_name = "validation"
urlpatterns = [
    path("", views.check, name="check"),
    path("countries/", views.country_list, name="countries"),
    path("countries/<str:code>/", views.country, name="country"),
]
