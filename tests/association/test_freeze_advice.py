"""What a frozen customer is told: the table of decision 0032, on pages, in buttons and answers."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import FreezeCause
from accounts.models import Freeze
from association.models import Budget, BudgetRequest
from association.services.budget_requests import ask_partner
from association.services.freeze_advice import advise
from outbox.models import OutboxMessage
from tests.factories import (
    CouponFactory,
    CustomerAccountFactory,
    FreezeFactory,
    InvitationFactory,
    PartnerMemberFactory,
    ResourceFactory,
    SpendingFactory,
    make_associated,
)
from tests.shown_forms import hidden_fields
from web.moments import moment_text
from web.refused import Refused

MY_PARTNER, ASK = "/account/partner/", "/account/partner/ask-budget"
ASSOCIATION, EXHAUSTED = FreezeCause.ASSOCIATION, FreezeCause.BUDGET_EXHAUSTED
PARTNER, ADMINISTRATOR = FreezeCause.PARTNER, FreezeCause.ADMINISTRATOR


@pytest.mark.parametrize(
    ("causes", "amount", "used", "rows"),
    [
        ([], None, None, []),
        ([ASSOCIATION], None, None, [(ASSOCIATION, "set_budget")]),
        ([ASSOCIATION], "100", None, [(ASSOCIATION, "unfreeze")]),
        ([EXHAUSTED], "100", "100", [(EXHAUSTED, "raise_budget")]),
        ([EXHAUSTED], "100", "100.01", [(EXHAUSTED, "raise_budget")]),
        # Raised or restored since: asking to raise it would be the wrong question.
        ([EXHAUSTED], "100", "99.99", [(EXHAUSTED, "unfreeze")]),
        ([EXHAUSTED], "0", "0", [(EXHAUSTED, "raise_budget")]),
        ([PARTNER], "100", "1", [(PARTNER, "contact_partner")]),
        ([ADMINISTRATOR], None, None, [(ADMINISTRATOR, "contact_provider")]),
        (
            [PARTNER, EXHAUSTED, ASSOCIATION, ADMINISTRATOR],
            "100",
            "100",
            [
                (ADMINISTRATOR, "contact_provider"),
                (ASSOCIATION, "unfreeze"),
                (EXHAUSTED, "raise_budget"),
                (PARTNER, "contact_partner"),
            ],
        ),
        (
            [PARTNER, ASSOCIATION],
            None,
            None,
            [(ASSOCIATION, "set_budget"), (PARTNER, "contact_partner")],
        ),
    ],
)
def test_rows_are_in_the_tables_order_with_the_tables_actions(causes, amount, used, rows):
    budget = Budget(amount=Decimal(amount)) if amount else None
    freezes = [Freeze(cause=cause) for cause in causes]
    found = advise(freezes, budget=budget, used=Decimal(used) if used else None)
    assert [(row.freeze.cause, row.action) for row in found] == rows


# --- pages: the same on My partner and Done

# Name, causes that are open, budget, spent, the label of what is offered, what a POST is answered.
SITUATIONS = [
    ("new", [ASSOCIATION], None, None, "Ask Nimbus to set a budget", 303),
    ("budget", [ASSOCIATION], 100, None, "Ask Nimbus to unfreeze your account", 303),
    ("used up", [EXHAUSTED], 100, 100, "Ask Nimbus to raise the budget", 303),
    ("raised", [EXHAUSTED], 200, 100, "Ask Nimbus to unfreeze your account", 303),
    ("by partner", [PARTNER], 100, None, "Contact Nimbus", 409),
    ("by provider", [ADMINISTRATOR, ASSOCIATION], 100, None, "Contact the support of", 409),
    ("free", [], 100, None, "", 409),
]


def situation(causes, amount=None, spent=None):
    """Return a customer of Nimbus whose account is frozen for these causes."""
    invitation = InvitationFactory.create(partner__name="Nimbus", partner__support_phone="+49 40 1")
    association = make_associated(invitation=invitation)
    freezes, now = association.account.freezes, timezone.now()
    if ASSOCIATION not in causes:
        freezes.update(unfrozen_at=now)
    for cause in set(causes) - {ASSOCIATION}:
        FreezeFactory.create(account=association.account, cause=cause, frozen_at=now, reason="Why")
    if amount:
        association.budgets.create(
            amount=amount, period="one_time", on_exhaustion="freeze", set_at=now
        )
    if spent:
        SpendingFactory.create(account=association.account, amount=spent, occurred_at=now)
    return association


def client_of(association):
    client = Client()
    client.force_login(association.account.owner)
    return client


def pages_of(association):
    client = client_of(association)
    done = reverse("join_done", args=[association.attempt_id])
    return [client.get(address).content.decode() for address in (MY_PARTNER, done)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("causes", "amount", "spent", "label", "status"),
    [row[1:] for row in SITUATIONS],
    ids=[row[0] for row in SITUATIONS],
)
def test_every_page_offers_the_one_action_and_the_post_follows_it(
    settings, causes, amount, spent, label, status
):
    settings.PROVIDER_SUPPORT_EMAIL = "help@provider.example"
    association = situation(causes, amount, spent)
    PartnerMemberFactory.create(partner=association.partner, administrator=True)
    for page in pages_of(association):
        offered = {row[4] for row in SITUATIONS if row[4] and row[4] in page}
        assert offered == ({label} if label else set())
        assert ("Your account is frozen" in page) == bool(causes)
        assert ("Your account is not frozen" in page) == (not causes)
        assert (f'action="{ASK}"' in page) == (status == 303)
    answer = client_of(association).post(ASK)
    assert answer.status_code == status
    sent = OutboxMessage.objects.filter(kind="association.budget_requested")
    assert sent.count() == BudgetRequest.objects.count() == (1 if status == 303 else 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("causes", "sentence"),
    [
        ([PARTNER], "Asking your partner does not lift this freeze. This page says what does."),
        ([ADMINISTRATOR, ASSOCIATION], "Asking your partner does not lift this freeze."),
        ([], "Your account is not frozen, so there is nothing to ask for."),
    ],
)
def test_refused_ask_says_what_helps_instead(causes, sentence):
    association = situation(causes, 100)
    answer = client_of(association).post(ASK)
    assert answer.status_code == 409
    assert sentence in answer.content.decode()


@pytest.mark.django_db
def test_button_asks_for_what_its_page_showed_or_is_refused():
    association = situation([ASSOCIATION])
    client = client_of(association)
    shown = hidden_fields(client.get(MY_PARTNER))
    association.budgets.create(
        amount=1, period="monthly", on_exhaustion="freeze", set_at=timezone.now()
    )
    answer = client.post(ASK, {"ask": shown["ask"]})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Your account has changed since the page was opened." in page
    assert "Ask Nimbus to unfreeze your account" in page
    assert not BudgetRequest.objects.exists()
    answers = [client.post(ASK, {"ask": wrong}) for wrong in ("contact_partner", "x", "\0")]
    assert [answer.status_code for answer in answers] == [409] * 3


@pytest.mark.django_db
def test_each_question_can_be_asked_once_a_day_and_the_page_says_so():
    association = situation([ASSOCIATION])
    client = client_of(association)
    assert client.post(ASK).status_code == 303
    assert "You asked Nimbus for this on" in client.get(MY_PARTNER).content.decode()
    association.budgets.create(
        amount=1, period="monthly", on_exhaustion="freeze", set_at=timezone.now()
    )
    answer = client.post(ASK, follow=True)
    assert "Nimbus has been asked to unfreeze your account." in answer.content.decode()
    assert client.post(ASK).status_code == 303
    asked = BudgetRequest.objects.order_by("pk").values_list("asked_for", flat=True)
    assert list(asked) == ["set_budget", "unfreeze"]


@pytest.mark.django_db
def test_contact_of_partner_and_provider_can_be_followed(settings):
    settings.PROVIDER_SUPPORT_EMAIL = "help@provider.example"
    settings.PROVIDER_SUPPORT_URL = "https://provider.example/help"
    partners = situation([PARTNER], 100)
    email = partners.partner.support_email
    for page in pages_of(partners):
        assert f'href="mailto:{email}"' in page
        assert 'href="tel:+49401"' in page
        assert "“<bdi>Why</bdi>”" in page
    for page in pages_of(situation([ADMINISTRATOR])):
        assert 'href="mailto:help@provider.example"' in page
        assert 'href="https://provider.example/help"' in page


@pytest.mark.django_db
def test_account_without_partner_reads_who_froze_it():
    account = CustomerAccountFactory.create()
    FreezeFactory.create(account=account, cause=ADMINISTRATOR, reason="Unclear payment")
    client = Client()
    client.force_login(account.owner)
    page = client.get(MY_PARTNER).content.decode()
    assert "Frozen by Example Cloud on " in page
    assert "“<bdi>Unclear payment</bdi>”" in page
    assert "Contact the support" not in page


@pytest.mark.django_db
def test_resources_and_coupons_are_named_only_where_there_are_some():
    association = situation([PARTNER], 100)
    for page in pages_of(association):
        assert "Run existing resources" not in page
        assert "costing money" not in page
        assert "oupons" not in page
    ResourceFactory.create(account=association.account, status="running")
    CouponFactory.create(account=association.account, balance=5)
    for page in pages_of(association):
        assert "Your running resource goes on costing money." in page
        assert "Your coupons pay only for charges from before" in page
    association.account.freezes.open().update(scope="account_and_resources")
    for page in pages_of(association):
        assert "cost" not in page
        assert "Your resources are stopped too, and no new fees arise from them." in page


@pytest.mark.django_db
def test_done_leads_to_the_providers_console_where_one_is_set(settings):
    association = situation([], 100)
    assert "Open the console" not in "".join(pages_of(association))
    settings.PROVIDER_CONSOLE_URL = "https://console.example/"
    for page in pages_of(association):
        assert 'href="https://console.example/"' in page
        assert page.count("Nimbus bills you for what your account uses") == 1


@pytest.mark.django_db
def test_budget_is_a_bar_with_a_forecast():
    association = situation([], 100)
    now = timezone.now()
    association.budgets.update(set_at=now - timedelta(days=10))
    [page, _done] = pages_of(association)
    assert "At the present pace" not in page
    SpendingFactory.create(account=association.account, amount=50, occurred_at=now)
    [page, _done] = pages_of(association)
    assert '<progress class="budget-bar"' in page
    day = now + timedelta(days=10)
    assert f"At the present pace it lasts until {day.day} {day:%B %Y}." in page
    FreezeFactory.create(account=association.account, cause=PARTNER)
    [page, _done] = pages_of(association)
    assert "At the present pace" not in page


@pytest.mark.django_db
def test_console_tells_the_partner_the_same_in_its_own_words():
    association = situation([PARTNER, ADMINISTRATOR, ASSOCIATION], 100)
    member = PartnerMemberFactory.create(partner=association.partner, administrator=True)
    ask = {"association": association, "by": association.account.owner, "now": timezone.now()}
    with pytest.raises(Refused, match=r"^asking_does_not_help$"):
        ask_partner(**ask)
    association.account.freezes.filter(cause=ADMINISTRATOR).update(unfrozen_at=timezone.now())
    ask_partner(**ask)
    client = Client()
    client.force_login(member.user)
    page = client.get(f"/partner/customers/{association.pk}/")
    sentences = [line["sentence"] for line in page.context["freeze_lines"]]
    frozen = association.account.freezes.open().order_by("pk")
    moments = [moment_text(row.frozen_at) for row in frozen]
    assert sentences == [
        f"Frozen since {moments[0]} by joining. The budget is set, and you have not unfrozen it",
        f"Frozen by your organisation on {moments[1]}",
    ]
    frozen.filter(cause=PARTNER).update(scope="account_and_resources")
    lines = client.get(f"/partner/customers/{association.pk}/").context["freeze_lines"]
    assert lines[1]["sentence"] == f"{sentences[1]}, its resources too"
    assert page.context["asked"]["for"] == "unfreeze"
    assert "to unfreeze the account." in page.content.decode()


@pytest.mark.django_db
def test_a_budget_that_is_used_up_froze_the_account_and_not_the_partner():
    page = client_of(situation([EXHAUSTED], 100, 100)).get(MY_PARTNER).content.decode()
    assert "It is used up; your account is frozen." in page
    assert "It is not restored." not in page
    assert "When it is used up" not in page
    actions = page.partition("What <bdi>Nimbus</bdi> has done")[2].partition("<details")[0]
    assert ("Froze" in actions, "Set a budget of" in actions) == (False, True)
