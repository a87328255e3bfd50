"""Who is signed in: the user of a session, with what every page asks about the user."""

from allauth.account.auth_backends import AuthenticationBackend
from django.db.models import QuerySet

from accounts.models import User
from web.fixed_queries import KEY, fixed_query


class SignedInBackend(AuthenticationBackend):  # type: ignore[misc]
    def get_user(self, user_id: int) -> User | None:
        """As Django's, with the user's membership, by a query that is compiled once."""
        user = _users.first(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None


@fixed_query(KEY)
def _users(user_id: int) -> QuerySet[User]:
    return User.objects.select_related("partner_member").filter(pk=user_id)
