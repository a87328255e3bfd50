"""A budget that is used up already: who sets one, unfreezes, or reads about it is told."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from association.models import Association
from association.services.customers import set_budget
from tests import factories as typed_factories
from tests.reading_mails import only_in_text, write

factories: Any = typed_factories

pytestmark = pytest.mark.django_db

USED = "Budget: 203.10\xa0USD of 200.00\xa0USD used (monthly)."
FREEZES_AGAIN = (
    "It is used up already. An account that is not frozen is frozen as soon as it spends more."
)


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def customer(on_exhaustion: str = "freeze", spent: str = "203.10", **terms: Any) -> Association:
    """Return a customer who waits with a monthly budget of 200 to be unfrozen."""
    association = typed_factories.make_associated()
    factories.SpendingFactory(account=association.account, amount=Decimal(spent))
    values = {"amount": Decimal(200), "period": "monthly", "on_exhaustion": on_exhaustion, **terms}
    set_budget(association=association, by=None, now=timezone.now(), **values)
    return association


def asked(association: Association, action: str) -> Any:
    """Return the admin's page that asks for confirmation."""
    admin = client_of(factories.UserFactory(staff=True))
    address = reverse("admin:association_association_changelist")
    return admin.post(address, {"action": action, "_selected_action": association.pk})


def facts(page: Any) -> list[str]:
    [(_key, _name, facts)] = page.context["objects"]
    return [str(fact) for fact in facts]


@pytest.mark.parametrize(
    ("on_exhaustion", "spent", "sentences"),
    [
        ("freeze", "203.10", [USED, FREEZES_AGAIN]),
        (
            "notify",
            "203.10",
            [USED, "It is used up already. The account is not frozen by itself."],
        ),
        ("freeze", "199.99", [USED.replace("203.10", "199.99")]),
    ],
)
def test_administrator_reads_it_before_unfreezing(
    on_exhaustion: str, spent: str, sentences: list[str]
) -> None:
    page = asked(customer(on_exhaustion, spent), "unfreeze_account")
    assert facts(page) == sentences
    assert sentences[0] in page.content.decode()


def test_administrator_begins_with_the_present_budget_and_what_is_spent() -> None:
    association = customer(period="one_time", on_exhaustion="notify", spent="20")
    page = asked(association, "set_budget")
    assert facts(page) == [
        "Budget: 0.00\xa0USD of 200.00\xa0USD used (one-time).",
        "Spent this month: 20.00\xa0USD.",
        "A monthly budget up to what is spent is used up at once.",
    ]
    form = page.context["form"]
    shown = {name: str(form[name].value()) for name in ("amount", "period", "on_exhaustion")}
    assert shown == {"amount": "200.00", "period": "one_time", "on_exhaustion": "notify"}


def test_partner_reads_it_before_unfreezing() -> None:
    association = customer()
    member = factories.PartnerMemberFactory(partner=association.partner, administrator=True)
    page = client_of(member.user).get(reverse("console_unfreeze", args=[association.pk]))
    text = page.content.decode()
    assert f"<p>{USED}</p>" in text
    assert f"<p>{FREEZES_AGAIN}</p>" in text


def test_customer_reads_it_on_the_page_and_in_the_email() -> None:
    association = customer()
    account, now = association.account, timezone.now()
    terms: dict[str, Any] = {"amount": Decimal(200), "period": "monthly", "on_exhaustion": "freeze"}
    set_budget(association=association, unfreeze=True, by=None, now=now, **terms)
    page = client_of(account.owner).get(reverse("my_partner")).content.decode()
    assert "It is used up: your account is frozen as soon as it spends more." in page
    assert "When it is used up" not in page
    email = write("association.unfrozen", account.freezes.get())
    assert (
        "It is used up already: 203.10\xa0USD has been spent."
        " Your account is frozen again as soon as it spends more."
    ) in email.text
    assert only_in_text(email) == set()
