"""What the admin's pages say, and in which order, so that an operator is not misled."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from association.models import Association, Budget
from association.services.customers import set_budget
from audit.models import AuditEvent
from audit.services import record_audit_event
from outbox.models import OutboxMessage
from outbox.services.queue import revive_message
from partners.enums import BudgetPeriod, OnExhaustion
from partners.services.invitations import revoke_invitation
from tests import factories as typed_factories
from web.moments import moment_text

factories: Any = typed_factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> Any:
    return factories.UserFactory(staff=True)


@pytest.fixture
def superuser(boss: Any) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def change_page(obj: Any) -> str:
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def list_page(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def lines(client: Client, obj: Any, title: str) -> list[str]:
    sections = client.get(change_page(obj)).context["sections"]
    [section] = [one for one in sections if str(one.title) == title]
    return [" · ".join(map(str, [line.text, *line.details])) for line in section.lines]


# --- newest first, by the moment that is shown


def test_newest_is_first_by_its_moment_wherever_events_are_listed(
    superuser: Client, boss: Any
) -> None:
    partner = factories.PartnerFactory()
    for hour in (12, 10, 11):
        now = datetime(2026, 3, 1, hour, tzinfo=UTC)
        record_audit_event(action=f"partner.at_{hour}", about=partner, by=boss, now=now)
    shown = superuser.get(reverse("admin:audit_auditevent_changelist")).context["cl"].result_list
    expected = ["partner.at_12", "partner.at_11", "partner.at_10"]
    assert [event.action for event in shown] == expected
    history = superuser.get(reverse("admin:partners_partner_history", args=[partner.pk]))
    assert [row["event"].action for row in history.context["events"]] == expected
    did = lines(superuser, boss, "What this user did")
    assert [line.split(" · ")[0] for line in did] == expected


def test_lists_are_in_the_order_of_the_moment_that_they_show(superuser: Client) -> None:
    account, now = factories.CustomerAccountFactory(), timezone.now()
    late, early = (
        factories.BillFactory(account=account, issued_at=now - timedelta(days=days))
        for days in (1, 9)
    )
    assert list(superuser.get(list_page(type(late))).context["cl"].result_list) == [late, early]
    assert [line.split(" · ")[0] for line in lines(superuser, account, "Bills")] == [
        str(late),
        str(early),
    ]


# --- who acted


@pytest.mark.parametrize(
    ("cause", "who"),
    [
        ("association", "automatically, on joining"),
        ("budget_exhausted", "automatically, when the budget was used up"),
        ("partner", "nora"),
    ],
)
def test_who_froze_is_named_as_in_the_console(superuser: Client, cause: str, who: str) -> None:
    nora = factories.UserFactory(account_name="nora")
    freeze = factories.FreezeFactory(cause=cause, frozen_by=nora)
    page = superuser.get(change_page(freeze)).content.decode()
    assert f'<div class="readonly">{who}</div>' in page
    assert (
        f'<td class="field-froze">{who}</td>'
        in superuser.get(list_page(type(freeze))).content.decode()
    )


def test_history_and_audit_list_call_the_system_the_same(superuser: Client) -> None:
    partner = factories.PartnerFactory()
    record_audit_event(action="partner.seen", about=partner, by=None, now=timezone.now())
    page = superuser.get(reverse("admin:partners_partner_history", args=[partner.pk]))
    assert page.context["events"][0]["who"] == "The system"
    text = page.content.decode()
    assert '<td data-label="Who">The system</td>' in text
    assert "What belongs to it has a history of its own" in text
    assert f'<a href="{change_page(partner)}">the lists on its page</a>' in text


# --- what state an object is in


def preview(client: Client, association: Association, association_type: str) -> str:
    chosen = {
        "account": association.account_id,
        "partner": association.partner_id,
        "association_type": association_type,
    }
    return client.get(reverse("admin:eligibility_preview"), chosen).content.decode()


def test_preview_knows_a_present_customer_and_a_type_that_is_not_allowed(
    superuser: Client,
) -> None:
    association = typed_factories.make_associated()
    type(association.partner).objects.update(allows_referral=False)
    page = preview(superuser, association, "referral")
    since = moment_text(association.associated_at)
    names = f"{association.partner}, since {since}."
    assert f"<p>{association.account} is already a customer of {names}</p>" in page
    assert f"<p>{association.partner} may not invite by the type “referral”.</p>" in page
    assert "</bdi> may not join <bdi>" in page
    assert "</bdi> may join <bdi>" not in page


def test_budget_that_ended_with_the_association_was_not_replaced(superuser: Client) -> None:
    association = typed_factories.make_associated()
    for amount in (1, 2):
        set_budget(
            association=association, amount=Decimal(amount), period=BudgetPeriod.MONTHLY,
            on_exhaustion=OnExhaustion.FREEZE, by=None, now=timezone.now(),
        )  # fmt: skip
    typed_factories.end_by_provider(association)
    budgets = lines(superuser, association, "Budgets")
    assert [line.split(" · ")[-1] for line in budgets] == ["ended with the association", "replaced"]
    assert len(shown(superuser, Budget, state="ended")) == 1
    assert len(shown(superuser, Budget, state="replaced")) == 1


def shown(client: Client, model: Any, **filters: str) -> list[Any]:
    return list(client.get(list_page(model), filters).context["cl"].result_list)


@pytest.mark.parametrize(
    ("traits", "state"),
    [
        ({}, "live"),
        ({"used_up": True}, "used up"),
        ({"revoked": True}, "revoked"),
        ({"expired": True}, "expired"),
    ],
)
def test_invitation_says_its_state_and_offers_what_has_an_effect(
    superuser: Client, traits: dict[str, bool], state: str
) -> None:
    invitation = factories.InvitationFactory(**traits)
    answer = superuser.get(change_page(invitation))
    assert f'<div class="readonly">{state}</div>' in answer.content.decode()
    offered = [name for name, _label in answer.context["buttons"]]
    assert offered == (["revoke"] if state in {"live", "expired"} else [])
    assert (
        f'<td class="field-state">{state}</td>'
        in superuser.get(list_page(type(invitation))).content.decode()
    )


def test_partner_reads_the_providers_name_and_no_administrators_address(boss: Any) -> None:
    member = factories.PartnerMemberFactory(administrator=True)
    invitation = factories.InvitationFactory(partner=member.partner, created_by=boss)
    revoke_invitation(invitation=invitation, by=boss, now=timezone.now())
    client = Client()
    client.force_login(member.user)
    page = client.get(reverse("console_invitation", args=[invitation.pk])).content.decode()
    assert len(re.findall(r'<span class="muted">\s*<bdi>Example Cloud</bdi>', page)) == 2
    assert boss.email not in page


def test_attempt_says_in_words_what_came_of_it(superuser: Client) -> None:
    attempt = factories.AttemptFactory(entered=True, refused=True)
    page = superuser.get(list_page(type(attempt))).content.decode()
    assert "refused: “All bills are paid”" in page
    assert "unpaid_bills" not in page


def test_frozen_accounts_are_found_by_who_froze(superuser: Client) -> None:
    mine = factories.FreezeFactory(cause="administrator").account
    theirs = factories.FreezeFactory(cause="partner").account
    free = factories.CustomerAccountFactory()
    found = {
        value: set(shown(superuser, type(free), frozen=value))
        for value in ("yes", "no", "by_provider", "by_partner")
    }
    assert found == {
        "yes": {mine, theirs},
        "no": {free},
        "by_provider": {mine},
        "by_partner": {theirs},
    }


# --- messages


def message(about: Any, **fields: Any) -> OutboxMessage:
    now = timezone.now()
    values = {
        "kind": "accounts.registered", "recipient": "mailed@example.org", "language": "en",
        "created_at": now, "deadline_at": now, "next_try_at": now,
        "message_id": f"<{OutboxMessage.objects.count()}@mail.example>",
        "about_label": about._meta.label_lower, "about_id": str(about.pk),
    }  # fmt: skip
    return OutboxMessage.objects.create(**{**values, **fields})


def test_message_links_to_what_it_is_about_and_shows_no_next_try_once_sent(
    superuser: Client,
) -> None:
    invitation, now = factories.InvitationFactory(), timezone.now()
    page = superuser.get(change_page(message(invitation, sent_at=now))).content.decode()
    assert f'<a href="{change_page(invitation)}">Invitation {invitation.pk}</a>' in page
    assert f'<div class="readonly">sent {moment_text(now)}</div>' in page
    assert re.search(r'field-next_try">.*?<div class="readonly">-</div>', page, re.DOTALL)


def test_dropped_messages_are_told_apart_by_their_reason(superuser: Client) -> None:
    invitation, now = factories.InvitationFactory(), timezone.now()
    late = message(invitation, dropped_at=now, drop_reason="deadline passed")
    stale = message(invitation, dropped_at=now, drop_reason="frozen again")
    assert shown(superuser, OutboxMessage, state="late") == [late]
    assert shown(superuser, OutboxMessage, state="stale") == [stale]
    assert "dropped: deadline passed" in superuser.get(list_page(OutboxMessage)).content.decode()


def test_message_sent_again_keeps_its_failure_in_the_history(boss: Any) -> None:
    dead = message(
        factories.InvitationFactory(),
        dead_at=timezone.now(),
        last_error="550 mailed@example.org",
    )
    revive_message(message=dead, by=boss, now=timezone.now())
    event = AuditEvent.objects.get(action="message.revived")
    assert event.before["last_error"].startswith("550 m…@example.org")


# --- lists


def cells(client: Client, model: Any, column: str) -> list[str]:
    page = client.get(list_page(model)).content.decode()
    found = re.findall(rf'class="field-{column}[^"]*">(.*?)</t[dh]>', page)
    return [strip_tags(cell) for cell in found]


def test_spending_shows_account_money_and_source(superuser: Client) -> None:
    spending = factories.SpendingFactory(amount=Decimal("1234.5"), source="focus")
    account = str(spending.account)

    assert cells(superuser, type(spending), "account") == [account]
    assert cells(superuser, type(spending), "shown_amount") == ["1,234.50\xa0USD"]
    assert cells(superuser, type(spending), "source") == ["focus"]
    [line] = lines(superuser, spending.account, "Spending")
    assert "1,234.50\xa0USD" in line


def test_accounts_say_in_a_word_that_they_are_frozen(superuser: Client) -> None:
    for name in ("Ahorn", "Birke"):
        factories.CustomerAccountFactory(name=name)
    frozen = factories.CustomerAccountFactory(name="Zeder")
    factories.FreezeFactory(account=frozen)
    shown = dict(
        zip(
            (text.split(" ")[0] for text in cells(superuser, type(frozen), "shown")),
            cells(superuser, type(frozen), "freeze_state"),
            strict=True,
        )
    )

    assert shown == {"Ahorn": "–", "Birke": "–", "Zeder": "frozen"}


def test_members_show_whether_they_may_read_addresses_in_fact(superuser: Client) -> None:
    partner = factories.PartnerFactory()
    boss = factories.PartnerMemberFactory(partner=partner, role="administrator")
    may = factories.PartnerMemberFactory(partner=partner, may_see_addresses=True, role="manager")
    not_ = factories.PartnerMemberFactory(partner=partner, may_see_addresses=False, role="manager")
    found = {
        state: set(
            superuser.get(list_page(type(boss)), {"reads_addresses": state})
            .context["cl"]
            .result_list
        )
        for state in ("yes", "no")
    }
    page = superuser.get(list_page(type(boss))).content.decode()

    assert found == {"yes": {boss, may}, "no": {not_}}
    assert len(re.findall(r'field-reads_addresses"><img src="[^"]*icon-yes', page)) == 2
    assert len(re.findall(r'field-reads_addresses"><img src="[^"]*icon-no', page)) == 1


def test_dead_message_is_not_tried_again(superuser: Client, boss: Any) -> None:
    page = superuser.get(change_page(message(boss, dead_at=timezone.now()))).content.decode()

    assert re.findall(r"Next try at:</label>\s*<div class=\"readonly\">([^<]*)", page) == ["-"]


# --- what an event changed


def values(client: Client, event: Any, name: str) -> str:
    page = client.get(change_page(event)).content.decode()
    [found] = re.findall(
        rf'field-shown_{name}.*?<div class="readonly">(.*?)</div>', page, re.DOTALL
    )
    return str(found)


def test_audit_event_lists_names_and_values_with_links(superuser: Client, boss: Any) -> None:
    member = factories.PartnerMemberFactory()
    association = typed_factories.make_associated()
    event = record_audit_event(
        action="association.changed", about=association, by=boss, now=timezone.now(),
        before={"manager": None, "note": "<b>new</b>"},
        after={"manager": member.pk, "has_budget": True, "ended_at": "2026-03-01T12:00:00+00:00"},
    )  # fmt: skip
    assert values(superuser, event, "before") == (
        '<dl class="values-list"><dt>Manager</dt><dd>–</dd>'
        "<dt>Note</dt><dd>&lt;b&gt;new&lt;/b&gt;</dd></dl>"
    )
    assert values(superuser, event, "after") == (
        '<dl class="values-list"><dt>Ended at</dt><dd>1 March 2026, 12:00 UTC</dd>'
        "<dt>Has budget</dt><dd>yes</dd>"
        f'<dt>Manager</dt><dd><a href="{change_page(member)}">{member}</a></dd></dl>'
    )
    history = superuser.get(reverse("admin:association_association_history", args=[association.pk]))
    assert f'<a href="{change_page(member)}">{member}</a>' in history.content.decode()


def test_audit_list_calls_objects_by_their_names(superuser: Client, boss: Any) -> None:
    partner, now = factories.PartnerFactory(name="North & Co"), timezone.now()
    gone = factories.PartnerFactory()
    for about in (partner, gone):
        record_audit_event(action="partner.seen", about=about, by=boss, now=now)
    key = gone.pk
    gone.delete()
    page = superuser.get(reverse("admin:audit_auditevent_changelist")).content.decode()
    assert f'<a href="{change_page(partner)}">Partner North &amp; Co</a>' in page
    assert f">Partner {key}</a>" in page
