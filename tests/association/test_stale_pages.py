"""Console pages that were open while somebody decided something: nothing of it is taken back."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import FreezeCause, FreezeScope
from accounts.services.freezes import freeze_account
from association.models import BudgetPeriod, OnExhaustion
from association.services.customers import (
    assign_manager,
    freeze_customer,
    set_budget,
    unfreeze_customer,
)
from association.services.invariants.trail import trail_equals_state
from partners.services.invitations import edit_invitation, resend_invitation
from partners.services.member_invitations import invite_member
from partners.services.members import change_member
from tests.factories import (
    InvitationFactory,
    PartnerMemberFactory,
    UserFactory,
    make_associated,
)
from tests.shown_forms import hidden_fields
from web.models import FormKey

pytestmark = pytest.mark.django_db

TERMS = {"amount": "250.00", "period": "monthly", "on_exhaustion": "freeze"}
CAROL = "carol@partner.example"


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def carol(boss):
    """A colleague, who decides while the page of `boss` is open."""
    user = UserFactory.create(email=CAROL)
    return PartnerMemberFactory.create(partner=boss.partner, administrator=True, user=user)


@pytest.fixture
def customer(boss):
    invitation = InvitationFactory.create(partner=boss.partner, created_by=boss.user)
    return make_associated(invitation=invitation, now=timezone.now() - timedelta(hours=1))


class Page:
    """A page that a member opened, and sends later with what it has hidden in it."""

    def __init__(self, user, address, **query):
        self.client = Client(SERVER_NAME="127.0.0.1")
        self.client.force_login(user)
        self.address = address
        self.shown = self.client.get(address, query)

    def send(self, **typed):
        sent = {**hidden_fields(self.shown), **typed}
        self.shown = self.client.post(self.address, sent)
        return self.shown


def page_of(member, name, *arguments):
    return Page(member.user, reverse(f"console_{name}", args=arguments))


def budget(customer, by, amount, *, unfreeze=False):
    set_budget(
        association=customer, amount=Decimal(amount), period=BudgetPeriod.MONTHLY,
        on_exhaustion=OnExhaustion.FREEZE, unfreeze=unfreeze, by=by.user, now=timezone.now(),
    )  # fmt: skip


def freeze(customer, by, reason="fraud found today"):
    freeze_customer(
        association=customer, scope=FreezeScope.ACCOUNT, reason=reason, by=by.user,
        now=timezone.now(),
    )  # fmt: skip


def says(answer, *texts):
    """Whether the page begins with a problem that says these texts."""
    page = answer.content.decode()
    return "There is a problem" in page and all(text in page for text in texts)


def causes(customer):
    return sorted(customer.account.freezes.open().values_list("cause", flat=True))


def test_unfreeze_does_not_lift_a_colleagues_new_freeze(boss, carol, customer):
    budget(customer, boss, 10)
    page = page_of(boss, "unfreeze", customer.pk)
    freeze(customer, carol)

    answer = page.send(reason="They paid")

    assert (answer.status_code, causes(customer)) == (409, ["association", "partner"])
    assert says(answer, f"{CAROL} froze it on", "(“fraud found today”)", "They paid")
    # Nothing was used up by the refusal, and the page shows both freezes now.
    assert not FormKey.objects.exists()
    assert page.send(reason="They paid").status_code == 303
    assert causes(customer) == []


def test_freeze_that_was_widened_meanwhile_is_a_new_one(boss, carol, customer):
    budget(customer, boss, 10)
    freeze(customer, boss, "Late")
    page = page_of(boss, "unfreeze", customer.pk)
    freeze_customer(
        association=customer, scope=FreezeScope.ACCOUNT_AND_RESOURCES, reason="Fraud",
        by=carol.user, now=timezone.now(),
    )  # fmt: skip

    answer = page.send(reason="They paid")

    assert answer.status_code == 409
    assert says(answer, f"{CAROL} froze it on", "(“Fraud”)")


def test_freeze_that_was_lifted_meanwhile_is_no_conflict(boss, carol, customer):
    budget(customer, boss, 10)
    page = page_of(boss, "unfreeze", customer.pk)
    unfreeze_customer(association=customer, reason="Paid", by=carol.user, now=timezone.now())

    assert page.send(reason="They paid").status_code == 303


def test_providers_new_freeze_is_no_conflict_because_it_stays(boss, customer):
    budget(customer, boss, 10)
    page = page_of(boss, "unfreeze", customer.pk)
    freeze_account(
        account=customer.account, cause=FreezeCause.ADMINISTRATOR, by=None, now=timezone.now()
    )

    assert page.send(reason="They paid").status_code == 303
    assert causes(customer) == ["administrator"]


def test_old_budget_does_not_beat_a_newer_one_and_a_freeze(boss, carol, customer):
    page = page_of(boss, "set_budget", customer.pk)
    budget(customer, carol, 100, unfreeze=True)
    freeze(customer, carol)

    answer = page.send(**TERMS, unfreeze="on", reason="Paid")

    assert (answer.status_code, causes(customer)) == (409, ["partner"])
    assert customer.budgets.current().get().amount == 100
    assert says(answer, "the budget is 100.00", f"{CAROL} set it on", "before, it was none.")
    assert says(answer, "(“fraud found today”)", 'value="250.00"')
    assert page.send(**TERMS, unfreeze="on", reason="Paid").status_code == 303
    assert (customer.budgets.current().get().amount, causes(customer)) == (250, [])


def test_budget_alone_does_not_conflict_with_a_freeze(boss, carol, customer):
    page = page_of(boss, "set_budget", customer.pk)
    freeze(customer, carol)

    assert page.send(**TERMS).status_code == 303
    assert causes(customer) == ["association", "partner"]


def test_freeze_does_not_replace_a_colleagues_reason(boss, carol, customer):
    page = page_of(boss, "freeze", customer.pk)
    freeze(customer, carol)

    answer = page.send(scope="account_and_resources", reason="Late")

    assert answer.status_code == 409
    assert says(answer, f"{CAROL} froze it on", "(“fraud found today”)", "Late")
    assert page.send(scope="account_and_resources", reason="Late").status_code == 303


def test_old_page_does_not_freeze_again_what_was_unfrozen(boss, carol, customer):
    budget(customer, boss, 10)
    freeze(customer, boss)
    page = page_of(boss, "freeze", customer.pk)
    unfreeze_customer(association=customer, reason="All clear", by=carol.user, now=timezone.now())

    answer = page.send(scope="account_and_resources", reason="Late")

    assert (answer.status_code, causes(customer)) == (409, [])
    assert says(answer, f"{CAROL} lifted this freeze on", "(“All clear”)")


def test_manager_that_a_colleague_chose_stays(boss, carol, customer):
    page = page_of(boss, "assign_manager", customer.pk)
    assign_manager(association=customer, manager=carol, by=carol.user, now=timezone.now())

    answer = page.send(manager="")

    customer.refresh_from_db()
    assert (answer.status_code, customer.manager) == (409, carol)
    assert says(
        answer, f"Now it is “{CAROL}”. {CAROL} changed it on", f"it was “{boss.user.email}”"
    )
    assert page.send(manager="").status_code == 303


def test_edit_of_an_invitation_takes_no_newer_value_back(boss, carol):
    invitation = InvitationFactory.create(partner=boss.partner, label="Spring", max_uses=5)
    page = page_of(boss, "edit_invitation", invitation.pk)
    edit_invitation(
        invitation=invitation, label="Summer", note="", expires_at=None, max_uses=9,
        by=carol.user, now=timezone.now(),
    )  # fmt: skip
    typed = {"label": "Spring", "note": "Welcome", "expiry": "keep", "max_uses": "5"}

    answer = page.send(**typed)

    invitation.refresh_from_db()
    assert (answer.status_code, invitation.label, invitation.max_uses) == (409, "Summer", 9)
    assert says(answer, f"Now it is “Summer”. {CAROL} changed it on", "it was “Spring”.")
    assert says(answer, "Now it is “9”.", "Welcome")
    # What was not touched shows what it is now.
    assert says(answer, 'value="Summer"', 'value="9"')
    assert page.send(**typed).status_code == 303
    invitation.refresh_from_db()
    assert (invitation.label, invitation.note) == ("Spring", "Welcome")
    assert list(trail_equals_state()) == []


def test_expiry_that_sending_again_renewed_is_not_taken_back(boss, carol):
    invitation = InvitationFactory.create(
        partner=boss.partner, email=True, expires_at=timezone.now() + timedelta(days=1)
    )
    page = page_of(boss, "edit_invitation", invitation.pk)
    renewed = resend_invitation(invitation=invitation, by=carol.user, now=timezone.now())

    answer = page.send(label="Spring", note="", expiry="30")

    invitation.refresh_from_db()
    assert (answer.status_code, invitation.expires_at) == (409, renewed.expires_at)


def test_uses_are_counted_without_a_conflict(boss):
    invitation = InvitationFactory.create(partner=boss.partner, label="Spring")
    page = page_of(boss, "edit_invitation", invitation.pk)
    make_associated(invitation=invitation)

    assert page.send(label="Summer", note="", expiry="keep", max_uses="").status_code == 303


def test_right_that_a_colleague_gave_a_member_stays(boss, carol):
    member = PartnerMemberFactory.create(partner=boss.partner)
    page = page_of(boss, "edit_member", member.pk)
    change_member(
        member=member, role="administrator", may_see_addresses=True, by=carol.user,
        now=timezone.now(),
    )  # fmt: skip

    answer = page.send(role="manager")

    member.refresh_from_db()
    assert (answer.status_code, member.role, member.may_see_addresses) == (
        *(409, "administrator"),
        True,
    )
    assert says(answer, "Role: Now it is “Administrator: ", "addresses: Now it is yes.", CAROL)
    assert page.send(role="manager").status_code == 303


def test_invitation_that_was_renewed_with_another_role_is_shown_before_it_is_accepted(boss):
    person = UserFactory.create(email="ann@example.org")
    terms = {"partner": boss.partner, "address": person.email, "by": boss.user}
    offer = invite_member(**terms, role="manager", now=timezone.now())
    page = Page(person, "/account/membership/")
    page.address = f"/account/membership/{offer.pk}/accept"
    invite_member(**terms, role="administrator", now=timezone.now())

    assert page.send().status_code == 409
    assert not hasattr(person, "partner_member")
    assert "become administrator" in page.shown.content.decode()
    assert page.send().status_code == 303
    person.refresh_from_db()
    assert person.partner_member.role == "administrator"


@pytest.mark.parametrize("version", [None, "budget", "\0"])
@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("set_budget", TERMS),
        ("freeze", {"scope": "account", "reason": "Late"}),
        ("unfreeze", {"reason": "Paid"}),
        ("assign_manager", {"manager": ""}),
    ],
)
def test_form_that_does_not_say_what_it_showed_is_shown_again(boss, customer, name, typed, version):
    budget(customer, boss, 10)
    page = page_of(boss, name, customer.pk)
    sent = typed if version is None else {**typed, "shown_version": version}

    page.shown = page.client.post(page.address, sent)

    assert page.shown.status_code == 400
    assert says(page.shown, "We cannot tell what this page showed you.")
    assert page.send(**typed).status_code == 303


def test_error_in_a_field_does_not_hide_that_something_changed(boss, carol, customer):
    budget(customer, boss, 10)
    page = page_of(boss, "unfreeze", customer.pk)
    freeze(customer, carol)

    assert page.send(reason="").status_code == 400
    assert page.send(reason="Paid").status_code == 409
