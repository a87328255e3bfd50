"""Two weeks of history in the demo partner's console, made once by the product's services."""

from datetime import datetime, timedelta
from typing import Any

from accounts.enums import AccountType, FreezeScope, RegistrationSite
from accounts.models import CustomerAccount, User
from association.models import Association, Attempt, DocumentKind, LegalDocument
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
from demo.customers import (
    BATCH,
    BATCH_SIZE,
    CUSTOMERS,
    DAYS_OF_HISTORY,
    ENABLES_LATER,
    EXISTING,
    FAIR,
    FREEZE_REASON,
    INVITED_MEMBER,
    MEETUP,
    NEWSLETTER,
    OFFER,
    OFFER_NOTE,
    RECIPIENT,
    REGISTERING,
    REQUESTER,
    VISITORS,
    BudgetExample,
    Customer,
    Visitor,
)
from demo.examples import CUSTOMER_PASSWORD, REFERRAL, RESELLER, SOURCE
from demo.facts import FactExample
from demo.rows import (
    add_user,
    begin_attempt,
    hash_password,
    join_partner,
    restore_log_in,
    restore_row,
    set_account,
)
from outbox.services.queue import drop_late_messages
from partners.enums import Channel, PartnerRole
from partners.models import Invitation, Partner
from partners.services.batches import make_batches, start_links
from partners.services.invitation_requests import request_online_invitation
from partners.services.invitations import create_invitation
from partners.services.member_invitations import invite_member

LETTER = DocumentKind.LETTER_OF_AUTHORIZATION
# How long a customer takes from registering to joining, in hours.
JOINING = 8 / 60


def add_history(*, partner: Partner, by: User, manager: User, now: datetime) -> None:
    """Add the history, each action at its own moment; a later call changes nothing.

    `by` administers the partner, `manager` has one invitation. E-mails whose deadline is over are
    dropped, as the worker would do.
    """
    if User.objects.filter(email=CUSTOMERS[0].address).exists():
        return
    history = _History(partner, by, now)
    history.add_links(manager)
    for customer in CUSTOMERS:
        history.add_customer(customer)
    for visitor in VISITORS:
        history.add_refused_visitor(visitor)
    history.add_unfinished_attempts()
    history.add_open_requests()
    history.add_batch()
    drop_late_messages(now=now)


class _History:
    """The partner, the present moment, and the links that customers follow."""

    def __init__(self, partner: Partner, by: User, now: datetime) -> None:
        self.partner, self.by, self.now = partner, by, now
        self.customer_hash = hash_password(CUSTOMER_PASSWORD)
        self.links: dict[str, Invitation] = {}
        self.earliest = self._publish_documents_in_time()

    def _publish_documents_in_time(self) -> datetime:
        """Move the shipped documents before the history, and return since when all are in force.

        No customer can have agreed to a document before it was published.
        """
        began = self.now - timedelta(days=DAYS_OF_HISTORY)
        documents = LegalDocument.objects.published()
        if not documents.exclude(version=1).exists():
            for document in documents.filter(published_at__gt=began):
                restore_row(document, {"published_at": began}, now=self.now)
        in_force = current_documents(list(DocumentKind), "en").values()
        moments = [document.published_at for document in in_force if document.published_at]
        return max(began, *moments)

    def _before(self, hours: float) -> datetime:
        """Return the moment so many hours ago, but not before the documents were in force."""
        return max(self.now - timedelta(hours=hours), self.earliest)

    # --- invitations

    def add_links(self, manager: User) -> None:
        self.links = {
            FAIR: self._invite(FAIR, 12 * 24, max_uses=200),
            NEWSLETTER: self._invite(NEWSLETTER, 10 * 24, association_type=REFERRAL),
            MEETUP: self._invite(MEETUP, 50, max_uses=30, by=manager),
        }

    def _invite(self, label: str, made_before: float, **terms: Any) -> Invitation:
        """Make a reseller invitation by the administrator, unless `terms` say otherwise."""
        channel = Channel.EMAIL if "recipient" in terms else Channel.LINK
        defaults: dict[str, Any] = {"association_type": RESELLER, "by": self.by}
        return create_invitation(
            partner=self.partner,
            channel=channel,
            label=label,
            now=self._before(made_before),
            **(defaults | terms),
        )

    # --- customers

    def add_customer(self, customer: Customer) -> None:
        joined_before = customer.joined_before
        account = self._add_account(customer.address, joined_before + JOINING, customer.facts)
        invitation = self.links.get(customer.invitation) or self._invite(
            EXISTING, joined_before + 20, recipient=customer.address
        )
        association = join_partner(
            account,
            invitation,
            started_at=self._before(joined_before + JOINING),
            now=self._before(joined_before),
        )
        if customer.budget is not None:
            self._set_budget(association, customer.budget)
        if customer.budget_asked_before is not None:
            asked_at = self._before(customer.budget_asked_before)
            ask_for_budget(association=association, by=account.owner, now=asked_at)
        if customer.frozen_before is not None:
            freeze_customer(
                association=association,
                scope=FreezeScope.ACCOUNT,
                reason=FREEZE_REASON,
                by=self.by,
                now=self._before(customer.frozen_before),
            )
        if customer.authorization_asked_before is not None:
            self._request_authorization(association, customer)

    def _add_account(
        self,
        address: str,
        registered_before: float,
        facts: tuple[FactExample, ...] = (),
        *,
        is_enabled: bool = True,
    ) -> CustomerAccount:
        """Add an account that was registered, enabled and got its facts in one moment."""
        registered_at = self._before(registered_before)
        owner = add_user(address, now=registered_at)
        restore_log_in(owner, self.customer_hash, now=registered_at)
        values = {
            "account_type": AccountType.ENTERPRISE,
            "registration_site": RegistrationSite.INTERNATIONAL,
            "registered_at": registered_at,
            "services_enabled_at": registered_at if is_enabled else None,
        }
        return set_account(owner, values, facts, now=registered_at)

    def _set_budget(self, association: Association, budget: BudgetExample) -> None:
        set_at = self._before(budget.set_before)
        set_budgets(
            associations=[association], terms=budget.terms, unfreeze=True, by=self.by, now=set_at
        )
        if budget.spent:
            # Only spending of this month counts, also when the demo is loaded on its first day.
            month = first_of_month(self.partner, self.now)
            recorded_at = max(self._before(budget.recorded_before), month, set_at)
            self._spend(association, budget.spent, max(set_at, month), recorded_at)

    def _spend(
        self, association: Association, amounts: tuple[str, ...], since: datetime, until: datetime
    ) -> None:
        """Record the amounts at equal distances between the two moments."""
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

    def _request_authorization(self, association: Association, customer: Customer) -> None:
        asked_at = self._before(customer.authorization_asked_before or 0)
        authorization = request_authorization(association=association, by=self.by, now=asked_at)
        if customer.authorization_granted_before is not None:
            grant_authorization(
                association=association,
                shown_request=authorization,
                shown_version=current_documents([LETTER], "en")[LETTER].version,
                language="en",
                address=None,
                by=association.account.owner,
                now=self._before(customer.authorization_granted_before),
            )

    # --- attempts without an association

    def add_refused_visitor(self, visitor: Visitor) -> None:
        account = self._add_account(visitor.address, visitor.came_before, visitor.facts)
        attempt = self._enter_fair(account, registered=visitor.is_new)
        decided_before = visitor.decided_before or visitor.came_before
        decided_at = self._before(decided_before)
        decide_attempt(attempt=attempt, now=decided_at)
        if visitor.tells_partner:
            tell_partner(attempt=attempt, now=decided_at)

    def _enter_fair(self, account: CustomerAccount, *, registered: bool) -> Attempt:
        """Begin an attempt by the fair's link, with the account, when it was registered."""
        now = account.registered_at
        attempt = begin_attempt(self.links[FAIR], now=now)
        enter_attempt(attempt=attempt, account=account, now=now, registered=registered)
        return attempt

    def add_unfinished_attempts(self) -> None:
        """Add visitors who read the instructions, register, and enable later."""
        fair = self.links[FAIR]
        start_attempt(
            invitation=fair,
            browser_secret=new_browser_secret(),
            language="de",
            now=self._before(1.5),
        )
        attempt = begin_attempt(fair, now=self._before(0.7))
        asked_at = self._before(0.6)
        remember_registration(
            attempt=attempt, email=REGISTERING, country="DE", code_asked_at=asked_at
        )
        account = self._add_account(ENABLES_LATER, 9, is_enabled=False)
        attempt = self._enter_fair(account, registered=True)
        defer_attempt(attempt=attempt, by=account.owner, now=self._before(8.9))

    # --- requests, invitations and a batch

    def add_open_requests(self) -> None:
        request_online_invitation(
            invitation=self.links[FAIR],
            address=REQUESTER,
            language="en",
            now=self._before(3.9),
        )
        terms = {"recipient": RECIPIENT, "recipient_name": "Katja Lorenz", "note": OFFER_NOTE}
        self._invite(OFFER, 22, **terms)
        invite_member(
            partner=self.partner,
            address=INVITED_MEMBER,
            role=PartnerRole.MANAGER,
            by=self.by,
            now=self._before(25),
        )

    def add_batch(self) -> None:
        started_at = self._before(4 * 24)
        start_links(
            partner=self.partner,
            association_type=RESELLER,
            label=BATCH,
            size=BATCH_SIZE,
            max_uses=1,
            by=self.by,
            now=started_at,
        )
        make_batches(now=started_at + timedelta(seconds=2))
