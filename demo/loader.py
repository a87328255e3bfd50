"""Loads the demo: adds what is missing, replaces what is spent, moves moments to now."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.enums import MemberType
from accounts.models import CustomerAccount, EnterpriseRelation, User
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
    MANAGER,
    NOTE,
    OTHER,
    PARTNER,
    PASSWORDS,
    REFERRAL,
    RESELLER,
    SUBSIDIARY,
    AccountExample,
    InvitationExample,
    invitation_to,
)
from demo.history import add_history
from demo.rows import (
    add_user,
    hash_password,
    join_partner,
    restore_log_in,
    restore_row,
    set_account,
    set_fact,
    set_row,
)
from demo.state import (
    Demo,
    account_is_spent,
    find_demo,
    find_invitations,
    find_users,
    must_be_replaced,
    newest_usable,
    split_address,
)
from partners.enums import Channel, InvitationRefusal, PartnerRole
from partners.models import Partner, PartnerMember
from partners.services.invitation_drafts import LIFE_OF_AN_EMAIL
from partners.services.invitations import create_invitation, revoke_invitation
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
    """One run of `load_demo()`: its moment, and the users found."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.users = find_users()
        self.customer_hash = hash_password(CUSTOMER_PASSWORD)

    def load(self) -> None:
        self.inviting = self._set_partner(INVITING)
        self.other = self._set_partner(OTHER)
        self.partner_user = self._set_log_in(PARTNER)
        self._set_member(self.partner_user, self.inviting, PartnerRole.ADMINISTRATOR)
        self._set_log_in(ADMIN, is_staff=True, is_superuser=True)
        manager = self._set_log_in(MANAGER)
        self._set_member(manager, self.inviting, PartnerRole.MANAGER)
        self.invitations = find_invitations(self.inviting)
        self.enterprise = self._set_account(ENTERPRISE)
        self.subsidiary = self._set_account(SUBSIDIARY)
        for example in INVITATIONS:
            self._set_invitation(example)
        for account in ACCOUNTS:
            owner = self._find_or_replace_owner(account)
            self._set_invitation(invitation_to(owner.email))
        add_history(partner=self.inviting, by=self.partner_user, manager=manager, now=self.now)

    # --- partners and users

    def _set_partner(self, values: Mapping[str, Any]) -> Partner:
        partner: Partner = set_row(Partner, {"slug": values["slug"]}, values, now=self.now)
        return partner

    def _set_member(self, user: User, partner: Partner, role: PartnerRole) -> None:
        member = PartnerMember.objects.filter(user=user).first()
        if member is not None and member.partner_id != partner.pk:
            raise DemoBroken("a login belongs to another partner")
        set_row(PartnerMember, {"user": user, "partner": partner}, {"role": role}, now=self.now)

    def _set_log_in(self, name: str, *, is_staff: bool = False, is_superuser: bool = False) -> User:
        user = self.users.get(name) or self._add_user(name)
        powers = {"is_staff": is_staff, "is_superuser": is_superuser}
        restore_log_in(user, hash_password(PASSWORDS[name]), now=self.now, **powers)
        return user

    def _add_user(self, stem: str) -> User:
        """Add the next user of this stem: `eligible@`, then `eligible-2@` and so on."""
        earlier = self.users.get(stem)
        suffix = f"-{split_address(earlier.email)[1] + 1}" if earlier else ""
        self.users[stem] = add_user(f"{stem}{suffix}@{DOMAIN}", now=self.now)
        return self.users[stem]

    # --- accounts

    def _find_or_replace_owner(self, example: AccountExample) -> User:
        """Return the owner of an account that fits its example; a new one if the old is spent."""
        owner = self.users.get(example.stem)
        if owner is None or account_is_spent(example, owner, self.other):
            self._add_user(example.stem)
        if not self._fits(example):
            # Someone has added a fact to this account.
            self._add_user(example.stem)
            if not self._fits(example):
                raise DemoBroken(example.name)
        return self.users[example.stem]

    def _fits(self, example: AccountExample) -> bool:
        """Set the account, and return whether the rules refuse it for its one reason."""
        account = self._set_account(example)
        facts = load_facts(account=account, partner=self.inviting, now=self.now)
        decision = evaluate(facts, RESELLER, self.now)
        wanted = {example.name} & set(RefusalCode)
        return {refusal.code for refusal in decision.refusals} == wanted

    def _set_account(self, example: AccountExample) -> CustomerAccount:
        owner = self.users.get(example.stem) or self._add_user(example.stem)
        restore_log_in(owner, self.customer_hash, now=self.now)
        account = set_account(owner, example.values_at(self.now), example.facts, now=self.now)
        if example.member_of is not None:
            sides = {"master": self.enterprise, "member": account}
            self._set_relation(account, example.member_of, **sides)
        if example.master_of is not None:
            sides = {"master": account, "member": self.subsidiary}
            self._set_relation(account, example.master_of, **sides)
        if example.name == RefusalCode.IS_PARTNER:
            self._set_member(owner, self.other, PartnerRole.MANAGER)
        if example.name == RefusalCode.OTHER_PARTNER and not account.associations.exists():
            self._join_other_partner(account)
        return account

    def _set_relation(
        self, account: CustomerAccount, accounting: str, **sides: CustomerAccount
    ) -> None:
        values = {
            "accounting": accounting,
            "member_type": MemberType.CLOUD_ACCOUNT,
            "ended_at": None,
        }
        set_fact(EnterpriseRelation, account, "relation", values, now=self.now, **sides)

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
        """Make the invitation, replace it, or renew its expiry."""
        refusal, by_email = example.refusal, example.channel == Channel.EMAIL
        invitation = newest_usable(self.invitations[example.label], refusal, self.now)
        if invitation is None or must_be_replaced(invitation, refusal, self.now):
            self._add_invitation(example)
        elif refusal is None:
            wanted = {
                "expires_at": self.now + LIFE_OF_AN_EMAIL if by_email else None,
                "max_uses": 1 if by_email else None,
            }
            restore_row(invitation, wanted, now=self.now)

    def _add_invitation(self, example: InvitationExample) -> None:
        expired = example.refusal == InvitationRefusal.EXPIRED
        used_up = example.refusal == InvitationRefusal.USED_UP
        invitation = create_invitation(
            partner=self.inviting,
            channel=example.channel,
            association_type=example.association_type,
            label=example.label,
            note="" if example.is_bound else NOTE,
            recipient=example.recipient,
            is_bound=example.is_bound,
            max_uses=1 if used_up else None,
            expires_at=self.now - timedelta(days=1) if expired else None,
            # It can be replaced many times a day, but one address is mailed three times a day only.
            mailed=has_emails_left(example.recipient, now=self.now),
            by=self.partner_user,
            # Services refuse to make an invitation that has expired already.
            now=self.now - timedelta(days=8) if expired else self.now,
        )
        if example.refusal == InvitationRefusal.REVOKED:
            revoke_invitation(invitation=invitation, by=self.partner_user, now=self.now)
        if used_up:
            self._add_user(EARLIER_CUSTOMER.stem)
            account = self._set_account(EARLIER_CUSTOMER)
            join_partner(account, invitation, started_at=self.now, now=self.now)
