"""URLs that need no sign-in: confirming or cancelling a deletion by a mailed link, showing and verifying receipts."""

from django.urls import path

from privacy.deletion import link_views, receipt_views

app_name = "deletion"
urlpatterns = [
    path("deletion/<str:token>/confirm/", link_views.confirm, name="confirm"),
    path("deletion/<str:token>/cancel/", link_views.cancel, name="cancel"),
    path("receipts/verify/", receipt_views.verify, name="verify"),
    path("receipts/<str:token>/", receipt_views.receipt, name="receipt"),
    path("receipts/<str:token>/receipt.json", receipt_views.download, name="receipt_file"),
]
