"""What the console's form for a budget begins with."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import InvitationFactory, PartnerMemberFactory, make_associated

pytestmark = pytest.mark.django_db

DEFAULT = {
    "default_budget_amount": Decimal(70),
    "default_budget_period": "monthly",
    "default_budget_on_exhaustion": "freeze",
}
PRESET = {
    "budget_amount": Decimal("1500.50"),
    "budget_period": "one_time",
    "budget_on_exhaustion": "notify",
}
FROM_INVITATION = "Filled in from the invitation."
FROM_SETTINGS = "Filled in from the default budget in your settings."


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


def open_form(boss, customer):
    client = Client()
    client.force_login(boss.user)
    return client.get(reverse("console_set_budget", args=[customer.pk]))


def customer_of(boss, **invitation):
    return make_associated(invitation=InvitationFactory.create(partner=boss.partner, **invitation))


def give_default(boss):
    for name, value in DEFAULT.items():
        setattr(boss.partner, name, value)
    boss.partner.save()


def shown(page):
    form = page.context["form"]
    return tuple(form[name].value() for name in ("amount", "period", "on_exhaustion"))


def test_preset_of_the_invitation_comes_before_the_default(boss):
    give_default(boss)
    page = open_form(boss, customer_of(boss, **PRESET))
    assert shown(page) == ("1500.50", "one_time", "notify")
    assert FROM_INVITATION in page.content.decode()


def test_without_a_preset_it_is_the_default(boss):
    give_default(boss)
    page = open_form(boss, customer_of(boss))
    assert shown(page) == ("70.00", "monthly", "freeze")
    assert FROM_SETTINGS in page.content.decode()


def test_present_budget_comes_first(boss):
    customer = customer_of(boss, **PRESET)
    client = Client()
    client.force_login(boss.user)
    page = open_form(boss, customer)
    answer = {"amount": "9", "period": "monthly", "on_exhaustion": "freeze"}
    version = page.context["form"]["shown_version"].value()
    url = reverse("console_set_budget", args=[customer.pk])
    assert client.post(url, {**answer, "shown_version": version}).status_code == 303
    page = open_form(boss, customer)
    assert shown(page)[0] == "9.00"
    assert "Filled in" not in page.content.decode()


def test_many_customers_begin_with_the_default(boss):
    give_default(boss)
    client = Client()
    client.force_login(boss.user)
    sent = {"action": "set_budget", "row": [customer_of(boss, **PRESET).pk]}
    page = client.post(reverse("console_choose_customers"), sent, follow=True)
    assert shown(page) == ("70.00", "monthly", "freeze")
    assert page.context["form"]["unfreeze"].value() is True


def test_without_any_the_amount_is_empty(boss):
    page = open_form(boss, customer_of(boss))
    assert shown(page)[0] is None
    assert "Filled in" not in page.content.decode()
