"""The e-mails about ending an association: who asked, who decided, who bills from then on."""

import pytest
from django.utils import timezone

from accounts.enums import FreezeCause
from accounts.services.freezes import freeze_account
from association.enums import Side
from association.models import Association
from association.services.customers import set_budget
from association.services.endings import answer_end_request, ask_to_end, withdraw_end_request
from outbox.models import OutboxMessage
from outbox.services.rendering import Stale, render_message
from tests.factories import (
    InvitationFactory,
    PartnerMemberFactory,
    UserFactory,
    end_by_provider,
    make_associated,
)
from tests.reading_mails import links, only_in_text, write

pytestmark = pytest.mark.django_db


def associated(*, referral=False, letter=False):
    invitation = InvitationFactory.create(referral=referral, partner__name="Nimbus")
    return make_associated(invitation=invitation, letter=letter)


def asked(association, side):
    by = association.account.owner if side == Side.CUSTOMER else UserFactory.create()
    now = timezone.now()
    return ask_to_end(association=association, side=side, reason="Too\ndear", by=by, now=now)


def answered(end_request, side, *, agree):
    by = end_request.association.account.owner if side == Side.CUSTOMER else UserFactory.create()
    return answer_end_request(
        end_request=end_request, side=side, agree=agree, reason="Stay", by=by, now=timezone.now()
    )


def withdraw(end_request):
    by, now = end_request.association.account.owner, timezone.now()
    side = end_request.asking_side
    return withdraw_end_request(end_request=end_request, side=side, by=by, now=now)


def console(association, page=""):
    return f"/partner/customers/{association.pk}/{page}"


def test_each_side_reads_the_request_of_the_other():
    end_request = asked(associated(), Side.PARTNER)
    email = write("association.end_requested", end_request)
    assert email.subject == "Nimbus asks to end your association"
    assert links(email) == {"/account/partner/end/"}
    assert only_in_text(email) == set()
    assert "> Too\n> dear" in email.text

    end_request = asked(associated(), Side.CUSTOMER)
    email = write("association.customer_end_requested", end_request)
    assert email.subject == "A customer asks to end the association"
    assert links(email) == {console(end_request.association, "end")}
    assert only_in_text(email) == set()


@pytest.mark.parametrize("kind", ["end_requested", "customer_end_requested"])
def test_an_answered_request_is_stale(kind):
    end_request = answered(asked(associated(), Side.CUSTOMER), Side.PARTNER, agree=False)
    with pytest.raises(Stale, match=r"^already answered$"):
        write(f"association.{kind}", end_request)


def test_the_asking_side_reads_who_declined_and_why():
    association = associated()
    email = write(
        "association.end_declined",
        answered(asked(association, Side.CUSTOMER), Side.PARTNER, agree=False),
    )
    assert email.subject == "Your association with Nimbus does not end"
    assert "Nimbus has declined your request" in email.text
    assert "> Stay" in email.text
    assert only_in_text(email) == set()
    end_request = answered(asked(association, Side.PARTNER), Side.CUSTOMER, agree=False)
    email = write("association.customer_end_declined", end_request)
    owner = association.account.owner
    assert f"{owner.account_name} ({owner.masked_email}) has declined your request" in email.text
    assert only_in_text(email) == set()


def test_the_other_side_reads_that_the_request_is_withdrawn():
    end_request = withdraw(asked(associated(), Side.CUSTOMER))
    email = write("association.customer_end_withdrawn", end_request)
    assert email.subject == "A customer no longer asks to end the association"
    assert only_in_text(email) == set()
    email = write("association.end_withdrawn", end_request)
    assert email.subject == "Nimbus no longer asks to end your association"
    assert only_in_text(email) == set()


@pytest.mark.parametrize(
    ("kind", "side"),
    [("end_withdrawn", Side.PARTNER), ("customer_end_withdrawn", Side.CUSTOMER)],
)
def test_a_withdrawal_is_stale_when_its_reader_was_not_told_of_the_request(kind, side):
    association = associated()
    boss = PartnerMemberFactory.create(partner=association.partner, administrator=True).user
    withdraw(asked(association, side))
    message = OutboxMessage.objects.get(kind=f"association.{kind}")
    assert message.recipient in (boss.email, association.account.owner.email)
    with pytest.raises(Stale, match=r"^request was not sent$"):
        render_message(message)

    OutboxMessage.objects.exclude(pk=message.pk).update(sent_at=timezone.now())
    assert "no longer asks" in render_message(message).subject

    asked(association, side)
    with pytest.raises(Stale, match=r"^asked again$"):
        render_message(message)


@pytest.mark.parametrize("kind", ["end_withdrawn", "customer_end_withdrawn"])
def test_a_withdrawal_is_stale_when_the_association_has_ended(kind):
    association = associated()
    end_request = withdraw(asked(association, Side.CUSTOMER))
    end_by_provider(association)
    with pytest.raises(Stale, match=r"^association ended$"):
        write(f"association.{kind}", end_request)


@pytest.mark.parametrize("kind", ["end_declined", "customer_end_declined"])
def test_a_declined_request_is_stale_when_the_association_has_ended(kind):
    association = associated()
    end_request = answered(asked(association, Side.CUSTOMER), Side.PARTNER, agree=False)
    end_by_provider(association)
    with pytest.raises(Stale, match=r"^association ended$"):
        write(f"association.{kind}", end_request)


@pytest.mark.parametrize(
    "kind", ["end_declined", "customer_end_declined", "end_withdrawn", "customer_end_withdrawn"]
)
def test_an_e_mail_about_another_answer_is_stale(kind):
    end_request = asked(associated(), Side.CUSTOMER)
    with pytest.raises(Stale, match=r"^answered otherwise$"):
        write(f"association.{kind}", end_request)


def ended(asking, deciding):
    association = associated()
    answered(asked(association, asking), deciding, agree=True)
    return Association.objects.get(pk=association.pk)


@pytest.mark.parametrize(
    ("asking", "deciding", "for_customer", "for_partner"),
    [
        (
            Side.CUSTOMER,
            Side.PARTNER,
            "You asked to end the association, and Nimbus agreed.",
            "The customer asked to end the association, and you agreed.",
        ),
        (
            Side.PARTNER,
            Side.CUSTOMER,
            "Nimbus asked to end the association, and you agreed.",
            "You asked to end the association, and the customer agreed.",
        ),
    ],
)
def test_both_sides_read_who_ended_it(asking, deciding, for_customer, for_partner):
    association = ended(asking, deciding)
    email = write("association.ended", association)
    assert email.subject == "You are no longer a customer of Nimbus"
    assert for_customer in email.text
    assert "> Too\n> dear" in email.text
    assert links(email) == {"/account/partner/"}
    assert only_in_text(email) == set()
    email = write("association.customer_ended", association)
    assert email.subject == "The association with a customer has ended"
    assert for_partner in email.text
    assert links(email) == {console(association)}
    assert only_in_text(email) == set()


@pytest.mark.parametrize("has", [True, False])
def test_only_what_there_was_has_ended(has):
    association = associated(letter=has)
    if has:
        terms = {"amount": 10, "period": "monthly", "on_exhaustion": "freeze"}
        set_budget(association=association, by=None, now=timezone.now(), **terms)
    end_by_provider(association)
    for kind, sentences in (
        (
            "ended",
            (
                "The budget that Nimbus set no longer applies.",
                "Nimbus may no longer order or operate anything for you.",
            ),
        ),
        (
            "customer_ended",
            (
                "The budget has ended with the association.",
                "You may no longer order or operate anything for this account.",
            ),
        ),
    ):
        email = write(f"association.{kind}", association)
        assert [sentence in email.text for sentence in sentences] == [has, has]
        assert only_in_text(email) == set()


@pytest.mark.parametrize("kind", ["ended", "customer_ended"])
@pytest.mark.parametrize("referral", [False, True])
def test_who_bills_from_then_on_is_said_of_a_reseller_only(kind, referral):
    association = end_by_provider(associated(referral=referral))
    email = write(f"association.{kind}", association)
    assert "Example Cloud ended the association." in email.text
    assert ("From now on Example Cloud bills" in email.text) is not referral


def test_the_providers_freeze_that_stays_is_said():
    association = associated()
    freeze_account(
        account=association.account,
        cause=FreezeCause.ADMINISTRATOR,
        reason="Fraud",
        by=None,
        now=timezone.now(),
    )
    email = write("association.ended", end_by_provider(association))
    assert "Your account is still frozen by Example Cloud" in email.text
    assert "no longer frozen" not in email.text


def test_the_customer_reads_that_the_end_has_unfrozen_the_account():
    email = write("association.ended", end_by_provider(associated()))
    assert "Your account is no longer frozen: you can buy, renew and change" in email.text
    assert only_in_text(email) == set()


def test_of_an_account_that_was_free_no_unfreezing_is_said():
    email = write("association.ended", end_by_provider(associated(referral=True)))
    assert "frozen" not in email.text


def test_the_answer_of_the_side_that_agreed_is_read():
    association = associated()
    answered(asked(association, Side.CUSTOMER), Side.PARTNER, agree=True)
    for kind in ("ended", "customer_ended"):
        email = write(f"association.{kind}", association)
        assert "The reason given:\n> Too\n> dear\n\nThe answer:\n> Stay\n" in email.text
        assert only_in_text(email) == set()
