"""Loading the demo: makes what is missing, replaces what is spent, sets moments anew."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import CustomerAccount, EnterpriseRelation, User
from association.enums import RefusalCode
from association.services.eligibility import evaluate
from association.services.facts import load_facts
from demo.cast import (
    ADMIN,
    CUES,
    CUSTOMER_PASSWORD,
    DOMAIN,
    EARLIER_CUSTOMER,
    ENTERPRISE,
    INVITING,
    MANAGER,
    MEMBER_TYPE,
    NOTE,
    OTHER,
    PARTNER,
    PASSWORDS,
    ROLES,
    SOURCE,
    SUBSIDIARY,
    Cue,
    Role,
)
from demo.console import fill_console
from demo.finding import (
    ACCOUNT_LABEL,
    Demo,
    account_is_spent,
    find_demo,
    find_offers,
    find_people,
    is_used_or_revoked,
    local_part,
    offer_is_spent,
    pick,
    pick_own,
    stem_and_number,
)
from demo.people import add_person, hash_password, open_log_in
from demo.rows import add_row, bring_back
from demo.walking import join
from partners.enums import AssociationType, Channel, InvitationRefusal, PartnerRole
from partners.models import Partner, PartnerMember
from partners.services.invitations import (
    LIFE_OF_AN_EMAIL,
    create_invitation,
    revoke_invitation,
)
from partners.services.quotas import has_emails_left
from web.locks import lock_name


class DemoBroken(Exception):
    """Something in the database keeps the demo from being loaded; nothing was written."""


def load_demo(*, now: datetime) -> Demo:
    """Make or repair the demo and return it; what is not spent stays as it is.

    A used invitation or account is followed by a fresh one, the old one stays as history. Only
    what is new is mailed. Runs alone, in one transaction. Raises DemoBroken.
    """
    with transaction.atomic():
        lock_name("demo")
        _Stage(now).set_up()
        demo = find_demo(now)
        if demo is None or demo.spent:
            raise DemoBroken(", ".join(demo.spent) if demo else "incomplete")
        return demo


class _Stage:
    """One loading of the demo: its clock, and what was found."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.people = find_people()
        self.customer_hash = hash_password(CUSTOMER_PASSWORD)

    def set_up(self) -> None:
        """Bring everything in order, from the partners to the last invitation."""
        self.inviting = self._partner(INVITING)
        self.other = self._partner(OTHER)
        self.member = self._login(PARTNER)
        self._member(self.member, self.inviting, PartnerRole.ADMINISTRATOR)
        self._login(ADMIN, powerful=True)
        self.manager = self._login(MANAGER)
        self._member(self.manager, self.inviting, PartnerRole.MANAGER)
        self.offers = find_offers(self.inviting)
        self.enterprise = self._prepared(ENTERPRISE)
        self.subsidiary = self._prepared(SUBSIDIARY)
        for cue in CUES:
            self._offer(cue)
        for role in ROLES:
            self._invite(self._cast(role))
        fill_console(partner=self.inviting, by=self.member, manager=self.manager, now=self.now)

    # --- partners and people

    def _partner(self, wanted: Mapping[str, Any]) -> Partner:
        partner = Partner.objects.filter(slug=wanted["slug"]).first()
        if partner is None:
            partner = Partner(**wanted)
            add_row(partner, now=self.now, audited=wanted)
        bring_back(partner, wanted, now=self.now)
        return partner

    def _member(self, user: User, partner: Partner, role: PartnerRole) -> None:
        member = PartnerMember.objects.filter(user=user).first()
        if member is not None and member.partner_id != partner.pk:
            raise DemoBroken("a login belongs to another partner")
        if member is None:
            member = PartnerMember(user=user, partner=partner, role=role)
            audited = {"user": user.pk, "partner": partner.pk, "role": role}
            add_row(member, now=self.now, audited=audited)
        bring_back(member, {"role": role}, now=self.now)

    def _login(self, name: str, *, powerful: bool = False) -> User:
        user = self.people.get(name) or self._new_user(name)
        powers = {"is_staff": powerful, "is_superuser": powerful}
        open_log_in(user, hash_password(PASSWORDS[name]), now=self.now, **powers)
        return user

    def _new_user(self, stem: str) -> User:
        """Add the next user of this stem: `eligible@`, then `eligible-2@` and so on."""
        earlier = self.people.get(stem)
        number = stem_and_number(earlier)[1] + 1 if earlier else 1
        address = f"{stem}{f'-{number}' if number > 1 else ''}@{DOMAIN}"
        user = add_person(address, now=self.now)
        self.people[stem] = user
        return user

    # --- accounts

    def _cast(self, role: Role) -> User:
        """Return the owner of an account that plays the role; a fresh one if the old is spent."""
        owner = self.people.get(role.stem)
        if owner is None or account_is_spent(role, owner, self.other):
            self._new_user(role.stem)
        if not self._plays(role):
            # Someone has added a fact that the demo knows nothing of.
            self._new_user(role.stem)
            if not self._plays(role):
                raise DemoBroken(role.name)
        return self.people[role.stem]

    def _plays(self, role: Role) -> bool:
        """Prepare the account, and ask the rules whether it is refused for the one reason."""
        account = self._prepared(role)
        facts = load_facts(account=account, partner=self.inviting, now=self.now)
        decision = evaluate(facts, AssociationType.RESELLER, self.now)
        wanted = {role.name} & set(RefusalCode)
        return {refusal.code for refusal in decision.refusals} == wanted

    def _prepared(self, role: Role) -> CustomerAccount:
        """Return the role's account with its log-in and facts in order."""
        owner = self.people.get(role.stem) or self._new_user(role.stem)
        open_log_in(owner, self.customer_hash, now=self.now)
        registered_at = self.now - role.age
        enabled_at = registered_at + timedelta(minutes=10) if role.is_enabled else None
        wanted = {
            "account_type": role.account_type,
            "registration_site": role.registration_site,
            "is_internal": role.is_internal,
            "registered_at": registered_at,
            "services_enabled_at": enabled_at,
        }
        account: CustomerAccount | None = getattr(owner, "customer_account", None)
        if account is None:
            account = CustomerAccount(owner=owner, country="DE", **wanted)
            add_row(account, now=self.now, audited={"owner": owner.pk, **wanted})
        bring_back(account, wanted, now=self.now)
        self._facts(role, account)
        self._relations(role, account)
        if role.name == RefusalCode.IS_PARTNER:
            self._member(owner, self.other, PartnerRole.MANAGER)
        if role.name == RefusalCode.OTHER_PARTNER and not account.associations.exists():
            self._associate_with_other(account)
        return account

    def _facts(self, role: Role, account: CustomerAccount) -> None:
        for cue in role.facts:
            moments = {name: self.now + distance for name, distance in cue.moments.items()}
            self._fact(cue.model, account, cue.name, {**cue.values, **moments}, account=account)

    def _relations(self, role: Role, account: CustomerAccount) -> None:
        terms = {"member_type": MEMBER_TYPE, "ended_at": None}
        if role.member_of is not None:
            wanted = {**terms, "accounting": role.member_of}
            sides = {"master": self.enterprise, "member": account}
            self._fact(EnterpriseRelation, account, "membership", wanted, **sides)
        if role.master_of is not None:
            wanted = {**terms, "accounting": role.master_of}
            sides = {"master": account, "member": self.subsidiary}
            self._fact(EnterpriseRelation, account, "member", wanted, **sides)

    def _fact(
        self,
        model: type[Any],
        owner: CustomerAccount,
        name: str,
        wanted: Mapping[str, Any],
        **accounts: CustomerAccount,
    ) -> None:
        """Add or bring back one fact; its id is stable for as long as the account plays."""
        key = {"source": SOURCE, "external_id": f"{local_part(owner.owner)}/{name}"}
        fact = model.objects.filter(**key).first()
        if fact is None:
            fact = model(**key, **accounts, **wanted)
            keys = {side: account.pk for side, account in accounts.items()}
            add_row(fact, now=self.now, audited={**key, **keys, **wanted})
        bring_back(fact, wanted, now=self.now)

    def _associate_with_other(self, account: CustomerAccount) -> None:
        invitation = create_invitation(
            partner=self.other,
            channel=Channel.EMAIL,
            association_type=AssociationType.REFERRAL,
            label="Demo",
            recipient=account.owner.email,
            by=None,
            now=self.now,
        )
        join(account, invitation, started_at=self.now, now=self.now)

    # --- invitations

    def _invite(self, owner: User) -> None:
        """Give the account its own invitation, or more time to the one it has."""
        own = pick_own(self.offers, owner)
        if own is None or is_used_or_revoked(own):
            create_invitation(
                partner=self.inviting,
                channel=Channel.EMAIL,
                association_type=AssociationType.RESELLER,
                label=ACCOUNT_LABEL + local_part(owner),
                recipient=owner.email,
                is_bound=True,
                mailed=has_emails_left(owner.email, now=self.now),
                by=self.member,
                now=self.now,
            )
        else:
            bring_back(own, {"expires_at": self.now + LIFE_OF_AN_EMAIL}, now=self.now)

    def _offer(self, cue: Cue) -> None:
        """Make one of the seven, replace it, or give it more time."""
        offer = pick(self.offers[cue.label], cue, self.now)
        if offer is None or offer_is_spent(offer, cue, self.now):
            self._make_offer(cue)
        elif cue.refusal is None:
            by_email = cue.channel == Channel.EMAIL
            wanted = {
                "expires_at": self.now + LIFE_OF_AN_EMAIL if by_email else None,
                "max_uses": 1 if by_email else None,
            }
            bring_back(offer, wanted, now=self.now)

    def _make_offer(self, cue: Cue) -> None:
        expired = cue.refusal == InvitationRefusal.EXPIRED
        used_up = cue.refusal == InvitationRefusal.USED_UP
        offer = create_invitation(
            partner=self.inviting,
            channel=cue.channel,
            association_type=cue.association_type,
            label=cue.label,
            note=NOTE,
            recipient=cue.recipient,
            is_bound=False,
            max_uses=1 if used_up else None,
            expires_at=self.now - timedelta(days=1) if expired else None,
            # However often it is used up on one day, it is there again; mailed it is three times.
            mailed=has_emails_left(cue.recipient, now=self.now),
            by=self.member,
            # An expired one was made when it could still be made.
            now=self.now - timedelta(days=8) if expired else self.now,
        )
        if cue.refusal == InvitationRefusal.REVOKED:
            revoke_invitation(invitation=offer, by=self.member, now=self.now)
        if used_up:
            self._new_user(EARLIER_CUSTOMER.stem)
            account = self._prepared(EARLIER_CUSTOMER)
            join(account, offer, started_at=self.now, now=self.now)
