"""Loads the demo: adds what is missing, replaces what is spent, moves moments to today."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import CustomerAccount, User
from association.enums import RefusalCode
from association.services.eligibility import evaluate
from association.services.facts import load_facts
from demo.examples import (
    ACCOUNTS,
    ADMIN,
    CUSTOMER_PASSWORD,
    DOMAIN,
    EARLIER_CUSTOMER,
    ENTERPRISE,
    INVITATIONS,
    INVITING,
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
from demo.history import add_history
from demo.rows import add_user, join_partner, restore_account, restore_login, restore_row, set_row
from demo.state import (
    Demo,
    account_is_spent,
    find_demo,
    find_invitations,
    find_users,
    split_address,
)
from partners.enums import Channel, InvitationRefusal, PartnerRole
from partners.models import Partner, PartnerMember
from partners.services.invitations import LIFE_OF_AN_EMAIL, create_invitation, revoke_invitation
from partners.services.quotas import has_emails_left
from web.locks import lock_name


class DemoBroken(Exception):
    """Something in the database keeps the demo from being loaded; nothing was written."""


def load_demo(*, now: datetime) -> Demo:
    """Add or repair the demo and return it; what is not spent stays as it is.

    A used invitation or account stays as history and gets a fresh successor. Only what is new is
    mailed. One transaction under a lock. Raises DemoBroken.
    """
    with transaction.atomic():
        lock_name("demo")
        _Loader(now).load()
        demo = find_demo(now)
        if demo is None or demo.spent:
            raise DemoBroken(", ".join(demo.spent) if demo else "incomplete")
        return demo


class _Loader:
    """One run of `load_demo()`: its moment, and what is found."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        # Moments are set from here, so that they stay as they are for the rest of the day.
        self.today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self.users = find_users()

    def load(self) -> None:
        self.inviting: Partner = set_row(
            Partner, {"slug": INVITING["slug"]}, INVITING, now=self.now
        )
        self.other: Partner = set_row(Partner, {"slug": OTHER["slug"]}, OTHER, now=self.now)
        self.invitations = find_invitations(self.inviting)
        self._set_login(ADMIN, is_staff=True, is_superuser=True)
        self.administrator = self._set_login(PARTNER)
        self._set_member(self.administrator, self.inviting, PartnerRole.ADMINISTRATOR)
        manager = self._set_login(MANAGER)
        self._set_member(manager, self.inviting, PartnerRole.MANAGER)
        for company in (ENTERPRISE, SUBSIDIARY):
            self._restore_account(company, self.users.get(company.stem) or self._add_user(company))
        for example in INVITATIONS:
            self._set_invitation(example)
        for account in ACCOUNTS:
            self._set_invitation(invitation_to(self._find_or_replace_owner(account).email))
        add_history(partner=self.inviting, by=self.administrator, manager=manager, now=self.now)

    # --- logins

    def _set_login(self, name: str, **powers: bool) -> User:
        login, password = LOGINS[name].values()
        user = User.objects.filter(email=login).first() or add_user(login, now=self.now)
        restore_login(user, password, now=self.now, **powers)
        return user

    def _set_member(self, user: User, partner: Partner, role: PartnerRole) -> None:
        if PartnerMember.objects.filter(user=user).exclude(partner=partner).exists():
            raise DemoBroken("a login belongs to another partner")
        set_row(PartnerMember, {"user": user, "partner": partner}, {"role": role}, now=self.now)

    # --- accounts

    def _find_or_replace_owner(self, example: AccountExample) -> User:
        """Return the owner of an account that fits its example; a new one if the old is spent."""
        owner = self.users.get(example.stem)
        if (
            owner
            and not account_is_spent(example, owner, self.other)
            and self._fits(example, owner)
        ):
            return owner
        owner = self._add_user(example)
        if not self._fits(example, owner):
            raise DemoBroken(example.name)
        return owner

    def _add_user(self, example: AccountExample) -> User:
        """Add the next user of this name: `eligible@`, then `eligible-2@` and so on."""
        earlier = self.users.get(example.stem)
        suffix = f"-{split_address(earlier)[1] + 1}" if earlier else ""
        return add_user(f"{example.stem}{suffix}@{DOMAIN}", now=self.now)

    def _fits(self, example: AccountExample, owner: User) -> bool:
        """Restore the account; False if someone has added what another rule refuses it for."""
        account = self._restore_account(example, owner)
        if example.name == RefusalCode.IS_PARTNER:
            self._set_member(owner, self.other, PartnerRole.MANAGER)
        if example.name == RefusalCode.OTHER_PARTNER and not account.associations.exists():
            self._join_other_partner(account)
        facts = load_facts(account=account, partner=self.inviting, now=self.now)
        refusals = evaluate(facts, RESELLER, self.now).refusals
        return {refusal.code for refusal in refusals} == {example.name} & set(RefusalCode)

    def _restore_account(self, example: AccountExample, owner: User) -> CustomerAccount:
        restore_login(owner, CUSTOMER_PASSWORD, now=self.now)
        return restore_account(owner, example.values, example.facts, at=self.today, now=self.now)

    def _join_other_partner(self, account: CustomerAccount) -> None:
        invitation = create_invitation(
            partner=self.other,
            channel=Channel.EMAIL,
            association_type=REFERRAL,
            label="Demo",
            recipient=account.owner.email,
            by=None,
            now=self.now,
        )
        join_partner(account, invitation, started_at=self.now, now=self.now)

    # --- invitations

    def _set_invitation(self, example: InvitationExample) -> None:
        """Restore the invitation's terms; replace it if it is still not what it should be."""
        terms: dict[str, Any] = {"expires_at": self._expires_at(example), "max_uses": None}
        if example.recipient or example.refusal == InvitationRefusal.USED_UP:
            terms["max_uses"] = 1
        invitation = self.invitations.get(example.label)
        if invitation is not None:
            restore_row(invitation, terms, now=self.now)
        if invitation is None or invitation.refusal(self.now) != example.refusal:
            self._add_invitation(example, terms)

    def _expires_at(self, example: InvitationExample) -> datetime | None:
        if example.refusal == InvitationRefusal.EXPIRED:
            return self.today - timedelta(days=1)
        return self.today + LIFE_OF_AN_EMAIL if example.recipient else None

    def _add_invitation(self, example: InvitationExample, terms: dict[str, Any]) -> None:
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
