"""Which events the actions on customers publish: one for each effect, none without an effect."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.enums import FreezeScope
from association.enums import JourneyRefusal, Side
from association.models import Association, Authorization, Budget, EndRequest
from association.services.associations import associate
from association.services.attempts import tell_partner
from association.services.authorizations import (
    decline_authorization,
    grant_authorization,
    request_authorization,
    revoke_authorization,
)
from association.services.budget_requests import ask_partner
from association.services.customers import freeze_customer, set_budget, unfreeze_customer
from association.services.endings import (
    answer_end_request,
    ask_to_end,
    end_association,
    withdraw_end_request,
)
from association.services.provider_freezes import freeze_for_provider, unfreeze_for_provider
from association.services.spending_records import record_spending
from outbox.models import Event
from partners.enums import BudgetPeriod, EventKind, OnExhaustion
from partners.models import Invitation
from tests import factories as typed_factories
from tests.journeys.walk import document, ready_attempt
from web.refused import Refused

factories: Any = typed_factories
pytestmark = pytest.mark.django_db

Told = list[tuple[str, dict[str, Any]]]
METADATA = {"order": "17"}
SCOPE = FreezeScope.ACCOUNT
WIDE = FreezeScope.ACCOUNT_AND_RESOURCES
CUSTOMER, PARTNER = Side.CUSTOMER, Side.PARTNER


def every(*told: tuple[str, Any]) -> Told:
    return sorted(told, key=str)


def published(act: Callable[[], object]) -> Told:
    """Do it; return kind and codes of the new events, all of them about the same customer.

    Sorted: of one moment, only those of one call of `publish_many()` have an order.
    """
    before = set(Event.objects.values_list("pk", flat=True))
    act()
    new = Event.objects.exclude(pk__in=before)
    told = []
    for event in new:
        data = dict(event.data)
        if event.partner_id is not None:
            association = Association.objects.get(pk=data.pop("customer_id"))
            keys = (association.partner_id, association.reference, METADATA)
            assert (event.partner_id, data.pop("reference"), data.pop("metadata")) == keys
            assert data.pop("invitation_id") == str(association.invitation_id)
        told.append((event.kind, data))
    return every(*told)


def invitation_of(**traits: Any) -> Invitation:
    invitation: Invitation = factories.InvitationFactory(
        reference="N-17", metadata=METADATA, **traits
    )
    return invitation


@pytest.fixture
def association() -> Association:
    made: Association = factories.make_associated(
        invitation=invitation_of(), now=timezone.now() - timedelta(hours=1)
    )
    factories.PartnerMemberFactory(partner=made.partner, administrator=True)
    return made


@pytest.fixture
def provider() -> Any:
    return factories.UserFactory(is_staff=True)


def boss_of(association: Association) -> Any:
    return association.partner.members.get(role="administrator").user


def budget(association: Association, amount: int = 100, **options: Any) -> Budget:
    return set_budget(
        association=association,
        amount=Decimal(amount),
        period=BudgetPeriod.MONTHLY,
        on_exhaustion=OnExhaustion.FREEZE,
        by=boss_of(association),
        now=timezone.now(),
        **options,
    )


def freeze(association: Association, scope: FreezeScope = SCOPE) -> object:
    by, now = boss_of(association), timezone.now()
    return freeze_customer(association=association, scope=scope, reason="Late", by=by, now=now)


def unfreeze(association: Association) -> object:
    by, now = boss_of(association), timezone.now()
    return unfreeze_customer(association=association, reason="Paid", by=by, now=now)


def frozen(cause: str, scope: str = "account") -> tuple[str, dict[str, Any]]:
    return EventKind.ACCOUNT_FROZEN, {"cause": cause, "scope": scope, "is_frozen": True}


def unfrozen(cause: str, scope: str = "account", *, still: bool = False) -> tuple[str, Any]:
    return EventKind.ACCOUNT_UNFROZEN, {"cause": cause, "scope": scope, "is_frozen": still}


def test_joining_a_reseller_publishes_all_it_does_in_order() -> None:
    made = published(
        lambda: factories.make_associated(invitation=invitation_of(email=True), letter=True)
    )
    assert made == every(
        (EventKind.ASSOCIATION_CREATED, {}),
        frozen("association"),
        (EventKind.AUTHORIZATION_CHANGED, {"state": "granted"}),
    )
    in_order = Event.objects.order_by("occurred_at", "pk").values_list("kind", flat=True)
    assert list(in_order) == [
        EventKind.ASSOCIATION_CREATED,
        EventKind.ACCOUNT_FROZEN,
        EventKind.AUTHORIZATION_CHANGED,
    ]


def test_joining_by_referral_freezes_nothing() -> None:
    invitation = invitation_of(referral=True)
    made = published(lambda: factories.make_associated(invitation=invitation))
    assert made == [(EventKind.ASSOCIATION_CREATED, {})]


def test_joining_twice_is_published_once(association: Association) -> None:
    attempt = association.attempt
    again = published(
        lambda: associate(attempt=attempt, by=association.account.owner, address=None)
    )
    assert again == []


def test_joining_that_is_rolled_back_publishes_nothing() -> None:
    invitation = invitation_of(referral=True, max_uses=1)
    first, second = (
        ready_attempt(
            account=factories.CustomerAccountFactory(enabled=True),
            invitation=invitation,
            registered=True,
        )
        for _ in range(2)
    )
    associate(attempt=first, by=first.account.owner, address=None)

    def join() -> None:
        with pytest.raises(Refused):
            associate(attempt=second, by=second.account.owner, address=None)

    # The rows are written already: this attempt has the invitation as it was.
    assert published(join) == []


def test_a_budget_is_published_without_its_amount(association: Association) -> None:
    assert published(lambda: budget(association)) == [(EventKind.BUDGET_SET, {})]


def test_unfreezing_with_a_budget_publishes_both(association: Association, provider: Any) -> None:
    made = published(lambda: budget(association, unfreeze=True))
    assert made == every((EventKind.BUDGET_SET, {}), unfrozen("association"))
    assert published(lambda: unfreeze(association)) == []


def test_freezing_is_published_when_something_changes(association: Association) -> None:
    budget(association, unfreeze=True)
    assert published(lambda: freeze(association)) == [frozen("partner")]
    assert published(lambda: freeze(association)) == []
    assert published(lambda: freeze(association, WIDE)) == [
        frozen("partner", "account_and_resources")
    ]
    assert published(lambda: freeze(association)) == []
    assert published(lambda: unfreeze(association)) == [
        unfrozen("partner", "account_and_resources")
    ]


def test_a_freeze_by_the_provider_stays_when_the_partner_unfreezes(
    association: Association, provider: Any
) -> None:
    account, now = association.account, timezone.now()
    words = {"account": account, "reason": "Check", "by": provider, "now": now}
    assert published(lambda: freeze_for_provider(scope=SCOPE, **words)) == [frozen("administrator")]
    assert published(lambda: freeze_for_provider(scope=SCOPE, **words)) == []
    budget(association)
    assert published(lambda: unfreeze(association)) == [unfrozen("association", still=True)]
    assert published(lambda: unfreeze_for_provider(**words)) == [unfrozen("administrator")]
    assert published(lambda: unfreeze_for_provider(**words)) == []


def test_the_freeze_of_an_account_without_partner_is_for_the_provider(provider: Any) -> None:
    account = factories.CustomerAccountFactory()
    words = {"account": account, "reason": "Check", "by": provider, "now": timezone.now()}
    assert published(lambda: freeze_for_provider(scope=WIDE, **words)) == [
        frozen("administrator", "account_and_resources")
    ]
    unfreeze_for_provider(**words)
    events = Event.objects.values_list("kind", "partner_id", "object_label", "object_id")
    about = (None, "accounts.customeraccount", str(account.pk))
    assert set(events) == {
        (EventKind.ACCOUNT_FROZEN, *about),
        (EventKind.ACCOUNT_UNFROZEN, *about),
    }


def test_a_former_partner_does_not_hear_of_a_freeze(
    association: Association, provider: Any
) -> None:
    end_association(association=association, reason="Moved", by=provider, now=timezone.now())
    words = {"account": association.account, "reason": "Check", "by": provider}
    freeze_for_provider(scope=SCOPE, now=timezone.now(), **words)
    event = Event.objects.get(kind=EventKind.ACCOUNT_FROZEN, partner_id=None)
    assert event.data == frozen("administrator")[1]


def spend(association: Association, amount: str) -> None:
    now = timezone.now()
    line = {
        "source": "billing",
        "external_id": amount,
        "account": association.account.owner.account_name,
        "amount": amount,
        "occurred_at": now.isoformat(),
    }
    report = record_spending(lines=[line], now=now)
    assert report.errors == []


def reached(threshold: int) -> tuple[str, dict[str, int]]:
    return EventKind.BUDGET_THRESHOLD_REACHED, {"threshold": threshold}


def test_each_threshold_is_published_once(association: Association) -> None:
    budget(association, unfreeze=True)
    assert published(lambda: spend(association, "74")) == []
    assert published(lambda: spend(association, "1")) == [reached(75)]
    assert published(lambda: spend(association, "2")) == []
    rest = every(frozen("budget_exhausted"), reached(90), reached(100))
    assert published(lambda: spend(association, "40")) == rest
    assert published(lambda: spend(association, "41")) == []


def test_what_a_frozen_customer_asks_for_is_published_once_a_day(association: Association) -> None:
    owner, now = association.account.owner, timezone.now()

    def ask() -> object:
        return ask_partner(association=association, by=owner, now=now)

    assert published(ask) == [(EventKind.BUDGET_REQUEST_CREATED, {"asked_for": "set_budget"})]
    assert published(ask) == []


def grant(association: Association) -> Authorization:
    return grant_authorization(
        association=association,
        shown_request=None,
        shown_letter=document("letter_of_authorization").version,
        label="I agree",
        language="en",
        address=None,
        by=association.account.owner,
        now=timezone.now(),
    )


def test_each_state_of_an_authorization_is_published(association: Association) -> None:
    owner, boss = association.account.owner, boss_of(association)

    def request() -> Authorization:
        return request_authorization(association=association, by=boss, now=timezone.now())

    def decline() -> object:
        now = timezone.now()
        return decline_authorization(authorization=latest(), reason="No", by=owner, now=now)

    def revoke() -> object:
        now = timezone.now()
        return revoke_authorization(authorization=latest(), reason="No", by=owner, now=now)

    def latest() -> Authorization:
        return association.authorizations.latest("pk")

    states = [
        (request, ["requested"]),
        (request, []),
        (decline, ["declined"]),
        (decline, []),
        (lambda: grant(association), ["granted"]),
        (lambda: grant(association), []),
        (revoke, ["revoked"]),
        (revoke, []),
    ]
    for act, expected in states:
        changed = [(EventKind.AUTHORIZATION_CHANGED, {"state": state}) for state in expected]
        assert published(act) == changed


def asked(association: Association, side: Side) -> EndRequest:
    by = association.account.owner if side == CUSTOMER else boss_of(association)
    return ask_to_end(
        association=association, side=side, reason="We part", by=by, now=timezone.now()
    )


def changed(end_request: EndRequest, state: str) -> tuple[str, dict[str, str]]:
    data = {
        "end_request_id": str(end_request.pk),
        "asking_side": end_request.asking_side,
        "state": state,
    }
    return EventKind.END_REQUEST_CHANGED, data


def test_requests_to_end_are_published_with_their_state(association: Association) -> None:
    owner, boss, now = association.account.owner, boss_of(association), timezone.now()
    told = published(lambda: asked(association, CUSTOMER))
    first = association.end_requests.get()
    assert told == [changed(first, "open")]
    words: dict[str, Any] = {"end_request": first, "now": now}
    told = published(lambda: withdraw_end_request(side=CUSTOMER, by=owner, **words))
    assert told == [changed(first, "withdrawn")]
    second = asked(association, CUSTOMER)
    words["end_request"] = second
    told = published(
        lambda: answer_end_request(side=PARTNER, agree=False, reason="No", by=boss, **words)
    )
    assert told == [changed(second, "declined")]


def test_an_end_publishes_what_it_ends(association: Association) -> None:
    grant(association)
    end_request = asked(association, CUSTOMER)
    told = published(
        lambda: answer_end_request(
            end_request=end_request,
            side=PARTNER,
            agree=True,
            reason="",
            by=boss_of(association),
            now=timezone.now(),
        )
    )
    assert told == every(
        changed(end_request, "agreed"),
        (EventKind.ASSOCIATION_ENDED, {}),
        (EventKind.AUTHORIZATION_CHANGED, {"state": "revoked"}),
        unfrozen("association"),
    )


def test_the_provider_ends_once_and_closes_the_request(
    association: Association, provider: Any
) -> None:
    end_request = asked(association, PARTNER)
    words = {"association": association, "reason": "Moved", "by": provider, "now": timezone.now()}
    told = published(lambda: end_association(**words))
    assert told == every(
        changed(end_request, "closed"), (EventKind.ASSOCIATION_ENDED, {}), unfrozen("association")
    )

    def again() -> None:
        with pytest.raises(Refused):
            end_association(**words)

    assert published(again) == []


def test_a_refusal_is_published_when_the_customer_tells_the_partner() -> None:
    account = factories.CustomerAccountFactory(enabled=True)
    factories.BillFactory(account=account)
    invitation = invitation_of(email=True, recipient=account.owner.email)
    attempt = ready_attempt(account=account, invitation=invitation)
    now = timezone.now()
    assert Event.objects.count() == 0
    for _ in range(2):
        tell_partner(attempt=attempt, now=now)
    event = Event.objects.get()
    assert (event.kind, event.partner_id) == (EventKind.ATTEMPT_REFUSED, attempt.partner_id)
    assert event.data == {
        "attempt_id": str(attempt.pk),
        "invitation_id": str(attempt.invitation_id),
        "reference": "N-17",
        "metadata": METADATA,
        "codes": ["unpaid_bills"],
    }


def test_nothing_is_published_of_an_account_that_is_not_refused() -> None:
    account = factories.CustomerAccountFactory(enabled=True)
    invitation = invitation_of(email=True, recipient=account.owner.email)
    attempt = ready_attempt(account=account, invitation=invitation)
    with pytest.raises(Refused) as refused:
        tell_partner(attempt=attempt, now=timezone.now())
    assert refused.value.code == JourneyRefusal.NOTHING_REFUSED
    assert Event.objects.count() == 0
