"""Asking to end an association, answering, withdrawing, and the provider's end: the services."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.enums import FreezeCause
from accounts.services.freezes import freeze_account
from association.enums import AssociationRefusal, EndAnswer, EndObstacle, Side
from association.models import Association, EndRequest
from association.services.budget_requests import ask_partner
from association.services.customers import set_budget
from association.services.endings import (
    MOST_REQUESTS_A_DAY,
    answer_end_request,
    answer_is_due_at,
    ask_to_end,
    withdraw_end_request,
)
from association.services.invariants.checking import find_violations
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from tests.association.test_authorizations import grant
from tests.factories import (
    BillFactory,
    InvitationFactory,
    PartnerMemberFactory,
    ReservedInstanceFactory,
    UserFactory,
    end_by_provider,
    make_associated,
)
from web.refused import Refused

pytestmark = pytest.mark.django_db

TERMS = {"amount": 10, "period": "monthly", "on_exhaustion": "freeze"}
CUSTOMER, PARTNER, PROVIDER = Side.CUSTOMER, Side.PARTNER, Side.PROVIDER


@pytest.fixture(autouse=True)
def _no_violation():
    yield
    assert list(find_violations()) == []


@pytest.fixture(params=["reseller", "referral"])
def association(request):
    return made(referral=request.param == "referral")


def made(*, referral=False):
    association = make_associated(invitation=InvitationFactory.create(referral=referral))
    PartnerMemberFactory.create(partner=association.partner, administrator=True)
    return association


def actor_of(association, side):
    if side == CUSTOMER:
        return association.account.owner
    if side == PARTNER:
        return association.partner.members.get(role="administrator").user
    return UserFactory.create(is_staff=True)


def ask(association, side=CUSTOMER, reason="We change our supplier", now=None):
    by, now = actor_of(association, side), now or timezone.now()
    return ask_to_end(association=association, side=side, reason=reason, by=by, now=now)


def answer(end_request, side, *, agree, reason="", now=None):
    by, now = actor_of(end_request.association, side), now or timezone.now()
    return answer_end_request(
        end_request=end_request, side=side, agree=agree, reason=reason, by=by, now=now
    )


def withdraw(end_request, side):
    by = actor_of(end_request.association, side)
    return withdraw_end_request(end_request=end_request, side=side, by=by, now=timezone.now())


def code_of(act, *arguments, **options):
    with pytest.raises(Refused) as refused:
        act(*arguments, **options)
    return refused.value.code


def trail(label="association.endrequest"):
    return list(
        AuditEvent.objects.filter(object_label=label)
        .order_by("pk")
        .values_list("action", flat=True)
    )


def mailed(kind):
    rows = OutboxMessage.objects.filter(kind=f"association.{kind}")
    return list(rows.values_list("recipient", flat=True))


def reload(association):
    return Association.objects.get(pk=association.pk)


@pytest.mark.parametrize(
    ("side", "kind"), [(CUSTOMER, "customer_end_requested"), (PARTNER, "end_requested")]
)
def test_a_side_asks_and_the_other_is_told(association, side, kind):
    other = PARTNER if side == CUSTOMER else CUSTOMER
    asked = ask(association, side)
    assert (asked.asking_side, asked.asked_by) == (side, actor_of(association, side))
    assert asked.is_open
    assert trail() == ["end_request.made"]
    assert mailed(kind) == [actor_of(association, other).email]
    assert reload(association).ended_at is None


@pytest.mark.parametrize(("side", "other"), [(CUSTOMER, PARTNER), (PARTNER, CUSTOMER)])
def test_agreeing_ends_the_association(association, side, other):
    asked = ask(association, side, reason="We change our supplier")
    agreed = answer(asked, other, agree=True)
    ended = reload(association)
    assert (agreed.answer, agreed.answering_side) == (EndAnswer.AGREED, other)
    assert ended.ended_by == actor_of(association, other)
    assert ended.end_reason == "We change our supplier"
    assert not ended.account.freezes.open().exists()
    assert trail() == ["end_request.made", "end_request.agreed"]
    assert mailed("ended") == [association.account.owner.email]
    assert mailed("customer_ended") == [actor_of(association, PARTNER).email]


def test_what_depends_on_the_association_ends_with_it():
    association = made()
    grant(association)
    set_budget(association=association, by=None, now=timezone.now(), **TERMS)
    freeze_account(
        account=association.account,
        cause=FreezeCause.PARTNER,
        reason="An invoice is open",
        by=None,
        now=timezone.now(),
    )
    answer(ask(association), PARTNER, agree=True)
    ended = reload(association)
    assert not ended.budgets.current().exists()
    assert [row.state for row in ended.authorizations.all()] == ["revoked"]
    assert not ended.account.freezes.open().exists()


@pytest.mark.parametrize(
    ("side", "other", "kind"),
    [(CUSTOMER, PARTNER, "end_declined"), (PARTNER, CUSTOMER, "customer_end_declined")],
)
def test_declining_leaves_the_association_and_tells_the_asking_side(association, side, other, kind):
    declined = answer(ask(association, side), other, agree=False, reason="Please pay first")
    assert (declined.answer, declined.answer_reason) == (EndAnswer.DECLINED, "Please pay first")
    assert reload(association).ended_at is None
    assert mailed(kind) == [actor_of(association, side).email]
    assert ask(association, side).is_open


@pytest.mark.parametrize(
    ("side", "kind"), [(CUSTOMER, "customer_end_withdrawn"), (PARTNER, "end_withdrawn")]
)
def test_the_asking_side_withdraws_and_the_other_is_told(association, side, kind):
    other = PARTNER if side == CUSTOMER else CUSTOMER
    withdrawn = withdraw(ask(association, side), side)
    assert (withdrawn.answer, withdrawn.answering_side) == (EndAnswer.WITHDRAWN, side)
    assert reload(association).ended_at is None
    assert mailed(kind) == [actor_of(association, other).email]


@pytest.mark.parametrize("second", [CUSTOMER, PARTNER])
def test_only_one_request_is_open(association, second):
    ask(association)
    assert code_of(ask, association, second) == AssociationRefusal.END_REQUEST_OPEN
    with pytest.raises(IntegrityError), transaction.atomic():
        association.end_requests.create(asking_side=second, reason="x", asked_at=timezone.now())


@pytest.mark.parametrize("side", [CUSTOMER, PARTNER])
def test_a_side_cannot_answer_itself_nor_withdraw_the_others(association, side):
    asked = ask(association, side)
    other = PARTNER if side == CUSTOMER else CUSTOMER
    assert code_of(answer, asked, side, agree=True) == AssociationRefusal.WRONG_SIDE
    assert code_of(withdraw, asked, other) == AssociationRefusal.WRONG_SIDE
    assert EndRequest.objects.get().is_open


@pytest.mark.parametrize("agree", [True, False])
def test_a_withdrawn_request_cannot_be_answered(association, agree):
    asked = withdraw(ask(association), CUSTOMER)
    refused = code_of(answer, asked, PARTNER, agree=agree)
    assert refused == AssociationRefusal.END_REQUEST_ANSWERED


def test_nothing_can_be_asked_or_answered_after_the_end(association):
    asked = ask(association)
    answer(asked, PARTNER, agree=True)
    assert code_of(answer, asked, PARTNER, agree=True) == AssociationRefusal.ENDED
    assert code_of(withdraw, asked, CUSTOMER) == AssociationRefusal.ENDED
    assert code_of(ask, association) == AssociationRefusal.ENDED


def test_each_side_asks_only_so_often_a_day(association):
    now = timezone.now()
    asked = [now + timedelta(minutes=minute) for minute in range(MOST_REQUESTS_A_DAY)]
    for moment in asked:
        withdraw(ask(association, now=moment), CUSTOMER)

    later = asked[-1] + timedelta(hours=1)
    with pytest.raises(Refused, match="end_asked_too_often") as refused:
        ask(association, now=later)

    assert refused.value.again_at == now + timedelta(days=1)
    withdraw(ask(association, PARTNER, now=later), PARTNER)
    assert ask(association, now=refused.value.again_at).is_open


def test_only_the_owner_acts_for_the_customer(association):
    stranger = UserFactory.create()
    options = {"association": association, "side": CUSTOMER, "by": stranger, "now": timezone.now()}
    assert code_of(ask_to_end, reason="x", **options) == AssociationRefusal.NOT_OWNER


def unpaid(account):
    BillFactory.create(account=account, amount="10.00", paid_amount="9.99")


def reserved(account):
    ReservedInstanceFactory.create(account=account, expires_at=timezone.now() + timedelta(days=1))


def frozen_by_the_provider(account):
    cause, now = FreezeCause.ADMINISTRATOR, timezone.now()
    freeze_account(account=account, cause=cause, reason="Fraud", by=None, now=now)


OBSTACLES = [
    (unpaid, EndObstacle.UNPAID_BILLS),
    (reserved, EndObstacle.RESERVED_INSTANCES),
    (frozen_by_the_provider, EndObstacle.ADMINISTRATOR_FREEZE),
]


@pytest.mark.parametrize(("obstruct", "code"), OBSTACLES)
def test_obstacles_block_asking_and_agreeing_and_nothing_else(association, obstruct, code):
    asked = ask(association)
    obstruct(association.account)
    with pytest.raises(Refused) as refused:
        answer(asked, PARTNER, agree=True)
    assert refused.value.code == AssociationRefusal.END_OBSTRUCTED
    assert [obstacle.code for obstacle in refused.value.context["obstacles"]] == [code]
    answer(asked, PARTNER, agree=False)
    assert code_of(ask, association) == AssociationRefusal.END_OBSTRUCTED
    end_by_provider(association)
    assert reload(association).ended_at is not None


@pytest.mark.parametrize(
    "settle",
    [
        lambda account: BillFactory.create(account=account, amount="10.00", paid_amount="10.00"),
        lambda account: ReservedInstanceFactory.create(account=account, expires_at=timezone.now()),
        lambda account: ReservedInstanceFactory.create(
            account=account,
            expires_at=timezone.now() + timedelta(days=1),
            cancelled_at=timezone.now(),
        ),
    ],
)
def test_what_is_settled_is_no_obstacle(association, settle):
    settle(association.account)
    assert ask(association).is_open


def test_freezes_are_lifted_because_of_the_end_and_not_in_the_words_of_the_request():
    association = made()
    answer(ask(association, reason="We move to another partner"), PARTNER, agree=True)
    assert [row.unfreeze_reason for row in association.account.freezes.all()] == [
        "The association ended."
    ]


def test_the_providers_freeze_stays_after_the_end(association):
    frozen_by_the_provider(association.account)
    end_by_provider(association)
    [freeze] = association.account.freezes.open()
    assert freeze.cause == FreezeCause.ADMINISTRATOR


@pytest.mark.parametrize("agree", [True, False])
def test_the_provider_answers_after_fourteen_days(association, agree):
    asked = ask(association, now=timezone.now())
    due = asked.asked_at + timedelta(days=14)
    assert answer_is_due_at(asked) == due
    early = due - timedelta(microseconds=1)
    refused = code_of(answer, asked, PROVIDER, agree=agree, now=early)
    assert refused == AssociationRefusal.END_REQUEST_NOT_DUE
    answered = answer(asked, PROVIDER, agree=agree, now=due)
    assert answered.answering_side == PROVIDER
    assert (reload(association).ended_at == due) is agree


def test_the_providers_end_closes_an_open_request(association):
    asked = ask(association, PARTNER)
    end_by_provider(association, reason="By law")
    asked.refresh_from_db()
    assert (asked.answer, asked.answering_side) == (EndAnswer.CLOSED, PROVIDER)
    assert reload(association).end_reason == "By law"
    assert mailed("ended") == [association.account.owner.email]


def test_no_budget_can_be_set_or_asked_for_after_the_end():
    association = made()
    answer(ask(association), PARTNER, agree=True)
    now = timezone.now()
    refused = code_of(set_budget, association=association, by=None, now=now, **TERMS)
    assert refused == AssociationRefusal.ENDED
    owner = association.account.owner
    refused = code_of(ask_partner, association=association, by=owner, now=now)
    assert refused == AssociationRefusal.ENDED


@pytest.mark.parametrize(
    "changed",
    [
        {"asking_side": "provider"},
        {"reason": ""},
        {"answer": "agreed"},
        {"answer": "withdrawn", "answering_side": "partner", "answered_at": "now"},
        {"answer": "agreed", "answering_side": "customer", "answered_at": "now"},
        {"answer": "agreed", "answering_side": "partner", "answered_at": "before"},
        {"answer": "", "answering_side": "partner", "answered_at": "now"},
    ],
)
def test_the_database_refuses_half_an_answer(changed):
    asked = ask(made())
    moments = {"now": timezone.now(), "before": asked.asked_at - timedelta(seconds=1)}
    values = {name: moments.get(value, value) for name, value in changed.items()}
    with pytest.raises(IntegrityError), transaction.atomic():
        EndRequest.objects.filter(pk=asked.pk).update(**values)
