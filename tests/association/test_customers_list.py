"""The console's list of customers: whose, found how, in how many statements, and as a file."""

import csv
import io
import json
import logging
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import FreezeCause
from accounts.services.freezes import freeze_account, unfreeze_account
from association.models import BudgetPeriod, OnExhaustion
from association.services.customer_names import refresh_names_of, rename_customer
from association.services.customers import set_budget, unfreeze_customer
from association.views.console.customer_rows import STATUSES
from audit.models import AuditEvent
from tests.factories import (
    CustomerAccountFactory,
    FreezeFactory,
    InvitationFactory,
    PartnerMemberFactory,
    SpendingFactory,
    UserFactory,
    end_by_provider,
    make_associated,
)
from tests.shown_texts import unbroken

pytestmark = pytest.mark.django_db

URL = "/partner/customers/"
CSV = "/partner/customers.csv"


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


def client_of(member):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    return client


@pytest.fixture
def admin_client():
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(UserFactory.create(staff=True))
    return client


def joined(member, *, referral=False, ago=0, **account):
    invitation = InvitationFactory.create(
        partner=member.partner, created_by=member.user, referral=referral
    )
    made = make_associated(invitation=invitation, now=timezone.now() - timedelta(hours=ago))
    for name, value in account.items():
        setattr(made.account.owner, name, value)
    made.account.owner.save()
    refresh_names_of(made.account.owner)
    made.refresh_from_db()
    return made


def give_budget(association, amount="100.00", **terms):
    return set_budget(
        association=association,
        amount=Decimal(amount),
        period=terms.get("period", BudgetPeriod.MONTHLY),
        on_exhaustion=OnExhaustion.FREEZE,
        by=None,
        now=terms.get("now", timezone.now()),
    )


def names(page):
    return [line["account_name"] for line in page.context["lines"]]


def test_list_shows_the_state_of_each_customer(boss):
    free, frozen, waiting = joined(boss, ago=3), joined(boss, ago=2), joined(boss, ago=1)
    referral = joined(boss, referral=True)
    for association in (free, frozen):
        give_budget(association)
    unfreeze_customer(association=free, reason="", by=None, now=timezone.now())
    SpendingFactory.create(account=free.account, amount=Decimal("30.00"))

    page = client_of(boss).get(URL)

    lines = page.context["lines"]
    assert [(line["association"], str(line["status"])) for line in lines] == [
        (referral, "Not frozen"),
        (waiting, "Waiting for a budget"),
        (frozen, "Frozen"),
        (free, "Not frozen"),
    ]
    assert [line["spent"] for line in lines] == [None, None, Decimal("0.00"), Decimal("30.00")]
    assert page.content.decode().count('name="row"') == 4


@pytest.mark.parametrize("query", ["", "?status=free", "?budget=with&order=name", "?q=c"])
@pytest.mark.parametrize("rows", [1, 3])
def test_list_takes_the_same_statements_for_any_number_of_rows(
    boss, rows, query, django_assert_num_queries
):
    for _ in range(rows):
        association = joined(boss)
        association.manager = boss
        association.save()
        give_budget(association)
        unfreeze_customer(association=association, reason="", by=None, now=timezone.now())
    client = client_of(boss)

    with django_assert_num_queries(11):
        page = client.get(f"{URL}{query}")

    assert len(page.context["lines"]) == rows


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=c-al", ["c-alpha"]),
        ("q=C-ALPHA", ["c-alpha"]),
        ("q=Bea%40EXAMPLE.org", ["c-beta"]),
        ("q=bea%40example", ["c-beta"]),
        ("q=bea", ["c-beta"]),
        ("q=-ALPH", ["c-alpha"]),
        ("q=nobody", []),
        ("q=%25", []),
        ("q=%00", ["c-beta", "c-alpha"]),
        ("status=waiting", ["c-beta"]),
        ("status=frozen", ["c-beta"]),
        ("status=free", ["c-alpha"]),
        ("budget=with", ["c-alpha"]),
        ("budget=without", ["c-beta"]),
        ("association_type=reseller", ["c-beta", "c-alpha"]),
        ("association_type=referral", []),
        ("manager=none", ["c-beta"]),
        ("status=nonsense&manager=999999999999999999999", ["c-beta", "c-alpha"]),
        ("after=nonsense", ["c-beta", "c-alpha"]),
    ],
)
def test_list_finds_what_is_asked_for(boss, query, found):
    alpha = joined(boss, ago=1, account_name="c-alpha")
    beta = joined(boss, account_name="c-beta", email="bea@example.org")
    beta.manager = None
    beta.save()
    give_budget(alpha)
    unfreeze_customer(association=alpha, reason="", by=None, now=timezone.now())

    page = client_of(boss).get(f"{URL}?{query}")

    assert (page.status_code, names(page)) == (200, found)


@pytest.mark.parametrize(
    "typed",
    ["muller", "Müller", "MÜLLER", "mu\u0308ller", "Mueller", "strasse", "Straße"],
)
def test_names_are_found_without_their_accents(boss, admin_client, typed):
    found, _other = joined(boss), joined(boss)
    rename_customer(
        association=found,
        customer_name="Müller Straße",
        reference="",
        note="",
        by=boss.user,
        now=timezone.now(),
    )

    page = client_of(boss).get(URL, {"q": typed})
    admin_page = admin_client.get("/admin/association/association/", {"q": typed})

    assert names(page) == [found.account.owner.account_name]
    assert [row.pk for row in admin_page.context["cl"].result_list] == [found.pk]


def test_as_many_are_frozen_here_as_in_the_admin(boss, admin_client):
    free, frozen = joined(boss), joined(boss)
    joined(boss)
    for customer in (free, frozen):
        give_budget(customer)
    unfreeze_customer(association=free, reason="", by=None, now=timezone.now())
    freeze_account(
        account=joined(boss, referral=True).account,
        cause=FreezeCause.ADMINISTRATOR,
        reason="Fraud",
        by=None,
        now=timezone.now(),
    )

    page = client_of(boss).get(f"{URL}?status=frozen")
    admin_page = admin_client.get("/admin/association/association/?state=frozen")

    assert len(names(page)) == page.context["listing"].count.number == 3
    assert admin_page.context["cl"].result_count == 3
    assert page.content.decode().count("frozen since") == 1


@pytest.mark.parametrize("status", ["waiting", "frozen", "free"])
def test_each_state_finds_the_customers_that_show_it(boss, status):
    customers = {"waiting": joined(boss), "frozen": joined(boss), "free": joined(boss)}
    for name in ("frozen", "free"):
        give_budget(customers[name])
    unfreeze_customer(association=customers["free"], reason="", by=None, now=timezone.now())

    page = client_of(boss).get(f"{URL}?status={status}")

    # Who waits for a budget is frozen too.
    found = [status, "waiting"] if status == "frozen" else [status]
    assert names(page) == [customers[name].account.owner.account_name for name in found]
    assert [line["status"] for line in page.context["lines"]] == [
        STATUSES[name][0] for name in found
    ]


def test_list_is_the_members_own(boss):
    own = PartnerMemberFactory.create(partner=boss.partner)
    mine, colleagues = joined(boss), joined(boss)
    mine.manager = own
    mine.save()
    joined(PartnerMemberFactory.create(administrator=True))

    assert len(names(client_of(boss).get(URL))) == 2
    page = client_of(own).get(URL)
    assert names(page) == [mine.account.owner.account_name]
    assert colleagues.account.owner.account_name not in page.content.decode()
    assert CSV not in page.content.decode()


@pytest.mark.parametrize("may_reveal", [False, True])
def test_a_manager_sees_masked_addresses_and_reveals_one_with_the_right(boss, may_reveal):
    own = PartnerMemberFactory.create(partner=boss.partner, may_see_addresses=may_reveal)
    mine = joined(boss)
    mine.manager = own
    mine.save()
    owner, page = mine.account.owner, reverse("console_customer", args=[mine.pk])
    client = client_of(own)

    for address in (URL, page):
        content = unbroken(client.get(address))
        assert (owner.email in content, owner.masked_email in content) == (False, True)
    assert ("Show the whole address" in client.get(page).content.decode()) is may_reveal
    revealed = client.post(f"{page}reveal")

    assert revealed.status_code == (200 if may_reveal else 404)
    assert (owner.email in unbroken(revealed)) is may_reveal
    assert client.get(f"{page}reveal")["Location"] == page
    events = AuditEvent.objects.filter(action="association.address_revealed")
    assert [(row.actor, row.object_id) for row in events] == [(own.user, str(mine.pk))] * may_reveal


def test_a_manager_finds_an_address_as_a_whole_only(boss):
    own = PartnerMemberFactory.create(partner=boss.partner)
    mine = joined(boss, email="bea@example.org", account_name="c-beta")
    mine.manager = own
    mine.save()

    found = {q: names(client_of(own).get(URL, {"q": q})) for q in ("bea@e", "Bea@Example.org")}

    assert found == {"bea@e": [], "Bea@Example.org": ["c-beta"]}


def test_list_does_not_exist_without_a_membership(boss):
    customer = joined(boss).account.owner
    client = Client(SERVER_NAME="127.0.0.1")
    assert client.get(URL).status_code == 302
    client.force_login(customer)
    assert client.get(URL).status_code == 404


def test_empty_list_says_what_will_be_there(boss):
    assert "There are no customers yet." in client_of(boss).get(URL).content.decode()
    assert "No customer is like that." in client_of(boss).get(f"{URL}?q=x").content.decode()


def test_search_that_finds_only_ended_customers_leads_to_them(boss):
    end_by_provider(joined(boss, account_name="c-seil"), reason="Over")
    client = client_of(boss)
    page = client.get(URL, {"q": "seil"}).content.decode()
    assert "No customer in force is like that." in page
    assert "1 ended customer is like that" in page
    assert 'href="/partner/customers/?q=seil&amp;status=ended"' in page
    assert names(client.get(URL, {"q": "seil", "status": "ended"})) == ["c-seil"]
    assert "ended customer" not in client.get(URL, {"q": "other"}).content.decode()


def rows_of(answer):
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_customers_are_downloaded_as_the_list_shows_them(boss, caplog):
    caplog.set_level(logging.INFO, logger="security")
    first, second = joined(boss, ago=1), joined(boss)
    first.manager = boss
    first.save()
    give_budget(first)
    SpendingFactory.create(account=first.account, amount=Decimal("12.50"))
    first.refresh_from_db()

    answer = client_of(boss).get(f"{CSV}?budget=with")

    frozen_at = first.account.freezes.get().frozen_at
    owner = first.account.owner
    header, *rows = rows_of(answer)
    assert header[9:11] == ["Budget", "Period"]
    assert len(header) == 16
    assert rows == [
        [
            *(owner.account_name, "", owner.account_name, owner.email, "Reseller"),
            first.associated_at.isoformat(timespec="seconds"),
            *("Frozen", frozen_at.isoformat(timespec="seconds"), "by joining"),
            *("100.00", "monthly", "12.50", "USD", boss.user.email, "", ""),
        ]
    ]
    assert len(rows_of(client_of(boss).get(CSV))) == 3
    assert second.account.owner.account_name not in str(rows)
    [line, _] = [record.getMessage() for record in caplog.records if record.name == "security"]
    event = json.loads(line)
    assert (event["event"], event["partner"], event["member"]) == (
        "customers.exported",
        boss.partner_id,
        boss.pk,
    )


def test_list_and_download_say_who_froze_a_customer(boss):
    customer = joined(boss)
    give_budget(customer)
    customer.account.freezes.update(unfrozen_at=timezone.now())
    expected = ["by you", "by the budget", "by Example Cloud", "by Example Cloud for you"]
    for cause, is_by_provider, words in zip(
        ("partner", "budget_exhausted", "administrator", "partner"),
        (False, False, True, True),
        expected,
        strict=True,
    ):
        freeze = FreezeFactory.create(
            account=customer.account, cause=cause, frozen_by_provider=is_by_provider
        )
        page = client_of(boss).get(URL)
        assert [line["frozen_by"] for line in page.context["lines"]] == [words]
        assert f", {words}" in page.content.decode()
        assert rows_of(client_of(boss).get(CSV))[1][8] == words
        freeze.unfrozen_at = timezone.now()
        freeze.save()


def test_ended_customers_have_the_same_words_in_list_and_download(boss):
    ended = end_by_provider(joined(boss), reason="Moved")
    joined(boss)

    page = client_of(boss).get(f"{URL}?status=ended")
    [_, row] = rows_of(client_of(boss).get(f"{CSV}?status=ended"))

    [line] = page.context["lines"]
    content = page.content.decode()
    assert (line["status"], line["ended_at"], line["end_reason"]) == (
        STATUSES["ended"][0],
        ended.ended_at,
        "Moved",
    )
    assert "<bdi>Moved</bdi>" in content
    assert ('name="row"' in content, 'id="bulk"' in content) == (False, False)
    assert reverse("console_set_budget", args=[ended.pk]) not in content
    assert row[0] == ended.account.owner.account_name
    assert [row[6], *row[-2:]] == ["Ended", ended.ended_at.isoformat(timespec="seconds"), "Moved"]


def test_download_is_safe_to_open(boss):
    # No rule of ours makes such a name; a spreadsheet should not have to trust that.
    joined(boss, account_name="=1+1")

    answer = client_of(boss).get(CSV)

    assert answer["Content-Disposition"] == 'attachment; filename="customers.csv"'
    assert rows_of(answer)[1][0] == "'=1+1"


def test_download_is_for_administrators(boss):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    assert client_of(manager).get(CSV).status_code == 404
    assert client_of(boss).post(CSV).status_code == 405


def test_earlier_partners_freezes_do_not_show(boss):
    account = CustomerAccountFactory.create(enabled=True)
    earlier = timezone.now() - timedelta(days=30)
    freeze_account(
        account=account, cause=FreezeCause.PARTNER, reason="Owes Umbrella", by=None, now=earlier
    )
    causes = [FreezeCause.PARTNER]
    unfreeze_account(account=account, causes=causes, by=None, now=earlier)
    invitation = InvitationFactory.create(partner=boss.partner)
    association = make_associated(invitation=invitation, account=account)

    page = client_of(boss).get(reverse("console_customer", args=[association.pk]))

    assert "Owes Umbrella" not in page.content.decode()
