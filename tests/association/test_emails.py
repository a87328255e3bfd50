"""The e-mails about joining and what follows it."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from accounts.enums import FreezeCause, ResourceStatus
from accounts.services.freezes import unfreeze_account
from association.models import Association, Authorization, BudgetAlert, BudgetRequest
from association.refusal_texts import REFUSAL_TEXTS
from association.services.customers import set_budget
from outbox.services.rendering import Stale
from tests.factories import (
    CouponFactory,
    CustomerAccountFactory,
    FreezeFactory,
    InvitationFactory,
    PartnerFactory,
    ResourceFactory,
)
from tests.factories.association import AttemptFactory, make_associated
from tests.reading_mails import links, only_in_text, write
from web.moments import moment_text

pytestmark = pytest.mark.django_db
TO_CUSTOMER = {"association.associated", "association.unfrozen"}


def associated(**invitation) -> Association:
    return make_associated(invitation=InvitationFactory(**invitation))


def requested(association: Association, **moments) -> Authorization:
    return association.authorizations.create(requested_at=timezone.now(), **moments)


def unfreeze(association: Association) -> None:
    causes = [FreezeCause.ASSOCIATION]
    unfreeze_account(account=association.account, causes=causes, by=None, now=timezone.now())


def test_associated_reseller_customer_reads_what_is_true_now():
    association = associated(partner__name="Nimbus")
    email = write("association.associated", association)
    assert email.subject == "You have joined Nimbus – your account is frozen for now"
    assert links(email) == {"/account/partner/"}
    assert only_in_text(email) == set()
    for part in (association.account.owner.account_name, association.partner.support_email):
        assert part in email.text
    assert "- Association type: reseller\n" in email.text
    bills = "Nimbus bills you for what your account uses, from the association on."
    assert f"- {bills}\n" in email.text
    assert "- You cannot buy, renew or change resources." in email.text
    assert "- Nimbus sets a budget: the most that your account may spend." in email.text
    assert "You can remind Nimbus under My partner." in email.text


@pytest.mark.parametrize("has", [False, True])
def test_associated_customer_reads_nothing_about_what_is_not_there(has):
    association = associated()
    if has:
        ResourceFactory(account=association.account, status=ResourceStatus.RUNNING)
        CouponFactory(account=association.account)
    text = write("association.associated", association).text
    assert ("- Some resources may be unavailable and still cost money." in text) == has
    assert ("- Coupons only pay for charges from before you joined." in text) == has


def test_referral_customers_e_mail_does_not_mention_freezing():
    email = write("association.associated", associated(referral=True, partner__name="Nimbus"))
    assert email.subject == "You have joined Nimbus"
    assert only_in_text(email) == set()
    assert "- Association type: referral\n" in email.text
    assert "Example Cloud bills you for what your account uses. Nimbus does not." in email.text
    assert "Your account is not frozen. You can use it now" in email.text
    assert "budget" not in email.text


def test_associated_customer_who_was_unfrozen_meanwhile_is_not_frozen():
    association = associated(partner__name="Nimbus")
    unfreeze(association)
    email = write("association.associated", association)
    assert email.subject == "You have joined Nimbus"
    assert "Your account is not frozen. You can use it now" in email.text


def test_association_that_has_ended_meanwhile_is_stale():
    association = associated()
    association.ended_at = timezone.now()
    association.save()
    with pytest.raises(Stale, match=r"^association ended$"):
        write("association.associated", association)


def test_resume_has_the_link_and_the_last_moment():
    registered_at = timezone.now() - timedelta(days=1)
    attempt = AttemptFactory(entered=True, account__registered_at=registered_at)
    email = write("association.resume", attempt)
    assert links(email) == {f"/join/{attempt.pk}/"}
    assert only_in_text(email) == set()
    last_moment = date_format(registered_at + timedelta(days=7), "DATETIME_FORMAT")
    assert f"Please finish by {last_moment} UTC." in email.text


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"account__registered_at": timezone.now() - timedelta(days=8)}, "too late to join"),
        ({"invitation__revoked": True}, "invitation_revoked"),
    ],
)
def test_resume_that_leads_nowhere_is_stale(values, reason):
    with pytest.raises(Stale, match=f"^{reason}$"):
        write("association.resume", AttemptFactory(entered=True, **values))


def test_resume_of_a_finished_attempt_is_stale():
    with pytest.raises(Stale, match=r"^already associated$"):
        write("association.resume", associated().attempt)


@pytest.mark.parametrize(
    ("status", "had_resources"),
    [(None, False), (ResourceStatus.RELEASED, False), (ResourceStatus.RUNNING, True)],
)
def test_partners_e_mail_about_a_waiting_customer_has_no_token(status, had_resources):
    association = associated()
    if status is not None:
        ResourceFactory(account=association.account, status=status)
    email = write("association.customer_waiting", association)
    assert links(email) == {f"/partner/customers/{association.pk}/"}
    assert only_in_text(email) == set()
    assert ("The customer had resources before." in email.text) == had_resources
    assert association.account.owner.email not in email.text + email.html
    assert association.invitation.token not in email.text + email.html


def test_customer_with_a_budget_waits_no_more():
    association = associated()
    association.budgets.create(
        amount=10, period="monthly", on_exhaustion="notify", set_at=timezone.now()
    )
    with pytest.raises(Stale, match=r"^budget is set$"):
        write("association.customer_waiting", association)


def test_e_mail_about_a_refused_customer_has_every_text_for_the_partner():
    attempt = AttemptFactory(entered=True)
    email = write("association.customer_refused", attempt, {"codes": list(REFUSAL_TEXTS)})
    assert links(email) == {f"/partner/history/{attempt.pk}/"}
    assert only_in_text(email) == set()
    for text in REFUSAL_TEXTS.values():
        assert f"- {text.partner}\n  What you can do: {text.suggested_operation}" in email.text
    assert attempt.account.owner.email not in email.text + email.html
    assert attempt.invitation.token not in email.text + email.html


def test_e_mail_about_a_refused_customer_without_account_has_no_name():
    email = write("association.customer_refused", AttemptFactory(), {"codes": ["unpaid_bills"]})
    assert email.text.startswith("A customer tried to join ")


@pytest.mark.parametrize("data", [{}, {"codes": []}, {"codes": ["no_such_code"]}])
def test_refusal_without_a_known_reason_is_stale(data):
    with pytest.raises(Stale, match=r"^without a reason$"):
        write("association.customer_refused", AttemptFactory(entered=True), data)


def test_unfrozen_customer_reads_it():
    association = associated(partner__name="Nimbus")
    unfreeze(association)
    lifted = association.account.freezes.get()
    email = write("association.unfrozen", lifted)
    assert links(email) == {"/account/partner/"}
    assert only_in_text(email) == set()
    moment = moment_text(lifted.unfrozen_at)
    assert email.text.startswith(f"On {moment} Nimbus unfroze your account ")
    assert "You can buy, renew and change resources.\n" in email.text


@pytest.mark.parametrize(
    ("period", "on_exhaustion", "sentences"),
    [
        (
            "monthly",
            "freeze",
            "Nimbus has set a budget of 10.00\xa0USD a month."
            " When it is used up, your account is frozen.",
        ),
        (
            "one_time",
            "notify",
            "Nimbus has set a budget of 10.00\xa0USD. It is not restored."
            " When it is used up, your account is not frozen by itself.",
        ),
    ],
)
def test_unfrozen_customer_reads_the_budget(period, on_exhaustion, sentences):
    association = associated(partner__name="Nimbus")
    terms = {"amount": Decimal(10), "period": period, "on_exhaustion": on_exhaustion}
    set_budget(association=association, unfreeze=True, by=None, now=timezone.now(), **terms)
    email = write("association.unfrozen", association.account.freezes.get())
    assert sentences in email.text
    assert only_in_text(email) == set()


def test_unfrozen_is_stale_when_frozen_again():
    with pytest.raises(Stale, match=r"^frozen again$"):
        write("association.unfrozen", associated().account.freezes.get())


def test_requested_authorization_reaches_the_customer():
    email = write("association.authorization_requested", requested(associated()))
    assert links(email) == {"/account/partner/authorization/"}
    assert only_in_text(email) == set()


def test_answered_authorization_is_asked_no_more():
    declined = requested(associated(), declined_at=timezone.now())
    with pytest.raises(Stale, match=r"^already answered$"):
        write("association.authorization_requested", declined)


@pytest.mark.parametrize(
    ("state", "subject"),
    [
        ("granted", "A customer has given you the authorization"),
        ("declined", "A customer has declined the authorization"),
        ("revoked", "A customer has revoked the authorization"),
    ],
)
def test_decided_authorization_reaches_the_partner(state, subject):
    now = timezone.now()
    if state == "declined":
        authorization = requested(associated(), declined_at=now, reason="No\nneed")
    else:
        authorization = make_associated(letter=True).authorizations.get()
    if state == "revoked":
        authorization.revoked_at, authorization.reason = now, "No\nneed"
        authorization.save()
    email = write("association.authorization_decided", authorization)
    assert email.subject == subject
    assert links(email) == {f"/partner/customers/{authorization.association_id}/"}
    assert only_in_text(email) == set()
    assert ("> No\n> need" in email.text) == (state != "granted")
    assert authorization.association.invitation.token not in email.text + email.html


def test_undecided_authorization_is_stale():
    with pytest.raises(Stale, match=r"^not decided$"):
        write("association.authorization_decided", requested(associated()))


def test_grant_that_was_revoked_meanwhile_is_stale():
    authorization = make_associated(letter=True).authorizations.get()
    authorization.revoked_at, authorization.reason = timezone.now(), "No need"
    authorization.save()
    with pytest.raises(Stale, match=r"^decided otherwise since$"):
        write("association.authorization_decided", authorization, {"state": "granted"})


def asked(association: Association, asked_for: str = "set_budget") -> BudgetRequest:
    now = timezone.now()
    return association.budget_requests.create(
        asked_for=asked_for, asked_at=now, asked_on=now.date()
    )


def test_request_for_a_budget_reaches_the_partner():
    association = associated()
    email = write("association.budget_requested", asked(association))
    assert email.subject == "A customer asks for a budget"
    assert links(email) == {f"/partner/customers/{association.pk}/"}
    assert only_in_text(email) == set()
    assert "A budget alone does not unfreeze the account: both are needed." in email.text
    assert association.account.owner.email not in email.text + email.html
    assert association.invitation.token not in email.text + email.html


def test_request_to_unfreeze_is_stale_when_there_is_no_budget_and_the_other_way_round():
    association = associated()
    with pytest.raises(Stale, match=r"^answered already$"):
        write("association.budget_requested", asked(association, "unfreeze"))
    association.budgets.create(
        amount=10, period="monthly", on_exhaustion="notify", set_at=timezone.now()
    )
    with pytest.raises(Stale, match=r"^answered already$"):
        write("association.budget_requested", asked(association))
    email = write(
        "association.budget_requested", association.budget_requests.get(asked_for="unfreeze")
    )
    assert email.subject == "A customer asks you to unfreeze the account"
    assert "has a budget and is still frozen." in email.text
    assert only_in_text(email) == set()


def test_request_to_raise_the_budget_says_so():
    association = associated()
    association.account.freezes.update(unfrozen_at=timezone.now())
    association.budgets.create(
        amount=0, period="monthly", on_exhaustion="freeze", set_at=timezone.now()
    )
    FreezeFactory(account=association.account, cause="budget_exhausted")
    email = write("association.budget_requested", asked(association, "raise_budget"))
    assert email.subject == "A customer asks you to raise the budget"
    assert "The customer asks you to raise it." in email.text
    assert only_in_text(email) == set()


def test_request_for_a_budget_is_stale_when_unfrozen():
    association = associated()
    unfreeze(association)
    with pytest.raises(Stale, match=r"^answered already$"):
        write("association.budget_requested", asked(association))


@pytest.mark.parametrize("kind", sorted(TO_CUSTOMER))
def test_hostile_names_are_shown_as_text(kind):
    partner = PartnerFactory(name="<b>N</b> & {{ x }}\r\nBcc: a@x.org")
    association = make_associated(
        invitation=InvitationFactory(partner=partner), account=CustomerAccountFactory(enabled=True)
    )
    about: Any = association
    if kind == "association.unfrozen":
        unfreeze(association)
        about = association.account.freezes.get()
    email = write(kind, about)
    assert "\n" not in email.subject
    assert "\r" not in email.subject
    assert "<b>N</b>" not in email.html
    assert "<b>N</b> & {{ x }}" in email.text


def alerted(association: Association) -> BudgetAlert:
    set_at = datetime(2026, 7, 1, tzinfo=UTC)
    budget = association.budgets.create(
        amount=10, period="monthly", on_exhaustion="notify", set_at=set_at
    )
    return budget.alerts.create(threshold=75, period_start=set_at, alerted_at=set_at)


@pytest.mark.parametrize(
    ("threshold", "on_exhaustion", "subject", "what_follows"),
    [
        (
            75,
            "freeze",
            "75 % of your budget is used",
            "When all of it is used, your account is frozen",
        ),
        (90, "notify", "90 % of your budget is used", "your account is not frozen by itself, but"),
        (
            100,
            "freeze",
            "Your budget is used up",
            "Your account is frozen until Nimbus unfreezes it",
        ),
        (100, "notify", "Your budget is used up", "Your account is not frozen by this, but Nimbus"),
    ],
)
def test_customer_reads_how_much_is_used_and_what_follows(
    threshold, on_exhaustion, subject, what_follows
):
    association = associated(partner__name="Nimbus")
    alert = alerted(association)
    alert.threshold, alert.budget.on_exhaustion = threshold, on_exhaustion
    alert.save()
    alert.budget.save()
    email = write("association.budget_alert", alert, {"used": "8.00"})
    assert email.subject == subject
    assert what_follows in email.text
    assert "has used 8.00\xa0USD of the budget of 10.00\xa0USD that Nimbus has set" in email.text
    assert links(email) == {"/account/partner/"}
    assert only_in_text(email) == set()


@pytest.mark.parametrize("kind", ["association.customer_budget_alert", "association.budget_alert"])
def test_alert_says_where_the_partner_is_when_the_budget_is_restored(kind):
    alert = alerted(associated(partner__time_zone="Europe/Berlin"))
    alert.alerted_at = datetime(2026, 11, 20, tzinfo=UTC)
    alert.save()
    email = write(kind, alert, {"used": "8.00"})
    assert "The whole budget is there again on 1 December 2026, 00:00 CET." in email.text
    assert only_in_text(email) == set()


@pytest.mark.parametrize("kind", ["association.customer_budget_alert", "association.budget_alert"])
@pytest.mark.parametrize(("days", "is_said"), [(0, False), (10, True)])
def test_alert_says_until_when_the_budget_lasts_where_that_can_be_said(kind, days, is_said):
    association = associated(partner__time_zone="UTC")
    alert = alerted(association)
    alert.budget.period = "one_time"
    alert.budget.save()
    alert.alerted_at = alert.budget.set_at + timedelta(days=days)
    alert.save()
    email = write(kind, alert, {"used": "8.00"})
    # 8 of 10 in ten days: the rest in two and a half.
    day = date_format(datetime(2026, 7, 13, 12, tzinfo=UTC), "DATE_FORMAT")
    sentence = f"If spending goes on as it does now, the budget is used up on {day}."
    assert (sentence in email.text) == is_said
    assert ("the budget is used up on" in email.text) == is_said
    assert only_in_text(email) == set()


@pytest.mark.parametrize(
    ("kind", "about", "data"),
    [
        ("association.customer_waiting", lambda association: association, {}),
        ("association.budget_requested", asked, {}),
        ("association.customer_budget_alert", alerted, {"used": "8.00"}),
    ],
)
def test_partners_read_moments_in_their_own_zone(kind, about, data):
    email = write(kind, about(associated(partner__time_zone="Europe/Berlin")), data)

    for part in (email.text, email.html):
        assert re.search(r"\bCES?T\b", part)
        assert "UTC" not in part


def test_customers_read_moments_as_before():
    invitation = InvitationFactory(partner__time_zone="Europe/Berlin")
    email = write("association.resume", AttemptFactory(entered=True, invitation=invitation))

    assert "UTC" in email.text
