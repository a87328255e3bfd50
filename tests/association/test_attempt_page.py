"""One attempt in the console: its walk, its refusals with their buttons, and the address."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from association.emails.advice import message_to_customer
from association.enums import Operation
from association.refusal_texts import REFUSAL_TEXTS
from association.services.following_up import BLOCKS_BOTH, operation_for
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.enums import AssociationType, Channel
from partners.models import Invitation
from tests.factories import (
    AttemptFactory,
    InvitationFactory,
    InvitationRequestFactory,
    PartnerFactory,
    PartnerMemberFactory,
    UserFactory,
    make_associated,
)
from tests.shown_texts import unbroken
from web.templatetags.moments import moment

pytestmark = pytest.mark.django_db

# session, user, member; the attempt; what waits, for the navigation
STATEMENTS = 5
SEND, OFFER, AGAIN = "send_online_invitation", "offer_referral", "resend"


def client_of(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


def refused_for(boss, *codes, **invitation):
    link = InvitationFactory.create(partner=boss.partner, created_by=boss.user, **invitation)
    return AttemptFactory.create(
        invitation=link, entered=True, refused=True, refusal_codes=list(codes)
    )


def act(member, attempt, operation):
    address = f"/partner/history/{attempt.pk}/follow-up"
    return client_of(member.user).post(address, {"operation": operation})


def test_page_shows_the_attempt_in_one_statement(boss, django_assert_num_queries):
    link = InvitationFactory.create(partner=boss.partner)
    attempt = make_associated(invitation=link, letter=True).attempt
    client = client_of(boss.user)

    with django_assert_num_queries(STATEMENTS):
        page = client.get(f"/partner/history/{attempt.pk}/")

    assert [(task["title"], task["state"]) for task in page.context["tasks"]] == [
        ("Followed the invitation and began", "done"),
        ("Agreed to the Instructions for Associating", "done"),
        ("Agreed to the Letter of Authorization", "done"),
        ("Registered an account", "done"),
        ("Passed the check", "done"),
        ("Associated", "done"),
    ]
    assert attempt.account.owner.email in unbroken(page)


@pytest.mark.parametrize(
    ("values", "words"),
    [({}, "Not yet"), ({"entered": True}, "Will be asked for again, on the last page")],
    ids=["nobody has entered", "an existing account"],
)
def test_page_says_where_the_instructions_are_agreed_to(boss, values, words):
    link = InvitationFactory.create(partner=boss.partner)
    attempt = AttemptFactory.create(invitation=link, **values)
    page = client_of(boss.user).get(f"/partner/history/{attempt.pk}/")
    task = page.context["tasks"][1]
    assert task["title"] == "Agreed to the Instructions for Associating"
    assert (task["state"], task["label"]) == ("todo", words)


@pytest.mark.parametrize("code", REFUSAL_TEXTS)
def test_every_refusal_is_shown_with_its_operation(boss, code):
    attempt = refused_for(boss, code)
    text = REFUSAL_TEXTS[code]

    page = client_of(boss.user).get(f"/partner/history/{attempt.pk}/", HTTP_ACCEPT_LANGUAGE="en")

    [shown] = page.context["refusals"]
    content = page.content.decode().replace("&#x27;", "'")
    assert str(text.partner) in content
    assert str(text.suggested_operation) in content
    operation = operation_for(attempt, code)
    assert shown["operation"] == operation
    assert bool(shown["label"]) == (operation is not None)
    is_message = operation == Operation.MESSAGE_CUSTOMER
    assert ('value="message_customer"' in content) is is_message
    # Nothing is copied where we have the address.
    assert "message_text" not in content


@pytest.mark.parametrize(
    ("codes", "options", "expected"),
    [
        (["unpaid_bills"], {}, Operation.MESSAGE_CUSTOMER),
        (["reserved_instances"], {}, Operation.OFFER_REFERRAL),
        (["reserved_instances", "unpaid_bills"], {}, Operation.MESSAGE_CUSTOMER),
        (["existing_account_not_allowed"], {}, Operation.SEND_ONLINE_INVITATION),
        (["existing_account_not_allowed", "unpaid_bills"], {}, Operation.SEND_ONLINE_INVITATION),
        (["existing_account_not_allowed", "cash_expenditure"], {}, Operation.MESSAGE_CUSTOMER),
        (["invitation_expired"], {"email": True}, Operation.RESEND),
        (["invitation_expired"], {}, Operation.SEND_ONLINE_INVITATION),
        (["partner_unavailable"], {}, None),
    ],
)
def test_operation_is_the_one_that_helps(boss, codes, options, expected):
    assert operation_for(refused_for(boss, *codes, **options), codes[0]) == expected


def test_nothing_is_offered_that_the_partner_may_not():
    partner = PartnerFactory.create(reseller_only=True)
    boss = PartnerMemberFactory.create(partner=partner, administrator=True)
    assert (
        operation_for(refused_for(boss, "enterprise_member"), "enterprise_member")
        == Operation.MESSAGE_CUSTOMER
    )
    assert operation_for(refused_for(boss, "type_not_allowed"), "type_not_allowed") is None
    assert "enterprise_member" not in BLOCKS_BOTH


@pytest.mark.parametrize(
    ("code", "operation", "association_type"),
    [
        ("existing_account_not_allowed", SEND, AssociationType.RESELLER),
        ("professional_services_contract", OFFER, AssociationType.REFERRAL),
    ],
)
def test_button_invites_the_account_once(boss, code, operation, association_type):
    attempt = refused_for(boss, code)

    answers = [act(boss, attempt, operation) for _ in range(2)]

    page = f"/partner/history/{attempt.pk}/"
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(303, page)] * 2
    [sent] = Invitation.objects.filter(channel=Channel.EMAIL)
    assert (sent.partner, sent.recipient, sent.association_type, sent.is_bound) == (
        boss.partner,
        attempt.account.owner.email,
        association_type,
        True,
    )
    [event] = AuditEvent.objects.all()
    assert (event.action, event.object_id, event.actor) == (
        "invitation.created",
        str(sent.pk),
        boss.user,
    )
    assert OutboxMessage.objects.filter(kind="partners.invitation").count() == 1


def test_button_sends_the_invitation_again_once(boss):
    attempt = refused_for(boss, "invitation_expired", email=True)

    assert [act(boss, attempt, AGAIN).status_code for _ in range(2)] == [303, 303]

    assert [event.action for event in AuditEvent.objects.all()] == ["invitation.resent"]
    assert OutboxMessage.objects.filter(recipient=attempt.invitation.recipient).count() == 1


@pytest.mark.parametrize("operation", ["", "nonsense", OFFER, AGAIN, "a\0"])
def test_what_does_not_help_is_refused(boss, operation):
    attempt = refused_for(boss, "unpaid_bills")

    answer = act(boss, attempt, operation)

    assert answer.status_code == 409
    assert "This does not help here" in answer.content.decode()
    assert (AuditEvent.objects.count(), Invitation.objects.count()) == (0, 1)


def test_a_reached_quota_says_when_to_come_again(boss, settings):
    settings.PARTNER_DAILY_MAILS = 1
    attempts = [refused_for(boss, "existing_account_not_allowed") for _ in range(2)]

    answers = [act(boss, attempt, SEND) for attempt in attempts]

    assert [answer.status_code for answer in answers] == [303, 429]
    assert int(answers[1]["Retry-After"]) > 0
    assert (AuditEvent.objects.count(), Invitation.objects.count()) == (1, 3)


def test_page_leads_to_the_customer_whom_the_member_may_open(boss):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    link = InvitationFactory.create(partner=boss.partner, created_by=manager.user)
    association = make_associated(invitation=link)
    page, customer = f"/partner/history/{association.attempt_id}/", f"/customers/{association.pk}/"

    assert customer in client_of(boss.user).get(page).content.decode()
    assert customer in client_of(manager.user).get(page).content.decode()
    boss.partner.associations.update(manager=boss)
    assert customer not in client_of(manager.user).get(page).content.decode()
    boss.partner.associations.update(ended_at=association.associated_at)
    assert customer in client_of(boss.user).get(page).content.decode()
    assert client_of(boss.user).get(f"/partner{customer}").status_code == 200


def test_nothing_is_sent_for_a_finished_attempt(boss):
    link = InvitationFactory.create(partner=boss.partner)
    attempt = make_associated(invitation=link).attempt

    assert act(boss, attempt, SEND).status_code == 409
    assert Invitation.objects.count() == 1


def test_message_has_reasons_and_what_to_do_and_no_address(boss):
    attempt = refused_for(boss, "unpaid_bills", "other_partner")
    page = client_of(boss.user).get(f"/partner/history/{attempt.pk}/")

    message = page.context["message"]["email"].text

    assert "All bills must be paid" in message
    assert "An account can work with one partner at a time." in message
    assert attempt.invitation.link in message
    assert attempt.account.owner.email not in message


def test_address_is_revealed_by_post_and_each_time_written_down(boss):
    manager = PartnerMemberFactory.create(partner=boss.partner, may_see_addresses=True)
    attempt = AttemptFactory.create(
        invitation__partner=boss.partner, invitation__created_by=manager.user, entered=True
    )
    client, email = client_of(manager.user), attempt.account.owner.email
    address = f"/partner/history/{attempt.pk}/reveal"

    pages = [client.post(address) for _ in range(2)]

    assert [(page.status_code, email in unbroken(page)) for page in pages] == [(200, True)] * 2
    assert client.get(address)["Location"] == f"/partner/history/{attempt.pk}/"
    assert email not in unbroken(client.get(f"/partner/history/{attempt.pk}/"))
    events = AuditEvent.objects.all()
    assert [(row.action, row.object_id, row.actor, row.before, row.after) for row in events] == [
        ("attempt.address_revealed", str(attempt.pk), manager.user, None, None)
    ] * 2


def test_nothing_is_revealed_before_an_address_is_known(boss):
    attempt = AttemptFactory.create(invitation__partner=boss.partner)

    answer = client_of(boss.user).post(f"/partner/history/{attempt.pk}/reveal")

    assert answer.status_code == 409
    assert AuditEvent.objects.count() == 0


@pytest.mark.parametrize("sees_addresses", [False, True])
def test_a_manager_reveals_only_with_the_right(boss, sees_addresses):
    manager = PartnerMemberFactory.create(partner=boss.partner, may_see_addresses=sees_addresses)
    attempt = AttemptFactory.create(
        invitation__partner=boss.partner, invitation__created_by=manager.user, entered=True
    )

    client = client_of(manager.user)

    status = client.post(f"/partner/history/{attempt.pk}/reveal").status_code
    assert status == (200 if sees_addresses else 404)
    page = client.get(f"/partner/history/{attempt.pk}/").content.decode()
    assert ("Show the whole address" in page) == sees_addresses
    assert AuditEvent.objects.count() == int(sees_addresses)


@pytest.mark.parametrize("person", ["another partner's", "a manager", "no member"])
def test_an_attempt_that_is_not_yours_does_not_exist(boss, person):
    attempt = refused_for(boss, "existing_account_not_allowed")
    user = {
        "another partner's": lambda: PartnerMemberFactory.create(administrator=True).user,
        "a manager": lambda: (
            PartnerMemberFactory.create(partner=boss.partner, may_see_addresses=True).user
        ),
        "no member": UserFactory.create,
    }[person]()
    client, page = client_of(user), f"/partner/history/{attempt.pk}/"

    assert client.get(page).status_code == 404
    assert client.post(f"{page}reveal").status_code == 404
    assert client.post(f"{page}follow-up", {"operation": SEND}).status_code == 404
    assert (AuditEvent.objects.count(), Invitation.objects.count()) == (0, 1)


def test_sending_an_invitation_answers_the_open_request_for_it(boss):
    attempt = refused_for(boss, "existing_account_not_allowed")
    asked = InvitationRequestFactory.create(
        invitation=attempt.invitation, address=attempt.account.owner.email
    )

    for _ in range(2):
        assert act(boss, attempt, SEND).status_code == 303

    asked.refresh_from_db()
    [sent] = Invitation.objects.filter(channel=Channel.EMAIL)
    assert (asked.sent_invitation, asked.closed_by) == (sent, boss.user)
    assert OutboxMessage.objects.filter(kind="partners.invitation").count() == 1


def test_account_whose_address_todays_rules_refuse_is_invited(boss):
    attempt = refused_for(boss, "existing_account_not_allowed")
    owner = attempt.account.owner
    owner.email = "person=?@example.org"
    owner.save()

    assert act(boss, attempt, SEND).status_code == 303

    assert Invitation.objects.get(channel=Channel.EMAIL).recipient == owner.email


def test_an_open_request_for_another_type_is_closed_with_what_was_sent(boss):
    attempt = refused_for(boss, "professional_services_contract")
    asked = InvitationRequestFactory.create(
        invitation=attempt.invitation, address=attempt.account.owner.email
    )

    for _ in range(2):
        assert act(boss, attempt, OFFER).status_code == 303

    asked.refresh_from_db()
    [sent] = Invitation.objects.filter(channel=Channel.EMAIL)
    assert (asked.sent_invitation, asked.closed_by) == (sent, boss.user)
    assert sent.association_type == AssociationType.REFERRAL
    assert [event.action for event in AuditEvent.objects.order_by("pk")] == [
        "invitation.created",
        "invitation_request.answered",
    ]


def test_a_request_of_another_partner_or_address_stays_open(boss):
    attempt = refused_for(boss, "existing_account_not_allowed")
    others = [
        InvitationRequestFactory.create(address=attempt.account.owner.email),
        InvitationRequestFactory.create(invitation=attempt.invitation),
    ]

    act(boss, attempt, SEND)

    for request in others:
        request.refresh_from_db()
        assert request.state == "open"


def test_an_invitation_answers_one_request_only(boss):
    attempt = refused_for(boss, "existing_account_not_allowed")
    asking = {"invitation": attempt.invitation, "address": attempt.account.owner.email}
    InvitationRequestFactory.create(**asking)
    act(boss, attempt, SEND)
    again = InvitationRequestFactory.create(**asking)

    assert act(boss, attempt, SEND).status_code == 303

    again.refresh_from_db()
    assert again.state == "open"
    assert OutboxMessage.objects.filter(kind="partners.invitation").count() == 1


@pytest.mark.parametrize(
    ("code", "operation", "setting"),
    [
        ("existing_account_not_allowed", SEND, {}),
        ("professional_services_contract", OFFER, {}),
        ("invitation_expired", AGAIN, {"email": True, "expired": True}),
    ],
)
def test_page_says_when_it_was_sent_instead_of_offering_it(boss, code, operation, setting):
    attempt = refused_for(boss, code, **setting)
    client, page = client_of(boss.user), f"/partner/history/{attempt.pk}/"
    button = f'value="{operation}"'
    assert button in client.get(page).content.decode()

    messages = []
    for _ in range(2):
        client.post(f"{page}follow-up", {"operation": operation})
        shown = client.get(page)
        messages += [str(message) for message in shown.context["messages"]]

    sent = Invitation.objects.filter(channel=Channel.EMAIL).latest("mailed_at")
    assert messages == [
        f"The invitation to {sent.recipient} is on its way.",
        f"{sent.recipient} has been sent it already. Nothing was sent a second time.",
    ]
    content = shown.content.decode()
    assert button not in content
    assert f"E-mail of {moment(sent.mailed_at)}" in content
    assert f'href="/partner/invitations/{sent.pk}/"' in content
    Invitation.objects.filter(pk=sent.pk).update(revoked_at=sent.mailed_at)
    assert "E-mail of <time" not in client.get(page).content.decode()


def test_what_was_sent_before_the_attempt_or_to_others_does_not_count(boss):
    attempt = refused_for(boss, "existing_account_not_allowed")
    mailed = {"email": True, "mailed_at": timezone.now()}
    recipient = attempt.account.owner.email
    InvitationFactory.create(partner=boss.partner, **mailed)
    InvitationFactory.create(recipient=recipient, **mailed)
    InvitationFactory.create(partner=boss.partner, recipient=recipient, referral=True, **mailed)
    mailed["mailed_at"] = attempt.started_at - timedelta(hours=1)
    InvitationFactory.create(partner=boss.partner, recipient=recipient, **mailed)

    page = client_of(boss.user).get(f"/partner/history/{attempt.pk}/").content.decode()

    assert "E-mail of <time" not in page
    assert f'value="{SEND}"' in page


@pytest.mark.parametrize("codes", [1, 3])
def test_page_of_a_refused_attempt_also_asks_what_was_sent_and_asked_for_and_who_joined(
    boss, codes, django_assert_num_queries
):
    every = ("existing_account_not_allowed", "invitation_revoked", "invitation_used_up")
    attempt = refused_for(boss, *every[:codes])
    client = client_of(boss.user)
    with django_assert_num_queries(STATEMENTS + 3):
        client.get(f"/partner/history/{attempt.pk}/")


@pytest.mark.parametrize(
    ("codes", "ending"),
    [
        (["unpaid_bills"], "Then open your invitation again:\n{link}"),
        (["special_contract"], "Then open your invitation again:\n{link}"),
        (["other_partner"], "Then open your invitation again:\n{link}"),
        (["cash_expenditure"], "Then open your invitation again:\n{link}"),
        (["registered_too_long"], "Then open your invitation again:\n{link}"),
        (["internal_account"], "If you have a question, write to {address}."),
        (["is_partner"], "If you have a question, write to {address}."),
        (["unpaid_bills", "is_partner"], "If you have a question, write to {address}."),
        (
            ["unpaid_bills", "invitation_revoked"],
            "Then write to {address}, and ask for another invitation.",
        ),
    ],
)
def test_message_leads_back_only_whom_it_can_help(boss, codes, ending):
    attempt = refused_for(boss, *codes)
    link, address = attempt.invitation.link, attempt.invitation.partner.support_email

    text = message_to_customer(attempt)

    assert text.split("\n\n")[-2] == ending.format(link=link, address=address)
    assert text.count(link) == ending.count("{link}")
