"""Finds what is loaded of the demo, adds what is missing, and replaces what is spent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.models import CustomerAccount, User
from accounts.services.account_names import rename_account
from association.enums import RefusalCode
from association.services.eligibility import evaluate
from association.services.facts import load_record
from audit.services import acting_for
from demo.examples import (
    ACCOUNT_NAMES,
    ACCOUNTS,
    ADMIN,
    DOMAIN,
    EARLIER_CUSTOMER,
    ENTERPRISE,
    INVITATIONS,
    INVITING,
    LABEL_PREFIX,
    LOGINS,
    MANAGER,
    NOTE,
    OTHER,
    PARTNER,
    REFERRAL,
    RESELLER,
    SUBSIDIARY,
    AccountExample,
    InvitationExample,
    invitation_to,
)
from demo.history import add_history, join_partner
from demo.logo import demo_logo
from demo.rows import add_user, restore_account, restore_login, restore_row, set_row
from partners.enums import Channel, InvitationRefusal, PartnerRole
from partners.models import Invitation, Partner, PartnerMember
from partners.services.invitation_drafts import LIFE_OF_AN_EMAIL
from partners.services.invitations import create_invitation, revoke_invitation
from partners.services.logos import draw_logo, set_logo
from partners.services.quotas import has_emails_left
from web.locks import lock_name


@dataclass(frozen=True, slots=True)
class Offer:
    """One of the seven invitations, or an account with its own invitation (`login` is set).

    It is spent when it no longer shows what its example is about.
    """

    example: InvitationExample | AccountExample
    invitation: Invitation
    login: str = ""
    is_spent: bool = False


@dataclass(frozen=True, slots=True)
class Demo:
    invitations: dict[str, Offer]
    accounts: dict[str, Offer]


# --- what is loaded


def find_demo(now: datetime) -> Demo | None:
    """Return what is loaded, spent or not; None when something is missing."""
    partners = Partner.objects.in_bulk([INVITING["slug"], OTHER["slug"]], field_name="slug")
    if len(partners) < 2:
        return None
    inviting, other = partners[INVITING["slug"]], partners[OTHER["slug"]]
    users, found = _find_users(), _find_invitations(inviting)
    accounts = {}
    try:
        for example in ACCOUNTS:
            owner = users[example.stem]
            invitation = found[invitation_to(owner.email).label]
            is_spent = invitation.refusal(now) is not None or _is_spent(example, owner, other)
            accounts[example.name] = Offer(example, invitation, owner.email, is_spent)
        invitations = {
            one.name: Offer(one, found[one.label], "", found[one.label].refusal(now) != one.refusal)
            for one in INVITATIONS
        }
    except KeyError:
        return None
    return Demo(invitations, accounts)


def _find_users() -> dict[str, User]:
    """Return the newest user of each stem, with the rows that tell whether it is spent."""
    users = User.objects.filter(email__endswith=f"@{DOMAIN}").select_related("customer_account")
    history = ("customer_account__associations", "customer_account__freezes")
    by_number = sorted(users.prefetch_related(*history), key=lambda user: _stem_and_number(user)[1])
    return {_stem_and_number(user)[0]: user for user in by_number}


def _stem_and_number(user: User) -> tuple[str, int]:
    """Return ("eligible", 2) for eligible-2@demo.example."""
    local = user.email.partition("@")[0]
    stem, _, number = local.rpartition("-")
    return (stem, int(number)) if number.isdecimal() else (local, 1)


def _find_invitations(partner: Partner) -> dict[str, Invitation]:
    ours = partner.invitations.filter(label__startswith=LABEL_PREFIX).order_by("created_at")
    return {invitation.label: invitation for invitation in ours}


def _is_spent(example: AccountExample, owner: User, other: Partner) -> bool:
    account: CustomerAccount | None = getattr(owner, "customer_account", None)
    if account is None or any(freeze.is_open for freeze in account.freezes.all()):
        return True
    wanted = [(other.pk, None)] if example.name == RefusalCode.OTHER_PARTNER else []
    return [(a.partner_id, a.ended_at) for a in account.associations.all()] != wanted


# --- loading


def load_demo(*, now: datetime) -> Demo:
    """Add or repair the demo and return it; what is not spent stays as it is.

    A used invitation or account stays as history and gets a fresh successor. Only what is new is
    mailed. One transaction under a lock. Raises CommandError if something in the database keeps the
    demo from being loaded.
    """
    with transaction.atomic():
        lock_name("demo")
        return _Loader(now).load()


def _cannot_repair(cause: str) -> CommandError:
    return CommandError(f"The demo cannot be repaired ({cause}): begin with an empty database.")


class _Loader:
    """One run of `load_demo()`: its moment, and what it finds."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        # Moments are set from here, so that they stay as they are for the rest of the day.
        self.today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self.inviting: Partner = set_row(Partner, {"slug": INVITING["slug"]}, INVITING, now=now)
        self.other: Partner = set_row(Partner, {"slug": OTHER["slug"]}, OTHER, now=now)
        self.users, self.found = _find_users(), _find_invitations(self.inviting)

    def load(self) -> Demo:
        self._set_login(ADMIN, is_staff=True, is_superuser=True)
        self.administrator, manager = self._set_login(PARTNER), self._set_login(MANAGER)
        self._set_member(self.administrator, self.inviting, PartnerRole.ADMINISTRATOR)
        self._set_member(manager, self.inviting, PartnerRole.MANAGER)
        with acting_for(self.inviting.pk, self.administrator, manager):
            return self._load_rows(manager)

    def _load_rows(self, manager: User) -> Demo:
        for company in (ENTERPRISE, SUBSIDIARY):
            self._restore_account(company, self.users.get(company.stem) or self._add_user(company))
        invitations = {one.name: Offer(one, self._set_invitation(one)) for one in INVITATIONS}
        accounts = {}
        for account in ACCOUNTS:
            login = self._find_or_replace_owner(account).email
            accounts[account.name] = Offer(
                account, self._set_invitation(invitation_to(login)), login
            )
        if self.inviting.logo_id is None:
            logo = draw_logo(file=demo_logo())
            set_logo(partner=self.inviting, logo=logo, by=None, now=self.now)
        add_history(partner=self.inviting, by=self.administrator, manager=manager, now=self.now)
        return Demo(invitations, accounts)

    # --- logins

    def _set_login(self, name: str, **powers: bool) -> User:
        address, password = LOGINS[name].values()
        user = User.objects.filter(email=address).first()
        if user is None:
            user = add_user(address, now=self.now)
            user = rename_account(
                user=user, account_name=ACCOUNT_NAMES[name], by=user, now=self.now
            )
        restore_login(user, password, now=self.now, **powers)
        return user

    def _set_member(self, user: User, partner: Partner, role: PartnerRole) -> None:
        if PartnerMember.objects.filter(user=user).exclude(partner=partner).exists():
            raise _cannot_repair(f"{user.email} belongs to another partner")
        set_row(PartnerMember, {"user": user, "partner": partner}, {"role": role}, now=self.now)

    # --- accounts

    def _find_or_replace_owner(self, example: AccountExample) -> User:
        """Return the owner of an account that fits its example; a new one if the old is spent."""
        owner = self.users.get(example.stem)
        if owner and not _is_spent(example, owner, self.other) and self._fits(example, owner):
            return owner
        owner = self._add_user(example)
        if not self._fits(example, owner):
            raise _cannot_repair(example.name)
        return owner

    def _add_user(self, example: AccountExample) -> User:
        """Add the next user of this name: `eligible@`, then `eligible-2@` and so on."""
        earlier = self.users.get(example.stem)
        suffix = f"-{_stem_and_number(earlier)[1] + 1}" if earlier else ""
        return add_user(f"{example.stem}{suffix}@{DOMAIN}", now=self.now)

    def _fits(self, example: AccountExample, owner: User) -> bool:
        """Restore the account; False if someone has added what another rule refuses it for."""
        account = self._restore_account(example, owner)
        if example.name == RefusalCode.IS_PARTNER:
            self._set_member(owner, self.other, PartnerRole.MANAGER)
        if example.name == RefusalCode.OTHER_PARTNER and not account.associations.exists():
            invitation = create_invitation(
                partner=self.other,
                channel=Channel.EMAIL,
                association_type=REFERRAL,
                label="Demo",
                recipient=owner.email,
                by=None,
                now=self.now,
            )
            join_partner(account, invitation, started_at=self.now, now=self.now)
        facts = load_record(account=account, partner=self.inviting, now=self.now).facts
        refusals = evaluate(facts, RESELLER, self.now).refusals
        return {refusal.code for refusal in refusals} == {example.name} & set(RefusalCode)

    def _restore_account(self, example: AccountExample, owner: User) -> CustomerAccount:
        return restore_account(owner, example.values, example.facts, at=self.today, now=self.now)

    # --- invitations

    def _set_invitation(self, example: InvitationExample) -> Invitation:
        """Restore the invitation's terms; replace it if it is still not what it should be."""
        is_expired = example.refusal == InvitationRefusal.EXPIRED
        is_used_up = example.refusal == InvitationRefusal.USED_UP
        life = -timedelta(days=1) if is_expired else LIFE_OF_AN_EMAIL
        terms = {
            "expires_at": self.today + life if example.recipient or is_expired else None,
            "max_uses": 1 if example.recipient or is_used_up else None,
        }
        invitation = self.found.get(example.label)
        if invitation is not None:
            restore_row(invitation, terms, now=self.now)
            if invitation.refusal(self.now) == example.refusal:
                return invitation
        return self._add_invitation(example, terms)

    def _add_invitation(self, example: InvitationExample, terms: dict[str, Any]) -> Invitation:
        is_expired = example.refusal == InvitationRefusal.EXPIRED
        invitation = create_invitation(
            partner=self.inviting,
            channel=Channel.EMAIL if example.recipient else Channel.LINK,
            association_type=example.association_type,
            label=example.label,
            note="" if example.is_bound else NOTE,
            recipient=example.recipient,
            is_bound=example.is_bound,
            # It can be replaced many times a day, but one address is mailed three times a day only.
            mailed=has_emails_left(example.recipient, now=self.now),
            by=self.administrator,
            # Services refuse to make an invitation that has expired already.
            now=self.now - timedelta(days=8) if is_expired else self.now,
            **terms,
        )
        if example.refusal == InvitationRefusal.REVOKED:
            revoke_invitation(invitation=invitation, by=self.administrator, now=self.now)
        if example.refusal == InvitationRefusal.USED_UP:
            account = self._restore_account(EARLIER_CUSTOMER, self._add_user(EARLIER_CUSTOMER))
            join_partner(account, invitation, started_at=self.now, now=self.now)
        return invitation
