"""Log-ins that others made for an address and nobody has taken yet.

An administrator adds a user, or a partner invites a member: the log-in has no password, and its
address is unproven. Such a log-in stands in nobody's way: whoever proves the address may also
register with it, and takes the log-in over.
"""

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User


def unclaimed_users() -> QuerySet[User]:
    """Return the users who never had a password, a proven address or a customer account."""
    proven = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    return User.objects.filter(
        ~Exists(proven),
        password__startswith=UNUSABLE_PASSWORD_PREFIX,
        is_active=True,
        is_staff=False,
        last_login__isnull=True,
        customer_account__isnull=True,
    )
