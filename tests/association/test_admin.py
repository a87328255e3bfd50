"""Documents, associations and the eligibility preview in the admin."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Freeze, User
from association.admin.preview import READ_BY
from association.enums import AssociationRefusal
from association.models import Association, Attempt, LegalDocument
from association.refusals import SENTENCES
from association.services.eligibility import RULES
from audit.models import AuditEvent
from tests import factories as typed_factories
from tests.shown_forms import confirm_action, open_and_send
from web.moments import moment_text

# The checker takes a factory for what it makes.
factories: Any = typed_factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    user: User = factories.UserFactory(staff=True)
    return user


@pytest.fixture
def superuser(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def associated(association_type: str = "reseller") -> Association:
    now = timezone.now() - timedelta(hours=1)
    invitation = factories.InvitationFactory(association_type=association_type)
    account = factories.CustomerAccountFactory(enabled=True)
    attempt = Attempt.objects.create(
        invitation=invitation, partner=invitation.partner, browser_hash="x", language="en",
        started_at=now, account=account, entered_at=now,
    )  # fmt: skip
    return Association.objects.create(
        account=account, partner=invitation.partner, association_type=association_type,
        invitation=invitation, attempt=attempt, associated_at=now, eligibility={},
        coupons_pay_before=now if association_type == "reseller" else None,
    )  # fmt: skip


def act(client: Client, page: str, action: str, obj: Any, **data: Any) -> str:
    """Confirm an action and return the page that follows."""
    chosen = {"action": action, "_selected_action": obj.pk, **data}
    path = reverse(f"admin:{page}_changelist")
    return confirm_action(client, path, chosen, follow=True).content.decode()


# --- documents


def make_draft() -> LegalDocument:
    return LegalDocument.objects.create(
        kind="instructions", language="en", version=99, title="Draft", body="Text"
    )


def test_draft_is_edited_then_published_for_good(superuser: Client) -> None:
    draft = make_draft()
    path = reverse("admin:association_legaldocument_change", args=[draft.pk])
    data = {"kind": "instructions", "language": "en", "version": "99", "title": "T", "body": "New"}
    assert open_and_send(superuser, path, data).status_code == 302
    act(superuser, "association_legaldocument", "publish", draft)
    assert superuser.post(path, {**data, "body": "Newer"}).status_code == 403
    delete = reverse("admin:association_legaldocument_delete", args=[draft.pk])
    assert superuser.post(delete, {"post": "yes"}).status_code == 403
    draft.refresh_from_db()
    assert draft.body == "New"
    assert draft.published_at is not None
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["legaldocument.changed", "document.published"]
    assert "published already" in act(superuser, "association_legaldocument", "publish", draft)


# --- associations


def test_partner_freeze_and_the_budget_before_unfreezing(superuser: Client, boss: User) -> None:
    association = associated()
    page = "association_association"
    act(superuser, page, "freeze_account", association, scope="account", reason="Unpaid")
    freeze = Freeze.objects.get()
    assert (freeze.cause, freeze.reason, freeze.frozen_by) == ("partner", "Unpaid", boss)
    answer = act(superuser, page, "unfreeze_account", association, reason="Paid")
    assert "A budget has to be set first" in answer
    association.budgets.create(
        amount=5, period="monthly", on_exhaustion="freeze", set_at=timezone.now()
    )
    act(superuser, page, "unfreeze_account", association, reason="Paid")
    assert Freeze.objects.open().count() == 0


def test_budget_is_set_and_lets_the_account_be_unfrozen(superuser: Client, boss: User) -> None:
    association = typed_factories.make_associated()
    page = "association_association"
    act(
        superuser, page, "set_budget", association,
        amount="250.50", period="monthly", on_exhaustion="freeze",
    )  # fmt: skip
    budget = association.budgets.get()
    assert (str(budget.amount), budget.period, budget.set_by) == ("250.50", "monthly", boss)
    assert association.account.freezes.open().count() == 1
    act(superuser, page, "unfreeze_account", association, reason="On the partner's word")
    assert association.account.freezes.open().count() == 0


@pytest.mark.parametrize(
    "amount", ["-1", "0.001", "1e309", "NaN", "Infinity", "1,500", "9" * 20, ""]
)
def test_budget_that_is_no_amount_is_refused(superuser: Client, amount: str) -> None:
    association = typed_factories.make_associated()
    act(
        superuser, "association_association", "set_budget", association,
        amount=amount, period="monthly", on_exhaustion="freeze",
    )  # fmt: skip
    assert association.budgets.count() == 0


def test_referral_is_not_frozen(superuser: Client) -> None:
    answer = act(
        superuser, "association_association", "freeze_account", associated("referral"),
        scope="account", reason="x",
    )  # fmt: skip
    assert "Only reseller customers are frozen" in answer
    assert Freeze.objects.count() == 0


@pytest.mark.parametrize("action", ["set_budget", "freeze_account", "unfreeze_account"])
def test_nothing_is_asked_about_what_a_referral_cannot_have(superuser: Client, action: str) -> None:
    association = associated("referral")
    chosen = {"action": action, "_selected_action": association.pk}
    page = superuser.post(reverse("admin:association_association_changelist"), chosen, follow=True)
    assert "What will happen" not in page.content.decode()
    # The account's name as it is.
    assert f'<li class="error">{association.account.owner.account_name} – ' in page.content.decode()
    assert str(SENTENCES[AssociationRefusal.NOT_RESELLER]) in page.content.decode()


def test_who_bills_after_the_end_is_said_before_it(superuser: Client) -> None:
    chosen = {"action": "end", "_selected_action": associated().pk}
    page = superuser.post(reverse("admin:association_association_changelist"), chosen)
    assert "From then on the provider bills the customer." in page.content.decode()


def test_association_is_ended_with_a_reason(superuser: Client, boss: User) -> None:
    association = associated()
    page = "association_association"
    asked = act(superuser, page, "end", association, reason="")
    assert "This cannot be taken back." in asked
    association.refresh_from_db()
    assert association.ended_at is None
    act(superuser, page, "end", association, reason="Contract over")
    association.refresh_from_db()
    assert (association.end_reason, association.ended_by) == ("Contract over", boss)


# --- preview


def preview(client: Client, **query: Any) -> Any:
    return client.get(reverse("admin:eligibility_preview"), query)


def test_preview_shows_every_rule_with_its_facts(superuser: Client) -> None:
    account = factories.CustomerAccountFactory(internal=True)
    factories.BillFactory(account=account)
    partner = factories.PartnerFactory()
    tables = {m: list(m._base_manager.order_by("pk").values_list()) for m in apps.get_models()}
    answer = preview(superuser, account=account.pk, partner=partner.pk, association_type="reseller")
    lines = answer.context["lines"]
    assert [line["code"] for line in lines] == [rule.code for rule in RULES]
    assert [line["code"] for line in lines if not line["passed"]] == [
        "unpaid_bills",
        "internal_account",
    ]
    bills = next(line for line in lines if line["code"] == "unpaid_bills")
    assert bills["facts"] == ["bills: amount 100.00, paid amount 0.00"]
    assert (bills["text"].partner, bills["way_out"]) == (
        "The account has unpaid bills.",
        "Pay the bills of Example Cloud, then check again.",
    )
    registered = next(line for line in lines if line["code"] == "registered_too_long")
    assert registered["facts"] == [f"registered at: {moment_text(account.registered_at)}"]
    body = answer.content.decode()
    assert body.count("✗") == 2
    assert body.count("✓") == len(RULES) - 2
    assert "icon-yes" not in body
    assert tables == {
        m: list(m._base_manager.order_by("pk").values_list()) for m in apps.get_models()
    }


def test_preview_knows_which_facts_every_rule_reads() -> None:
    assert set(READ_BY) == {rule.code for rule in RULES}


def test_preview_opens_empty_and_for_an_account(superuser: Client) -> None:
    account = factories.CustomerAccountFactory(owner__account_name="c-shown")
    assert preview(superuser).status_code == 200
    answer = preview(superuser, account=account.pk)
    assert answer.status_code == 200
    assert "c-shown" in answer.content.decode()
    page = superuser.get(reverse("admin:accounts_customeraccount_change", args=[account.pk]))
    assert f"{reverse('admin:eligibility_preview')}?account={account.pk}" in page.content.decode()


@pytest.mark.parametrize("value", ["", "0", "x", "-1", "99999999999999999999999"])
def test_preview_of_nothing_known_is_refused_in_words(superuser: Client, value: str) -> None:
    answer = preview(superuser, account=value, partner=value, association_type=value)
    assert answer.status_code == 400
    assert preview(superuser, account=value).status_code == 200


def test_preview_needs_the_permissions() -> None:
    staff = factories.UserFactory(is_staff=True)
    client = Client()
    client.force_login(staff)
    assert preview(client).status_code == 403
    staff.user_permissions.set(
        Permission.objects.filter(
            codename__in=["view_association", "view_customeraccount", "view_partner"]
        )
    )
    assert preview(client).status_code == 200


def test_preview_costs_the_same_for_many_facts(superuser: Client) -> None:
    account, partner = factories.CustomerAccountFactory(), factories.PartnerFactory()
    query = {"account": account.pk, "partner": partner.pk, "association_type": "reseller"}

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            preview(superuser, **query)
        return len(captured)

    factories.BillFactory(account=account)
    one = statements()
    factories.BillFactory.create_batch(2, account=account)
    assert statements() == one
