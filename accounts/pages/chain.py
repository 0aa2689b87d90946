"""Whether a client's history is whole, for the group security: a page of the back-office that shows none of it."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from accounts import history, sentences
from accounts.back_office import StaffRequest, found


def verify_client(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Read the whole chain of a client's history and say whether it is as it was written."""
    client = found(request, pk)
    result = history.verify(client)
    problem = sentences.HISTORY_PROBLEMS[result.problem] % {"number": result.first_bad} if not result.ok else ""
    return render(request, "admin/verify_client.html", {"client": client, "result": result, "problem": problem})
