"""Users that others made for an e-mail address, and that the owner of the address has not used.

An administrator adds a user, or a partner invites a member: the user has no password, and the
address is unproven. Such a user does not block the address: its owner may also register as a
customer, and takes the user over.
"""

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User


def unclaimed_users() -> QuerySet[User]:
    """Return the users who have no password, no proven e-mail address and no customer account."""
    proven = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    return User.objects.filter(
        ~Exists(proven),
        password__startswith=UNUSABLE_PASSWORD_PREFIX,
        is_active=True,
        is_staff=False,
        last_login__isnull=True,
        customer_account__isnull=True,
    )
