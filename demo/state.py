"""What is loaded of the demo, and what of it is spent; reads only."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import CustomerAccount, User
from association.enums import RefusalCode
from demo.examples import (
    ACCOUNTS,
    DOMAIN,
    INVITATIONS,
    INVITING,
    LABEL_PREFIX,
    OTHER,
    AccountExample,
    InvitationExample,
    invitation_to,
)
from partners.models import Invitation, Partner


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

    invitations: dict[str, Offer]
    accounts: dict[str, Offer]

    @property
    def spent(self) -> list[str]:
        """The names of what must be replaced."""
        offers = {**self.invitations, **self.accounts}
        return [name for name, offer in offers.items() if offer.is_spent]


def find_demo(now: datetime) -> Demo | None:
    """Return what is loaded, spent or not; None when something is missing."""
    partners = Partner.objects.in_bulk([INVITING["slug"], OTHER["slug"]], field_name="slug")
    if len(partners) < 2:
        return None
    users = find_users()
    found = find_invitations(partners[INVITING["slug"]])
    invitations, accounts = {}, {}
    try:
        for example in INVITATIONS:
            invitation = found[example.label]
            is_spent = invitation.refusal(now) != example.refusal
            invitations[example.name] = Offer(example, invitation, is_spent)
        for account in ACCOUNTS:
            owner = users[account.stem]
            invitation = found[invitation_to(owner.email).label]
            is_spent = invitation.refusal(now) is not None
            is_spent = is_spent or account_is_spent(account, owner, partners[OTHER["slug"]])
            accounts[account.name] = Offer(account, invitation, is_spent, owner.email)
    except KeyError:
        return None
    return Demo(invitations, accounts)


def find_users() -> dict[str, User]:
    """Return the newest user of each stem, with the rows that tell whether it is spent."""
    users = User.objects.filter(email__endswith=f"@{DOMAIN}").select_related("customer_account")
    history = ("customer_account__associations", "customer_account__freezes")
    by_number = sorted(users.prefetch_related(*history), key=lambda user: split_address(user)[1])
    return {split_address(user)[0]: user for user in by_number}


def split_address(user: User) -> tuple[str, int]:
    """Return stem and number of a demo user: ("eligible", 2) for eligible-2@demo.example."""
    local = user.email.partition("@")[0]
    stem, _, number = local.rpartition("-")
    return (stem, int(number)) if number.isdecimal() else (local, 1)


def find_invitations(partner: Partner) -> dict[str, Invitation]:
    """Return the newest of the demo's invitations for each label."""
    ours = partner.invitations.filter(label__startswith=LABEL_PREFIX).order_by("pk")
    found = {invitation.label: invitation for invitation in ours}
    for invitation in found.values():
        invitation.partner = partner
    return found


def account_is_spent(example: AccountExample, owner: User, other: Partner) -> bool:
    """Return whether the account was frozen, or associated otherwise than its example says."""
    account: CustomerAccount | None = getattr(owner, "customer_account", None)
    if account is None or any(freeze.is_open for freeze in account.freezes.all()):
        return True
    wanted = [(other.pk, None)] if example.name == RefusalCode.OTHER_PARTNER else []
    return [(a.partner_id, a.ended_at) for a in account.associations.all()] != wanted
