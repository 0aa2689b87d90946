"""The paths of deletions that need no sign-in: where links of mails lead, and where receipts are shown and verified."""

from django.urls import path

from privacy.pages import deletion_links, receipts

app_name = "deletion"
urlpatterns = [
    path("deletion/<str:token>/confirm/", deletion_links.confirm, name="confirm"),
    path("deletion/<str:token>/cancel/", deletion_links.cancel, name="cancel"),
    path("receipts/verify/", receipts.verify, name="verify"),
    path("receipts/<str:token>/", receipts.receipt, name="receipt"),
    path("receipts/<str:token>/receipt.json", receipts.download, name="receipt_file"),
]
