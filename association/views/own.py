"""The person who is signed in. A view that uses this requires a log-in."""

from django.http import HttpRequest

from accounts.models import User


def signed_in(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise TypeError("There is no user.")
    return request.user
