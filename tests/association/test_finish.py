"""The last click: enable and associate, or confirm, or put it off; and every repetition of it."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Freeze
from association.enums import JourneyRefusal, Step
from association.models import Association, Authorization, Consent, DocumentKind
from association.services.associations import associate
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.enums import InvitationRefusal
from partners.services.invitation_use import InvitationRefused
from partners.services.invitations import revoke_invitation
from tests.factories import (
    BillFactory,
    CouponFactory,
    CustomerAccountFactory,
    InvitationFactory,
    ResourceFactory,
    enabling_of,
)
from tests.journeys.walk import (
    EVERY_STEP,
    Walk,
    document,
    invite,
    publish_next,
    ready_attempt,
    shown_versions,
    walk_of,
)
from tests.tables import tables
from web.refused import Refused

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
LETTER = DocumentKind.LETTER_OF_AUTHORIZATION


@pytest.fixture
def confirming():
    """A browser at Confirm."""
    return walk_of(ready_attempt())


@pytest.fixture
def enabling():
    """A browser at Enable."""
    return walk_of(ready_attempt(account=CustomerAccountFactory.create(country="DE")))


def test_enable_and_associate_is_one_click(enabling):
    response = enabling.enable(country="FR")
    assert (response.status_code, response["Location"]) == (303, enabling.url("done"))
    association = Association.objects.get()
    account = association.account
    assert account.services_enabled_at == association.associated_at
    assert account.country.code == "FR"
    assert enabling.get("done").status_code == 200


def test_when_a_rule_refuses_services_are_not_enabled_either(enabling):
    enabling.get("enable")
    BillFactory.create(account=enabling.attempt.account)
    before = tables(without=["association.Attempt"])
    response = enabling.enable(country="FR")
    assert response.status_code == 409
    assert tables(without=["association.Attempt"]) == before
    account = enabling.attempt.account
    assert (account.services_enabled_at, account.country.code) == (None, "DE")


@pytest.mark.parametrize("registered", [True, False])
def test_consents_carry_version_moment_and_network_address(registered):
    """The tick of an account that registered on the way counts, of another account the click."""
    account = CustomerAccountFactory.create(country="DE")
    enabling = walk_of(ready_attempt(account=account, registered=registered))
    ticked_at = enabling.attempt.instructions_agreed_at
    enabling.client.post(
        enabling.url("enable"),
        shown_versions({}) | {"country": "DE", "agreement": "on"},
        REMOTE_ADDR="203.0.113.5",
    )
    attempt, association = enabling.attempt, Association.objects.get()
    click = (association.associated_at, "203.0.113.5")
    rows = Consent.objects.order_by("document__kind")
    assert [(c.document, c.agreed_at, c.network_address, c.account, c.attempt) for c in rows] == [
        (document(kind), moment, address, attempt.account, attempt)
        for kind, (moment, address) in [
            (DocumentKind.CUSTOMER_AGREEMENT, click),
            (DocumentKind.INSTRUCTIONS, (ticked_at, "192.0.2.7") if registered else click),
            (DocumentKind.PRIVACY_STATEMENT, click),
        ]
    ]


@pytest.mark.parametrize(
    "data",
    [
        {"agreement": ""},
        {"agreement": "off"},
        {"agreement": ["off", "on"]},
        {"country": ""},
        {"country": "CN"},
        {"country": "XX"},
        {"country": "\x00"},
        {"shown_customer_agreement": "x"},
        {"shown_letter": "x"},
    ],
)
def test_form_error_on_enable_writes_nothing(enabling, data):
    before = tables()
    response = enabling.enable(**data)
    assert response.status_code == 400
    assert tables() == before


@pytest.mark.parametrize("kind", [DocumentKind.CUSTOMER_AGREEMENT, DocumentKind.PRIVACY_STATEMENT])
def test_agreement_published_meanwhile_must_be_read(enabling, kind):
    shown = {f"shown_{kind}": document(kind).version}
    publish_next(kind)
    before = tables()
    response = enabling.enable(**shown)
    assert response.status_code == 409
    assert "The documents have changed while you were reading." in response.content.decode()
    assert tables() == before


def test_letter_published_meanwhile_must_be_read(confirming):
    shown = document(LETTER).version
    publish_next(LETTER)
    before = tables()
    response = confirming.post("confirm", letter_of_authorization="on", shown_letter=shown)
    assert response.status_code == 409
    assert tables() == before


def test_instructions_published_between_page_and_click_undo_their_step():
    confirming = walk_of(ready_attempt(registered=True))
    publish_next(DocumentKind.INSTRUCTIONS)
    with pytest.raises(Refused) as undone:
        associate(attempt=confirming.attempt, by=confirming.attempt.account.owner, address=None)
    assert undone.value.code == JourneyRefusal.STEP_UNDONE
    assert undone.value.context == {"step": Step.INSTRUCTIONS}
    assert confirming.post("confirm")["Location"] == confirming.url("instructions")
    assert Association.objects.count() == 0


@pytest.mark.parametrize(
    ("first", "last", "granted"),
    [(True, True, 1), (True, False, 0), (False, True, 1), (False, False, 0)],
)
def test_latest_choice_about_the_letter_counts(first, last, granted):
    walk = walk_of(ready_attempt(letter=first))
    data = {"shown_letter": document(LETTER).version}
    walk.post("confirm", **data, **({"letter_of_authorization": "on"} if last else {}))
    assert Authorization.objects.count() == granted
    assert Consent.objects.filter(document__kind=LETTER).count() == granted


def test_without_the_box_on_the_page_the_earlier_choice_is_used():
    walk = walk_of(ready_attempt(letter=True))
    walk.post("confirm")
    assert Authorization.objects.count() == 1


def test_letter_box_is_not_offered_in_referral_and_ticking_it_is_harmless():
    account = CustomerAccountFactory.create(enabled=True)
    walk = walk_of(ready_attempt(account=account, invitation=invite(account, referral=True)))
    assert "letter_of_authorization" not in walk.get("confirm").content.decode()
    walk.post("confirm", letter_of_authorization="on", shown_letter=document(LETTER).version)
    assert Authorization.objects.count() == 0
    assert Consent.objects.count() == 0


@pytest.mark.parametrize("step", ["confirm", "enable"])
def test_consequences_are_shown_with_the_accounts_own_numbers(step):
    account = CustomerAccountFactory.create(enabled=step == "confirm")
    CouponFactory.create_batch(2, account=account)
    CouponFactory.create(account=account, balance=0)
    CouponFactory.create()
    ResourceFactory.create_batch(3, account=account)
    walk = walk_of(ready_attempt(account=account))
    text = walk.get(step).content.decode()
    partner = walk.invitation.partner.name
    assert account.owner.account_name in text
    assert "Your 2 coupons, worth 100.00\N{NO-BREAK SPACE}USD, may only pay for" in text
    assert f"Your 3 running resources keep costing money, and {partner} may freeze them." in text
    assert "Your account will be frozen at once" in text
    assert f"{partner} bills you for what your account uses, from the association on." in text


@pytest.mark.parametrize("step", ["confirm", "enable"])
def test_only_consequences_that_this_account_has_are_named(step):
    account = CustomerAccountFactory.create(enabled=step == "confirm")
    referral = walk_of(ready_attempt(account=account, invitation=invite(account, referral=True)))
    other = CustomerAccountFactory.create(enabled=step == "confirm")
    reseller = walk_of(ready_attempt(account=other))

    def lines(walk):
        page = walk.get(step).content.decode()
        listed = page.partition("What will happen</h2>")[2].partition("</ul>")[0]
        items = re.findall(r"<li>(.*?)</li>", listed, re.DOTALL)
        return [" ".join(item.split()) for item in items]

    partner, other_partner = referral.invitation.partner.name, reseller.invitation.partner.name
    assert lines(referral) == [
        "Nothing is frozen.",
        f"Example Cloud bills you for what your account uses. {partner} does not.",
        "An account has one partner at a time.",
    ]
    assert lines(reseller) == [
        "Your account will be frozen at once: it cannot buy, renew or change resources until"
        f" {other_partner} has set a budget and unfrozen it.",
        f"{other_partner} bills you for what your account uses, from the association on.",
    ]


def test_later_keeps_the_attempt_open_and_e_mails_its_link_once_a_day(enabling):
    for _ in range(3):
        response = enabling.post("enable/later")
        assert (response.status_code, response["Location"]) == (303, enabling.url("enable/later"))
    attempt = enabling.attempt
    emails = OutboxMessage.objects.filter(kind="association.resume")
    assert [(email.recipient, email.about_id) for email in emails] == [
        (attempt.account.owner.email, str(attempt.pk))
    ]
    assert Association.objects.count() == 0


def test_customer_who_put_it_off_continues_in_any_browser(enabling):
    enabling.post("enable/later")
    elsewhere = Walk(enabling.invitation, Client())
    elsewhere.attempt_id = enabling.attempt_id
    assert elsewhere.get().status_code == 302
    response = elsewhere.log_in(enabling.attempt.account.owner)
    assert response["Location"] == elsewhere.url()
    assert elsewhere.get()["Location"] == elsewhere.url("enable")
    assert elsewhere.enable()["Location"] == elsewhere.url("done")
    assert enabling.get("enable")["Location"] == enabling.url("done")


def test_home_leads_back_to_what_was_put_off(enabling):
    enabling.post("enable/later")
    assert enabling.client.get("/account/")["Location"] == enabling.url()


def counts():
    return (
        Association.objects.count(),
        AuditEvent.objects.filter(action="association.made").count(),
        OutboxMessage.objects.count(),
        Freeze.objects.count(),
        Consent.objects.count(),
    )


@pytest.mark.parametrize("times", [2, 10])
@pytest.mark.parametrize("step", ["confirm", "enable"])
def test_repeated_final_post_gives_the_same_answer_and_nothing_new(times, step):
    walk = walk_of(ready_attempt(account=CustomerAccountFactory.create(enabled=step == "confirm")))
    data = {"country": "DE", "agreement": "on"}
    assert walk.post(step, **data)["Location"] == walk.url("done")
    before, made = tables(), counts()
    for _ in range(times - 1):
        response = walk.post(step, **data)
        assert (response.status_code, response["Location"]) == (303, walk.url("done"))
    assert tables() == before
    assert counts() == made
    assert walk.get("done").status_code == 200


def test_after_completion_nothing_offers_to_associate_again(confirming):
    confirming.post("confirm")
    addresses = [confirming.url(), f"/i/{confirming.invitation.token}", "/account/"]
    addresses += [confirming.url(step) for step in EVERY_STEP]
    addresses += [f"/i/{confirming.invitation.token}/instructions"]
    for address in addresses:
        response = confirming.client.get(address, follow=True)
        assert response.status_code in {200, 410}
        text = response.content.decode()
        assert "shown_letter" not in text, address
        assert 'name="instructions"' not in text, address


def test_revoked_meanwhile_is_gone_and_the_account_stays(confirming):
    revoke_invitation(invitation=confirming.invitation, by=None, now=timezone.now())
    before = tables()
    assert confirming.post("confirm").status_code == 410
    assert tables() == before
    account = confirming.attempt.account
    other = walk_of(ready_attempt(account=account))
    assert other.post("confirm")["Location"] == other.url("done")


@pytest.mark.parametrize(
    ("after", "expected"),
    [(-SECOND, None), (-TICK, None), (timedelta(0), "expired"), (TICK, "expired")],
)
def test_expiry_is_exact_at_the_moment_of_the_decision(after, expected):
    account = CustomerAccountFactory.create(enabled=True)
    expires_at = timezone.now() + timedelta(hours=1)
    attempt = ready_attempt(account=account, invitation=invite(account, expires_at=expires_at))
    decided_at = expires_at + after
    everything = {"attempt": attempt, "by": account.owner, "address": None}
    if expected is None:
        made = associate(**everything, clock=lambda: decided_at)
        assert made.associated_at == decided_at
        return
    before = tables()
    with pytest.raises(InvitationRefused) as refused:
        associate(**everything, clock=lambda: decided_at)
    assert refused.value.code == InvitationRefusal.EXPIRED
    assert tables() == before


@pytest.mark.parametrize(("after", "refused"), [(timedelta(0), False), (TICK, True)])
def test_seven_days_are_exact_at_the_moment_of_the_decision(after, refused):
    account = CustomerAccountFactory.create()
    invitation = InvitationFactory.create()
    attempt = ready_attempt(account=account, invitation=invitation, registered=True)
    last = account.registered_at + timedelta(days=7)
    options = {
        "attempt": attempt,
        "by": account.owner,
        "address": None,
        "enabling": enabling_of(account),
        "clock": lambda: last + after,
    }
    if not refused:
        assert associate(**options).associated_at == last
        return
    with pytest.raises(Refused) as not_admitted:
        associate(**options)
    assert not_admitted.value.code == JourneyRefusal.NOT_ADMITTED
    assert not_admitted.value.context["admission"].refusal_codes == ["registered_too_long"]
    assert Association.objects.count() == 0
