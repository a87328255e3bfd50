"""What is loaded of the demo, and what of it is spent; reads only."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from accounts.models import CustomerAccount, User
from association.enums import RefusalCode
from demo.examples import (
    ACCOUNTS,
    ADMIN,
    DOMAIN,
    INVITATIONS,
    INVITING,
    LABEL_PREFIX,
    MANAGER,
    OTHER,
    PARTNER,
    PASSWORDS,
    AccountExample,
    InvitationExample,
    invitation_to,
)
from partners.enums import Channel, InvitationRefusal
from partners.models import Invitation, Partner

_LOCAL_PART = re.compile(r"([a-z-]*[a-z])(?:-([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Offer:
    """One of the seven invitations, or an account with its own invitation (`login` is set).

    It is spent when it no longer shows what its example is about.
    """

    example: InvitationExample | AccountExample
    invitation: Invitation
    is_spent: bool
    login: str = ""


@dataclass(frozen=True, slots=True)
class Demo:
    """Everything that the demo offers, by its stable names."""

    invitations: Mapping[str, Offer]
    accounts: Mapping[str, Offer]
    logins: Mapping[str, Mapping[str, str]]

    @property
    def spent(self) -> list[str]:
        """The names of what must be replaced."""
        offers = [*self.invitations.items(), *self.accounts.items()]
        return [name for name, offer in offers if offer.is_spent]


def find_demo(now: datetime) -> Demo | None:
    """Return what is loaded, spent or not; None when something is missing."""
    users = find_users()
    partners = Partner.objects.in_bulk([INVITING["slug"], OTHER["slug"]], field_name="slug")
    if len(partners) < 2 or not PASSWORDS.keys() <= users.keys():
        return None
    found = find_invitations(partners[INVITING["slug"]])
    invitations, accounts = {}, {}
    for example in INVITATIONS:
        invitation = newest_usable(found[example.label], example.refusal, now)
        if invitation is None:
            return None
        is_spent = invitation.refusal(now) != example.refusal
        invitations[example.name] = Offer(example, invitation, is_spent)
    for account in ACCOUNTS:
        owner = users.get(account.stem)
        label = invitation_to(owner.email).label if owner else ""
        invitation = newest_usable(found[label], None, now)
        if owner is None or invitation is None:
            return None
        is_spent = account_is_spent(account, owner, partners[OTHER["slug"]])
        is_spent = is_spent or invitation.refusal(now) is not None
        accounts[account.name] = Offer(account, invitation, is_spent, owner.email)
    logins = {
        name: {"login": users[name].email, "password": PASSWORDS[name]}
        for name in (PARTNER, MANAGER, ADMIN)
    }
    return Demo(invitations, accounts, logins)


def find_users() -> dict[str, User]:
    """Return the newest user of each stem, with the rows that tell whether it is spent."""
    users = User.objects.filter(email__endswith=f"@{DOMAIN}").select_related("customer_account")
    history = ("customer_account__associations", "customer_account__freezes", "emailaddress_set")
    newest: dict[str, User] = {}
    for user in users.prefetch_related(*history):
        stem, number = split_address(user.email)
        if stem not in newest or number > split_address(newest[stem].email)[1]:
            newest[stem] = user
    return newest


def split_address(address: str) -> tuple[str, int]:
    """Return stem and number of a demo address: ("eligible", 2) for eligible-2@demo.example."""
    found = _LOCAL_PART.fullmatch(address.partition("@")[0])
    if found is None:
        return address, 1
    return found[1], int(found[2] or 1)


def find_invitations(partner: Partner) -> Mapping[str, list[Invitation]]:
    """Return the demo's invitations by label, newest first."""
    found: dict[str, list[Invitation]] = defaultdict(list)
    ours = partner.invitations.filter(label__startswith=LABEL_PREFIX)
    for invitation in ours.order_by("-pk"):
        invitation.partner = partner
        found[invitation.label].append(invitation)
    return found


def newest_usable(
    invitations: list[Invitation], refusal: InvitationRefusal | None, now: datetime
) -> Invitation | None:
    """Return the newest that need not be replaced, else the newest; None if there is none."""
    usable = (one for one in invitations if not must_be_replaced(one, refusal, now))
    return next(usable, invitations[0] if invitations else None)


def must_be_replaced(
    invitation: Invitation, refusal: InvitationRefusal | None, now: datetime
) -> bool:
    """Return whether the invitation can never again be refused like this, or followed if None.

    An expired invitation that should be live is not replaced: it gets a new expiry.
    """
    if refusal is not None:
        return invitation.refusal(now) != refusal
    used = invitation.channel == Channel.EMAIL and invitation.used_count > 0
    return used or invitation.revoked_at is not None


def account_is_spent(example: AccountExample, owner: User, other: Partner) -> bool:
    """Return whether the account was frozen, or associated otherwise than its example says."""
    account: CustomerAccount | None = getattr(owner, "customer_account", None)
    if account is None or any(freeze.is_open for freeze in account.freezes.all()):
        return True
    associations = account.associations.all()
    if example.name == RefusalCode.OTHER_PARTNER:
        return [a.partner_id for a in associations if a.ended_at is None] != [other.pk]
    return bool(associations)
