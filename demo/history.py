"""Two weeks of history in the demo partner's console, made once by the product's services.

The addresses have domains of their own, so that none is taken for one of `examples.ACCOUNTS`.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.management import CommandError

from accounts.enums import AccountType, ContractType, FreezeScope
from accounts.models import CustomerAccount, User
from association.enums import AuthorizationAnswer, Side
from association.forms.documents import BOXES, sentence
from association.models import (
    Association,
    Attempt,
    BudgetPeriod,
    DocumentKind,
    EndRequest,
    LegalDocument,
    OnExhaustion,
)
from association.services.admission import account_of
from association.services.associations import associate
from association.services.attempts import (
    agree_to_instructions,
    decide_attempt,
    defer_attempt,
    enter_attempt,
    new_browser_secret,
    remember_registration,
    start_attempt,
    tell_partner,
)
from association.services.authorizations import grant_authorization, request_authorization
from association.services.budget_requests import ask_partner
from association.services.customer_names import rename_customer
from association.services.customers import freeze_customer, set_budget
from association.services.documents import Agreed, current_documents
from association.services.endings import answer_end_request, ask_to_end
from association.services.spending import first_of_month
from association.services.spending_records import record_spending
from demo.examples import (
    CUSTOMERS,
    DOMAIN,
    REFERENCES,
    REFERRAL,
    RESELLER,
    Fact,
    cash,
    contract,
    resource,
    unpaid_bill,
)
from demo.rows import SOURCE, add_user, restore_account
from outbox.models import OutboxMessage
from outbox.services.queue import drop_late_messages, mark_dead
from partners.enums import Channel, PartnerRole
from partners.models import Invitation, Partner
from partners.services.batches import make_batches, start_links
from partners.services.invitation_requests import request_online_invitation
from partners.services.invitations import create_invitation
from partners.services.member_invitations import invite_member

# How long a customer takes from registering to joining, in hours.
JOINING = 8 / 60


def add_history(*, partner: Partner, by: User, manager: User, now: datetime) -> None:
    """Add the history, each action at its own moment; a later call changes nothing.

    `by` administers the partner, `manager` has one invitation. E-mails whose deadline is over are
    dropped, as the worker would do.
    """
    if User.objects.filter(email=CUSTOMERS["active"]).exists():
        return
    history = _History(partner, by, now)
    history.check_documents()
    history.add_invitations(manager)
    history.add_customers()
    history.add_refused_visitors()
    history.add_unfinished_attempts()
    drop_late_messages(now=now)


class _History:
    """The partner, its administrator and the present moment."""

    def __init__(self, partner: Partner, by: User, now: datetime) -> None:
        self.partner, self.by, self.now = partner, by, now

    def _ago(self, hours: float) -> datetime:
        return self.now - timedelta(hours=hours)

    def check_documents(self) -> None:
        # The customers of the history agree to documents that demo/apps.py has published before.
        began = self._ago(14 * 24)
        if LegalDocument.objects.published().filter(published_at__gt=began).exists():
            raise CommandError("The documents are newer than the demo: empty the database.")

    # --- invitations

    def add_invitations(self, manager: User) -> None:
        self.fair = self._invite("Autumn trade fair, stand B12", 12 * 24, max_uses=200)
        self.newsletter = self._invite(
            "Newsletter for start-ups", 10 * 24, association_type=REFERRAL
        )
        self.meetup = self._invite("Meetup at the harbour", 50, max_uses=30, by=manager)
        self._invite(
            "Offer after the call",
            22,
            recipient=f"katja.lorenz@sturmlaterne.{DOMAIN}",
            recipient_name="Katja Lorenz",
            customer_name="Sturmlaterne Film",
            reference="N-2045",
            note="As agreed on the phone: here is the way to your account with us.",
        )
        self._refuse(
            self._invite(
                "Left a card at the counter",
                30,
                recipient=f"buero@moewennest.{DOMAIN}",
                customer_name="Möwennest Verlag",
            )
        )
        invite_member(
            partner=self.partner,
            address=f"jonas.brandt@nordlicht.{DOMAIN}",
            role=PartnerRole.MANAGER,
            by=self.by,
            now=self._ago(25),
        )
        started_at = self._ago(4 * 24)
        start_links(
            partner=self.partner,
            association_type=RESELLER,
            label="Counter card {n}",
            size=12,
            max_uses=1,
            by=self.by,
            now=started_at,
        )
        make_batches(now=started_at + timedelta(seconds=2))

    def _refuse(self, invitation: Invitation) -> None:
        """Let the mail server have refused the e-mail: the address was mistyped."""
        [message] = OutboxMessage.objects.waiting().filter(about_id=str(invitation.pk))
        mark_dead(message=message, error="550 SMTPRecipientsRefused", now=self._ago(29))

    def _invite(self, label: str, hours_ago: float, **terms: Any) -> Invitation:
        defaults: dict[str, Any] = {
            "channel": Channel.EMAIL if "recipient" in terms else Channel.LINK,
            "association_type": RESELLER,
            "by": self.by,
        }
        return create_invitation(
            partner=self.partner, label=label, now=self._ago(hours_ago), **(defaults | terms)
        )

    # --- customers

    def add_customers(self) -> None:
        letter = DocumentKind.LETTER_OF_AUTHORIZATION
        strandkorb = self._join("cto@strandkorb", self.newsletter, 150)
        request = request_authorization(association=strandkorb, by=self.by, now=self._ago(93))
        grant_authorization(
            association=strandkorb,
            shown_request=request,
            shown_letter=current_documents([letter], "en")[letter].version,
            label=str(AuthorizationAnswer.AGREE.label),
            language="en",
            address=None,
            by=strandkorb.account.owner,
            now=self._ago(70),
        )

        ziegelhof = self._join("admin@ziegelhof", self.newsletter, 62)
        request_authorization(association=ziegelhof, by=self.by, now=self._ago(28))

        moorland = self._join("office@moorland", self.fair, 141)
        self._set_budget(moorland, "300.00", BudgetPeriod.MONTHLY, 139)
        freeze_customer(
            association=moorland,
            scope=FreezeScope.ACCOUNT,
            reason="Your last invoice is still open. Call us, and we unfreeze the account at once.",
            by=self.by,
            now=self._ago(30),
        )

        self._name(moorland, "moorland", 138)
        windmuehle = self._join("ops@windmuehle", self.fair, 130)
        self._set_budget(windmuehle, "500.00", BudgetPeriod.MONTHLY, 122)
        self._name(windmuehle, "windmuehle", 121)
        self._spend(windmuehle, ["118.40", "96.15", "104.30", "83.45"], since=122, until=2)

        leuchtturm = self._join("team@leuchtturm", self.fair, 111)
        self._set_budget(leuchtturm, "200.00", BudgetPeriod.ONE_TIME, 100)
        self._name(leuchtturm, "leuchtturm", 99)
        self._spend(leuchtturm, ["61.20", "74.55", "67.35"], since=100, until=20)

        seilerei = self._join("kontakt@seilerei", self.fair, 170)
        self._set_budget(seilerei, "150.00", BudgetPeriod.MONTHLY, 166)
        self._end(seilerei, "We close our shop at the end of the month.", asked=90, agreed=66)

        bootsbau = self._join("buero@bootsbau", self.newsletter, 160)
        self._ask_to_end(bootsbau, "We would like to talk to the provider directly.", 11)

        lichtwerk = self._join("lena@lichtwerk", self.fair, 53)
        ask_partner(association=lichtwerk, by=lichtwerk.account.owner, now=self._ago(5))
        self._join("paula@segelmacherei", self.meetup, 7)
        moves = self._invite(
            "Moves over to us",
            47,
            recipient=f"it@hafenkontor.{DOMAIN}",
            customer_name="Hafenkontor GmbH",
            reference="N-2044",
        )
        self._join("it@hafenkontor", moves, 27, resource("shop-1"), resource("shop-2"))

    def _join(
        self, address: str, invitation: Invitation, hours_ago: float, *facts: Fact
    ) -> Association:
        account, now = self._add_account(address, hours_ago + JOINING, *facts), self._ago(hours_ago)
        return join_partner(account, invitation, started_at=account.registered_at, now=now)

    def _name(self, association: Association, stem: str, hours_ago: float) -> None:
        rename_customer(
            association=association,
            customer_name=association.account.name,
            reference=REFERENCES[stem],
            note="",
            by=self.by,
            now=self._ago(hours_ago),
        )

    def _set_budget(
        self, association: Association, amount: str, period: BudgetPeriod, hours_ago: float
    ) -> None:
        set_budget(
            association=association,
            amount=Decimal(amount),
            period=period,
            on_exhaustion=OnExhaustion.FREEZE,
            unfreeze=True,
            by=self.by,
            now=self._ago(hours_ago),
        )

    def _ask_to_end(self, association: Association, reason: str, hours_ago: float) -> EndRequest:
        return ask_to_end(
            association=association,
            side=Side.CUSTOMER,
            reason=reason,
            by=association.account.owner,
            now=self._ago(hours_ago),
        )

    def _end(self, association: Association, reason: str, *, asked: float, agreed: float) -> None:
        answer_end_request(
            end_request=self._ask_to_end(association, reason, asked),
            side=Side.PARTNER,
            agree=True,
            reason="",
            by=self.by,
            now=self._ago(agreed),
        )

    def _spend(
        self, association: Association, amounts: list[str], *, since: float, until: float
    ) -> None:
        """Record the amounts at equal distances between the two moments."""
        # Only spending of this month counts, also when the demo is loaded on its first day.
        began = max(self._ago(since), first_of_month(self.partner, self.now))
        ended = max(self._ago(until), began)
        owner = association.account.owner
        lines = [
            {
                "source": SOURCE,
                "external_id": f"{owner.email}/spending-{number}",
                "account": owner.account_name,
                "amount": amount,
                "occurred_at": (began + (ended - began) / len(amounts) * number).isoformat(),
            }
            for number, amount in enumerate(amounts, start=1)
        ]
        report = record_spending(lines=lines, now=ended)
        if report.errors:
            raise ValueError(report.errors)

    # --- attempts without an association

    def add_refused_visitors(self) -> None:
        too_late = self._enter_fair("dev@nachtzug", 9 * 24)
        decide_attempt(attempt=too_late, now=self._ago(44))
        self._enter_fair("it@granitwerk", 75, contract(ContractType.OFFLINE_DIRECT))
        self._enter_fair("shop@kupferkanne", 31, cash("89.90"))
        owes = self._enter_fair("hello@papierboot", 19, unpaid_bill("34.50"))
        tell_partner(attempt=owes, now=self._ago(19))
        existing = self._enter_fair("alina@bernstein", 4, is_new=False)
        request_online_invitation(
            invitation=self.fair,
            address=account_of(existing).owner.email,
            language="en",
            now=self._ago(3.9),
        )

    def _enter_fair(
        self, address: str, hours_ago: float, *facts: Fact, is_new: bool = True, **values: Any
    ) -> Attempt:
        account, now = self._add_account(address, hours_ago, *facts, **values), self._ago(hours_ago)
        attempt = _begin(self.fair, now=now)
        enter_attempt(attempt=attempt, account=account, now=now, registered=is_new)
        return attempt

    def _add_account(
        self, address: str, hours_ago: float, *facts: Fact, **values: Any
    ) -> CustomerAccount:
        now = self._ago(hours_ago)
        owner = add_user(f"{address}.{DOMAIN}", now=now)
        values = {"account_type": AccountType.ENTERPRISE, **values}
        return restore_account(owner, values, facts, at=now, now=now)

    def add_unfinished_attempts(self) -> None:
        start_attempt(
            invitation=self.fair,
            browser_secret=new_browser_secret(),
            language="de",
            now=self._ago(1.5),
        )
        registering = _begin(self.fair, now=self._ago(0.7))
        remember_registration(
            attempt=registering,
            email=f"mia@treibholz.{DOMAIN}",
            country="DE",
            code_asked_at=self._ago(0.6),
        )
        enables_later = self._enter_fair("post@kranich", 9, services_enabled_at=None)
        defer_attempt(attempt=enables_later, by=account_of(enables_later).owner, now=self._ago(8.9))


# --- following an invitation


def join_partner(
    account: CustomerAccount, invitation: Invitation, *, started_at: datetime, now: datetime
) -> Association:
    """Associate the account; by a link as one that was registered in this attempt."""
    attempt = _begin(invitation, now=started_at, by=account.owner)
    is_new = invitation.channel == Channel.LINK
    enter_attempt(attempt=attempt, account=account, now=started_at, registered=is_new)
    return associate(attempt=attempt, by=account.owner, address=None, clock=lambda: now)


def _begin(invitation: Invitation, *, now: datetime, by: User | None = None) -> Attempt:
    attempt = start_attempt(
        invitation=invitation, browser_secret=new_browser_secret(), language="en", now=now
    )
    if invitation.is_reseller:
        agree_to_instructions(
            attempt=attempt,
            instructions=_agreed(DocumentKind.INSTRUCTIONS),
            letter=None,
            address=None,
            by=by,
            now=now,
        )
    return attempt


def _agreed(kind: DocumentKind) -> Agreed:
    document = current_documents([kind], "en")[kind]
    _kinds, label = BOXES[kind]
    return Agreed(document, sentence(label, {kind: document.version}), "en")
