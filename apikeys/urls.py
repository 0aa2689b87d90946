"""The URLs of API keys."""

from django.urls import path

from apikeys.views import changing, listing, making, networks

app_name = "apikeys"
urlpatterns = [
    path("", listing.listing, name="keys"),
    path("new/", making.create, name="create"),
    path("<uuid:pk>/", listing.key, name="key"),
    path("<uuid:pk>/edit/", changing.edit, name="edit"),
    path("<uuid:pk>/rotate/", making.rotate, name="rotate"),
    path("<uuid:pk>/revoke/", changing.revoke, name="revoke"),
    path("<uuid:pk>/networks/add/", networks.add, name="add_network"),
    path("<uuid:pk>/networks/choose/", networks.choose, name="choose_addresses"),
    path("<uuid:pk>/networks/<int:entry>/remove/", networks.remove, name="remove_network"),
]
