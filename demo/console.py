"""Filling the demo partner's console, once: customers, refusals, requests and a batch of links."""

from datetime import datetime, timedelta
from typing import Any

from accounts.enums import AccountType, Billing, RegistrationSite, ResourceStatus
from accounts.models import CustomerAccount, Resource, User
from association.models import Association, DocumentKind, LegalDocument
from association.services.attempts import (
    decide_attempt,
    defer_attempt,
    enter_attempt,
    new_browser_secret,
    remember_registration,
    start_attempt,
    tell_partner,
)
from association.services.authorizations import grant_authorization, request_authorization
from association.services.budget_requests import ask_for_budget
from association.services.customers import freeze_customer, set_budgets
from association.services.documents import current_documents
from association.services.spending import first_of_month
from association.services.spending_records import record_spending
from demo.cast import CUSTOMER_PASSWORD, SOURCE, FactCue
from demo.clientele import (
    ASKS_FOR_INVITATION,
    CARD_COUNT,
    CARDS,
    CUSTOMERS,
    DAYS_OF_HISTORY,
    EXISTING,
    FREEZE_REASON,
    FREEZE_SCOPE,
    INVITED_BY_EMAIL,
    INVITED_MEMBER,
    MEETUP,
    NEWSLETTER,
    OFFER,
    OFFER_NOTE,
    PUTS_OFF,
    REGISTERING,
    STAND,
    VISITORS,
    BudgetCue,
    Customer,
    Visitor,
)
from demo.people import add_person, hash_password, open_log_in
from demo.rows import add_row, bring_back
from demo.walking import follow, join
from outbox.services.queue import drop_late_messages
from partners.enums import AssociationType, Channel, PartnerRole
from partners.models import Invitation, Partner
from partners.services.batches import make_batches, start_links
from partners.services.invitation_requests import request_online_invitation
from partners.services.invitations import create_invitation
from partners.services.member_invitations import invite_member

LETTER = DocumentKind.LETTER_OF_AUTHORIZATION


def fill_console(*, partner: Partner, by: User, manager: User, now: datetime) -> None:
    """Let the partner have had a fortnight: everything by the services, each at its own moment.

    Once: a later call changes nothing, whatever has become of it. `by` administers the partner,
    `manager` has one invitation of their own. What should have been mailed days ago is dropped, as
    the worker would.
    """
    if User.objects.filter(email=CUSTOMERS[0].address).exists():
        return
    console = _Console(partner, by, now)
    console.invite(manager)
    for customer in CUSTOMERS:
        console.add_customer(customer)
    for visitor in VISITORS:
        console.refuse(visitor)
    console.leave_under_way()
    console.leave_open()
    drop_late_messages(now=now)


class _Console:
    """One filling: whose console, the clock, and the invitations that people follow."""

    def __init__(self, partner: Partner, by: User, now: datetime) -> None:
        self.partner, self.by, self.now = partner, by, now
        self.customer_hash = hash_password(CUSTOMER_PASSWORD)
        self.links: dict[str, Invitation] = {}
        self.earliest = self._publish_in_time()

    def _publish_in_time(self) -> datetime:
        """Return since when the instructions in force are; the shipped ones become older.

        Nobody can have agreed to a document before it was published.
        """
        began = self.now - timedelta(days=DAYS_OF_HISTORY)
        documents = LegalDocument.objects.published()
        if not documents.exclude(version=1).exists():
            for document in documents.filter(published_at__gt=began):
                bring_back(document, {"published_at": began}, now=self.now)
        in_force = current_documents(list(DocumentKind), "en").values()
        moments = [document.published_at for document in in_force if document.published_at]
        return max(began, *moments)

    def _before(self, hours: float) -> datetime:
        """Return the moment so many hours ago, or when the documents in force were published."""
        return max(self.now - timedelta(hours=hours), self.earliest)

    # --- invitations

    def invite(self, manager: User) -> None:
        """Make the links, one of them the manager's."""
        reseller, referral = AssociationType.RESELLER, AssociationType.REFERRAL
        self.links[STAND] = self._link(STAND, reseller, self.by, 12 * 24, max_uses=200)
        self.links[NEWSLETTER] = self._link(NEWSLETTER, referral, self.by, 10 * 24)
        self.links[MEETUP] = self._link(MEETUP, reseller, manager, 50, max_uses=30)

    def _link(
        self,
        label: str,
        association_type: AssociationType,
        by: User,
        made_before: float,
        max_uses: int | None = None,
    ) -> Invitation:
        return create_invitation(
            partner=self.partner,
            channel=Channel.LINK,
            association_type=association_type,
            label=label,
            max_uses=max_uses,
            by=by,
            now=self._before(made_before),
        )

    def _email(self, label: str, recipient: str, made_before: float, **terms: Any) -> Invitation:
        return create_invitation(
            partner=self.partner,
            channel=Channel.EMAIL,
            association_type=AssociationType.RESELLER,
            label=label,
            recipient=recipient,
            by=self.by,
            now=self._before(made_before),
            **terms,
        )

    # --- customers

    def add_customer(self, cue: Customer) -> None:
        """Let the customer join, and what followed happen."""
        minutes = 8 / 60
        account = self._account(cue.address, registered_before=cue.joined_before + minutes)
        for name in cue.running:
            values = {
                "name": name,
                "billing": Billing.PAY_PER_USE,
                "status": ResourceStatus.RUNNING,
            }
            self._add_fact(FactCue(name, Resource, values), account)
        invitation = self.links.get(cue.invitation)
        if invitation is None:
            invitation = self._email(EXISTING, cue.address, cue.joined_before + 20)
        association = join(
            account,
            invitation,
            started_at=self._before(cue.joined_before + minutes),
            now=self._before(cue.joined_before),
        )
        if cue.budget is not None:
            self._set_budget(association, cue.budget)
        if cue.budget_asked_before is not None:
            asked_at = self._before(cue.budget_asked_before)
            ask_for_budget(association=association, by=account.owner, now=asked_at)
        if cue.frozen_before is not None:
            freeze_customer(
                association=association,
                scope=FREEZE_SCOPE,
                reason=FREEZE_REASON,
                by=self.by,
                now=self._before(cue.frozen_before),
            )
        self._authorize(association, cue)

    def _account(
        self, address: str, *, registered_before: float, is_enabled: bool = True
    ) -> CustomerAccount:
        registered_at = self._before(registered_before)
        owner = add_person(address, now=registered_at)
        open_log_in(owner, self.customer_hash, now=registered_at)
        terms = {
            "account_type": AccountType.ENTERPRISE,
            "registration_site": RegistrationSite.INTERNATIONAL,
            "registered_at": registered_at,
            "services_enabled_at": registered_at if is_enabled else None,
        }
        account = CustomerAccount(owner=owner, country="DE", **terms)
        add_row(account, now=registered_at, audited={"owner": owner.pk, **terms})
        return account

    def _set_budget(self, association: Association, cue: BudgetCue) -> None:
        set_at = self._before(cue.set_before)
        set_budgets(
            associations=[association], terms=cue.terms, unfreeze=True, by=self.by, now=set_at
        )
        if cue.spent:
            # Whenever it is loaded: on the first of a month nothing can be of the days before.
            month = first_of_month(self.partner, self.now)
            recorded_at = max(self._before(cue.recorded_before), month, set_at)
            self._spend(association, cue.spent, max(set_at, month), recorded_at)

    def _spend(
        self, association: Association, amounts: tuple[str, ...], since: datetime, until: datetime
    ) -> None:
        """Record the amounts, evenly spread from the first moment to the last."""
        step = (until - since) / len(amounts)
        owner = association.account.owner
        lines = [
            {
                "source": SOURCE,
                "external_id": f"{owner.email}/spending-{number}",
                "account": owner.account_name,
                "amount": amount,
                "occurred_at": (since + step * number).isoformat(),
            }
            for number, amount in enumerate(amounts, start=1)
        ]
        report = record_spending(lines=lines, now=until)
        if report.errors:
            raise ValueError(report.errors)

    def _authorize(self, association: Association, cue: Customer) -> None:
        if cue.authorization_asked_before is None:
            return
        asked_at = self._before(cue.authorization_asked_before)
        asked = request_authorization(association=association, by=self.by, now=asked_at)
        if cue.authorization_granted_before is not None:
            letter = current_documents([LETTER], "en")[LETTER]
            grant_authorization(
                association=association,
                shown_request=asked,
                shown_version=letter.version,
                language="en",
                address=None,
                by=association.account.owner,
                now=self._before(cue.authorization_granted_before),
            )

    # --- attempts that led nowhere yet

    def refuse(self, cue: Visitor) -> None:
        """Let the visitor come by the link of the stand and be refused."""
        account = self._account(cue.address, registered_before=cue.came_before)
        came_at = account.registered_at
        if cue.fact is not None:
            self._add_fact(cue.fact, account)
        attempt = follow(self.links[STAND], now=came_at)
        enter_attempt(attempt=attempt, account=account, now=came_at, registered=cue.is_new)
        decided_at = self._before(
            cue.came_before if cue.decided_before is None else cue.decided_before
        )
        decide_attempt(attempt=attempt, now=decided_at)
        if cue.tells_partner:
            tell_partner(attempt=attempt, now=decided_at)

    def leave_under_way(self) -> None:
        """Let one visitor read, one register, and one put off enabling."""
        start_attempt(
            invitation=self.links[STAND],
            browser_secret=new_browser_secret(),
            language="de",
            now=self._before(1.5),
        )
        registering = follow(self.links[STAND], now=self._before(0.7))
        asked_at = self._before(0.6)
        remember_registration(
            attempt=registering, email=REGISTERING, country="DE", code_asked_at=asked_at
        )
        account = self._account(PUTS_OFF, registered_before=9, is_enabled=False)
        attempt = follow(self.links[STAND], now=account.registered_at)
        enter_attempt(attempt=attempt, account=account, now=account.registered_at, registered=True)
        defer_attempt(attempt=attempt, by=account.owner, now=self._before(8.9))

    def _add_fact(self, cue: FactCue, account: CustomerAccount) -> None:
        """Add what refuses the visitor; it happened on the day they came."""
        moments = {name: account.registered_at + distance for name, distance in cue.moments.items()}
        terms = {
            "source": SOURCE,
            "external_id": f"{account.owner.email}/{cue.name}",
            **cue.values,
            **moments,
        }
        fact: Any = cue.model(account=account, **terms)  # type: ignore[misc]  # each fact has one
        add_row(fact, now=account.registered_at, audited={"account": account.pk, **terms})

    # --- what waits for an answer, and what is done

    def leave_open(self) -> None:
        """Leave a request, an e-mail and a member's invitation open, and make a batch of links."""
        request_online_invitation(
            invitation=self.links[STAND],
            address=ASKS_FOR_INVITATION,
            language="en",
            now=self._before(3.9),
        )
        self._email(OFFER, INVITED_BY_EMAIL, 22, recipient_name="Katja Lorenz", note=OFFER_NOTE)
        invite_member(
            partner=self.partner,
            address=INVITED_MEMBER,
            role=PartnerRole.MANAGER,
            by=self.by,
            now=self._before(25),
        )
        started_at = self._before(4 * 24)
        start_links(
            partner=self.partner,
            association_type=AssociationType.RESELLER,
            label=CARDS,
            size=CARD_COUNT,
            max_uses=1,
            by=self.by,
            now=started_at,
        )
        make_batches(now=started_at + timedelta(seconds=2))
