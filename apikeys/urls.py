"""The paths of API keys in the client area."""

from django.urls import path

from apikeys.pages import addresses, changing, listing, making

app_name = "apikeys"
urlpatterns = [
    path("", listing.listing, name="keys"),
    path("new/", making.create, name="create"),
    path("<uuid:pk>/", listing.key, name="key"),
    path("<uuid:pk>/edit/", changing.edit, name="edit"),
    path("<uuid:pk>/rotate/", making.rotate, name="rotate"),
    path("<uuid:pk>/revoke/", changing.revoke, name="revoke"),
    path("<uuid:pk>/networks/add/", addresses.add, name="add_network"),
    path("<uuid:pk>/networks/choose/", addresses.choose, name="choose_addresses"),
    path("<uuid:pk>/networks/<int:entry>/remove/", addresses.remove, name="remove_network"),
]
