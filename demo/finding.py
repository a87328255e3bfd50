"""Where the demo's people and invitations are now, and which of them are spent; reads only."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.models import CustomerAccount, User
from association.enums import RefusalCode
from demo.cast import ADMIN, CUES, DOMAIN, INVITING, MANAGER, OTHER, PARTNER, ROLES, Cue, Role
from partners.enums import Channel
from partners.models import Invitation, Partner

# Followed by the local part of the address, so that each account finds its own.
ACCOUNT_LABEL = "Demo account: "
_LOCAL_PART = re.compile(r"([a-z-]*[a-z])(?:-([0-9]+))?")

Offers = Mapping[str, list[Invitation]]


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """The account that plays a role now, and its own invitation."""

    role: Role
    owner: User
    invitation: Invitation
    is_spent: bool


@dataclass(frozen=True, slots=True)
class DemoInvitation:
    """One of the seven; it is spent when it no longer shows what it is there to show."""

    cue: Cue
    invitation: Invitation
    is_spent: bool


@dataclass(frozen=True, slots=True)
class Demo:
    """All that the demo offers, by its stable names."""

    invitations: Mapping[str, DemoInvitation]
    accounts: Mapping[str, DemoAccount]
    partner: User
    manager: User
    admin: User

    @property
    def spent(self) -> list[str]:
        """The names of what waits for a repair."""
        spent = [name for name, part in self.invitations.items() if part.is_spent]
        return spent + [name for name, part in self.accounts.items() if part.is_spent]


def find_demo(now: datetime) -> Demo | None:
    """Return what is loaded, spent or not; None when something is missing. A few statements."""
    people = find_people()
    partners = find_partners()
    if partners is None or not {PARTNER, MANAGER, ADMIN} <= people.keys():
        return None
    inviting, other = partners
    offers = find_offers(inviting)
    invitations = {}
    for cue in CUES:
        offer = pick(offers[cue.label], cue, now)
        if offer is None:
            return None
        invitations[cue.key] = DemoInvitation(cue, offer, offer.refusal(now) != cue.refusal)
    accounts = {}
    for role in ROLES:
        owner = people.get(role.stem)
        own = pick_own(offers, owner) if owner else None
        if owner is None or own is None:
            return None
        spent = account_is_spent(role, owner, other) or own.refusal(now) is not None
        accounts[role.name] = DemoAccount(role, owner, own, spent)
    return Demo(invitations, accounts, people[PARTNER], people[MANAGER], people[ADMIN])


def find_partners() -> tuple[Partner, Partner] | None:
    """Return the partner that invites and the other one, or None unless both are there."""
    found = Partner.objects.in_bulk([INVITING["slug"], OTHER["slug"]], field_name="slug")
    if len(found) < 2:
        return None
    return found[INVITING["slug"]], found[OTHER["slug"]]


def find_people() -> dict[str, User]:
    """Return the newest user of each stem, with all that says whether their account is spent."""
    users = User.objects.filter(email__endswith=f"@{DOMAIN}").select_related("customer_account")
    history = ("customer_account__associations", "customer_account__freezes", "emailaddress_set")
    people: dict[str, User] = {}
    for user in users.prefetch_related(*history):
        stem, number = stem_and_number(user)
        if stem not in people or number > stem_and_number(people[stem])[1]:
            people[stem] = user
    return people


def local_part(user: User) -> str:
    """Return the part of the address that tells the demo's people apart."""
    return user.email.partition("@")[0]


def stem_and_number(user: User) -> tuple[str, int]:
    """Return whose part the user plays, and which in the row of its players they are."""
    found = _LOCAL_PART.fullmatch(local_part(user))
    if found is None:
        return user.email, 1
    return found[1], int(found[2] or 1)


def find_offers(inviting: Partner) -> Offers:
    """Return the demo's invitations by label, the newest first."""
    offers: dict[str, list[Invitation]] = defaultdict(list)
    labels = Q(label__in=[cue.label for cue in CUES]) | Q(label__startswith=ACCOUNT_LABEL)
    for invitation in inviting.invitations.filter(labels).order_by("-pk"):
        invitation.partner = inviting
        offers[invitation.label].append(invitation)
    return offers


def pick(offers: list[Invitation], cue: Cue, now: datetime) -> Invitation | None:
    """Return the newest that serves or can be made to serve, else the newest."""
    serving = (offer for offer in offers if not offer_is_spent(offer, cue, now))
    return next(serving, offers[0] if offers else None)


def pick_own(offers: Offers, owner: User) -> Invitation | None:
    """Return the account's own invitation that is not spent, else its newest."""
    own = offers[ACCOUNT_LABEL + local_part(owner)]
    unspent = (offer for offer in own if not is_used_or_revoked(offer))
    return next(unspent, own[0] if own else None)


def offer_is_spent(offer: Invitation, cue: Cue, now: datetime) -> bool:
    """Whether one of the seven must be replaced; one that ran out of time is only set anew."""
    if cue.refusal is not None:
        return offer.refusal(now) != cue.refusal
    return is_used_or_revoked(offer)


def is_used_or_revoked(offer: Invitation) -> bool:
    """Whether the invitation has served its one recipient, or was taken back."""
    used = offer.channel == Channel.EMAIL and offer.used_count > 0
    return used or offer.revoked_at is not None


def account_is_spent(role: Role, owner: User, other: Partner) -> bool:
    """Whether the account has been associated or frozen, but for what its part asks for."""
    account: CustomerAccount | None = getattr(owner, "customer_account", None)
    if account is None or any(freeze.is_open for freeze in account.freezes.all()):
        return True
    associations = account.associations.all()
    if role.name == RefusalCode.OTHER_PARTNER:
        return [a.partner_id for a in associations if a.ended_at is None] != [other.pk]
    return bool(associations)
