"""The users as whom API keys act."""

import secrets

from django.utils.text import slugify

from accounts.enums import UserKind
from accounts.models import User
from web.random_ids import CROCKFORD

# No e-mail can reach this domain (RFC 2606).
_DOMAIN = "api-key.invalid"
_LONGEST_SLUG = 24


def create_key_user(*, name: str, kind: UserKind) -> User:
    """Create the user as whom an API key of this name acts.

    It never logs in: it is not active, and a constraint keeps it so. Its account name, which people
    read in histories, contains the key's name; a person's cannot begin so, because of the colon.
    """
    ending = "".join(secrets.choice(CROCKFORD) for _ in range(6))
    slug = slugify(name)[:_LONGEST_SLUG].strip("-") or "key"
    user = User.objects.build_user(
        f"api-key:{slug}-{ending}",
        f"{slug}-{ending}@{_DOMAIN}",
        kind=kind,
        is_active=False,
    )
    user.set_unusable_password()
    user.save(force_insert=True)
    return user
