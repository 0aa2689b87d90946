"""Who may enter the back-office, besides having a group: from which network, and by which proof of this session."""

from ipaddress import ip_address, ip_network
from typing import Final, TypeGuard

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest

from accounts.guard import addresses
from accounts.models import User

_PROOF: Final = "office_proof"
"""In the session: the network and time of the last proof with a second factor."""


def is_staff(user: object) -> TypeGuard[User]:
    """Return whether this is an active member of staff; a superuser counts in the embedded mode only."""
    return isinstance(user, User) and user.is_active and user.is_staff and (settings.EMBEDDED or not user.is_superuser)


def is_from_the_office(request: HttpRequest) -> bool:
    """Return whether the caller is in one of IBANSE_STAFF_NETWORKS, or there are none."""
    networks = settings.STAFF_NETWORKS
    return not networks or any(addresses.parse(addresses.caller(request)) in network for network in networks)


def is_proven(request: HttpRequest) -> bool:
    """Return whether this session gave the second factor, and gave it where it is used now.

    A password alone, or a sign-in from before there was a factor, is not enough; nor is a cookie that turns up in
    another network than that of the proof.
    """
    note_proof(request)
    proof = request.session.get(_PROOF)
    return proof is not None and bool(proof["network"] == _network(request))


def has_moved(request: HttpRequest) -> bool:
    """Return whether the factor was given, but in another network than the caller's."""
    return request.session.get(_PROOF) is not None and not is_proven(request)


def note_proof(request: HttpRequest) -> None:
    """Note in the session where the last proof with a second factor was given: called at the request that gave it."""
    user = request.user
    if not is_staff(user):
        return
    proofs = [float(record["at"]) for record in get_authentication_records(request, user) if record["method"] == "mfa"]
    proof = request.session.get(_PROOF)
    if proofs and (proof is None or max(proofs) > float(proof["at"])):
        request.session[_PROOF] = {"network": _network(request), "at": max(proofs)}


def _network(request: HttpRequest) -> str:
    """Return the caller's address; of IPv6 the /64, in which a machine changes its own from day to day."""
    caller = addresses.caller(request)
    return str(ip_network((caller, 64), strict=False)) if ip_address(caller).version == 6 else caller
