"""The person who is signed in, and what is theirs. A view that uses this requires a log-in."""

from django.http import Http404, HttpRequest

from accounts.models import User
from association.models import Association
from association.services.attempts import find_own_association


def signed_in(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise TypeError("There is no user.")
    return request.user


def own_association(request: HttpRequest) -> Association:
    association = find_own_association(signed_in(request))
    if association is None:
        raise Http404
    return association
