"""The invariants hold after what the product does, and each is found when it is broken."""

from datetime import timedelta
from decimal import Decimal

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Freeze, User
from association.models import (
    Association,
    BudgetPeriod,
    Consent,
    LegalDocument,
    OnExhaustion,
)
from association.services.customers import freeze_customer, set_budget, unfreeze_customer
from association.services.endings import end_association
from association.services.invariants.checking import find_violations
from audit.models import AuditEvent
from outbox.models import Event, OutboxMessage
from outbox.services.queue import claim_messages, mark_dead, revive_message
from partners.enums import EventKind
from partners.models import Invitation, InvitationRequest
from partners.services.invitation_requests import (
    answer_invitation_request,
    request_online_invitation,
)
from partners.services.invitations import edit_invitation, resend_invitation, revoke_invitation
from tests.evidence import unprotected
from tests.factories import (
    CustomerAccountFactory,
    InvitationBatchFactory,
    InvitationFactory,
    LegalDocumentFactory,
    PartnerFactory,
    PartnerMemberFactory,
    UserFactory,
    end_by_provider,
    make_associated,
    make_attempt,
)

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def association():
    """A reseller association with letter and manager, of a partner with an administrator."""
    member = PartnerMemberFactory.create(administrator=True)
    invitation = InvitationFactory.create(partner=member.partner, created_by=member.user)
    return make_associated(invitation=invitation, letter=True)


def broken():
    """Which invariants are broken, and where."""
    return {(violation.invariant, violation.object) for violation in find_violations()}


def name(obj):
    return f"{obj._meta.label_lower}:{obj.pk}"


def raw(model, **wanted):
    """Rows of evidence, past the refusals to change them."""
    return unprotected(model).filter(**wanted)


def made(association):
    return raw(AuditEvent, action="association.made", object_id=str(association.pk))


# --- what the product does breaks none


def test_no_violation_in_an_empty_database():
    assert broken() == set()


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("traits", [{}, {"referral": True}, {"email": True}, {"max_uses": 1}])
def test_no_violation_after_associating(traits, enabled):
    invitation = InvitationFactory.create(**traits)
    owner = {"owner__email": invitation.recipient} if invitation.is_bound else {}
    account = CustomerAccountFactory.create(enabled=enabled, **owner)
    make_associated(invitation=invitation, account=account, letter=True)
    assert broken() == set()


def budget_and_unfreeze(association, by, now):
    terms = {"period": BudgetPeriod.MONTHLY, "on_exhaustion": OnExhaustion.FREEZE}
    set_budget(association=association, amount=Decimal(100), by=by, now=now, **terms)
    set_budget(association=association, amount=Decimal("250.50"), by=by, now=now, **terms)
    unfreeze_customer(association=association, reason="Welcome", by=by, now=now)


def freeze_again(association, by, now):
    budget_and_unfreeze(association, by, now)
    freeze_customer(
        association=association, scope="account_and_resources", reason="Late", by=by, now=now
    )


def end(association, by, now):
    end_association(association=association, reason="Moved on", by=by, now=now)


def end_and_join_again(association, by, now):
    end(association, by, now)
    invitation = InvitationFactory.create(email=True, is_bound=False)
    make_associated(invitation=invitation, account=association.account, now=now)


def change_the_invitation(association, by, now):
    edit_invitation(
        invitation=association.invitation,
        label="Other",
        note="",
        expires_at=now + SECOND,
        max_uses=None,
        by=by,
        now=now,
    )
    revoke_invitation(invitation=association.invitation, by=by, now=now)


def publish_other_instructions(association, by, now):
    LegalDocumentFactory.create(published_at=now)


def ask_for_an_invitation(association, by, now):
    asked = {"invitation": association.invitation, "address": "a@example.org", "language": ""}
    request_online_invitation(now=now, **asked)
    request = InvitationRequest.objects.get()
    invitation = answer_invitation_request(invitation_request=request, by=by, now=now)
    resend_invitation(invitation=invitation, by=by, now=now + SECOND)


def revive_a_dead_message(association, by, now):
    for message in claim_messages(now=now, limit=1):
        mark_dead(message=message, error="550", now=now)
        revive_message(message=message, by=by, now=now)
    for message in claim_messages(now=now, limit=100):
        mark_dead(message=message, error="550", now=now)


@pytest.mark.parametrize(
    "action",
    [
        budget_and_unfreeze,
        freeze_again,
        end,
        end_and_join_again,
        change_the_invitation,
        publish_other_instructions,
        ask_for_an_invitation,
        revive_a_dead_message,
    ],
)
def test_no_violation_after_each_action(association, action):
    action(association, association.manager.user, association.associated_at + SECOND)
    assert broken() == set()


def test_no_violation_when_the_revocation_waited_for_the_association(association):
    # It read its clock before it had to wait for the row.
    revoke_invitation(
        invitation=association.invitation, by=None, now=association.associated_at - SECOND
    )
    assert broken() == set()


# --- each is found when it is broken


def use_count_is_too_high(association):
    Invitation.objects.update(used_count=2)
    return {("I1", name(association.invitation))}


def use_count_is_too_low(association):
    Invitation.objects.update(used_count=0)
    return {("I1", name(association.invitation))}


def two_in_force(association):
    end_and_join_again(association, None, association.associated_at + SECOND)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("DROP INDEX one_association_in_force_per_account")
    Association.objects.update(ended_at=None, end_reason="")
    # Its freeze was lifted when it ended; its end was audited and published, its status written.
    first, event = name(association), Event.objects.get(kind=EventKind.ASSOCIATION_ENDED)
    found = {(number, first) for number in ("I4", "I7", "I15")}
    return found | {("I2", name(association.account)), ("I16", name(event))}


def audit_event_is_missing(association):
    made(association).delete()
    return {("I3", name(association))}


def audit_event_is_there_twice(association):
    event = made(association).get()
    event.pk, event._state.adding = None, True
    event.save()
    return {("I3", name(association))}


def consent_is_missing(association):
    raw(Consent, document__kind="instructions").delete()
    return {("I3", name(association))}


def consent_is_to_an_older_version(association):
    LegalDocumentFactory.create(published_at=association.associated_at)
    return {("I3", name(association))}


def consent_is_to_another_document(association):
    other = LegalDocumentFactory.create(published_at=association.associated_at + SECOND)
    raw(Consent, document__kind="instructions").update(document=other)
    return {("I3", name(association)), ("I3", name(other))}


def text_that_was_agreed_to_is_changed(association):
    agreed = association.attempt.consents.get(document__kind="instructions").document
    unprotected(LegalDocument).filter(pk=agreed.pk).update(body=f"{agreed.body} ")
    return {("I3", name(agreed))}


def snapshot_is_empty(association):
    Association.objects.update(eligibility={})
    return {("I3", name(association))}


def snapshot_refuses(association):
    Association.objects.update(eligibility={"is_eligible": False})
    return {("I3", name(association))}


def owner_is_promised_nothing(association):
    OutboxMessage.objects.filter(kind="association.associated").delete()
    return {("I3", name(association))}


def partner_is_promised_nothing(association):
    OutboxMessage.objects.filter(kind="association.customer_waiting").delete()
    return {("I3", name(association))}


def partner_is_promised_the_same_twice(association):
    message = OutboxMessage.objects.get(kind="association.customer_waiting")
    message.pk, message.message_id = None, "<other@example.org>"
    message.save()
    return {("I3", name(association))}


def account_is_not_frozen(association):
    raw(AuditEvent, object_label="accounts.freeze").delete()
    Freeze.objects.all().delete()
    return {("I4", name(association)), ("I15", name(association))}


def account_is_unfrozen_without_budget(association):
    Freeze.objects.update(unfrozen_at=association.associated_at + SECOND)
    return {("I4", name(association)), ("I15", name(association))}


def account_is_unfrozen_before_the_budget(association):
    account_is_unfrozen_without_budget(association)
    association.budgets.create(
        amount=1,
        period=BudgetPeriod.MONTHLY,
        on_exhaustion=OnExhaustion.FREEZE,
        set_at=association.associated_at + 2 * SECOND,
    )
    return {("I4", name(association)), ("I15", name(association))}


def owner_has_not_proven_the_address(association):
    owner = association.account.owner
    EmailAddress.objects.filter(user=owner).update(verified=False)
    return {("I5", name(owner))}


def someone_has_logged_in_unproven(association):
    user = UserFactory.create(last_login=association.associated_at)
    EmailAddress.objects.filter(user=user).delete()
    return {("I5", name(user))}


def someone_could_log_in_unproven(association):
    return {("I5", name(UserFactory.create(verified=False)))}


def made_at_the_expiry(association):
    Invitation.objects.update(expires_at=association.associated_at)
    return {("I6", name(association))}


def made_after_an_expiry_that_was_moved(association):
    Invitation.objects.update(expires_at=association.associated_at)
    now = association.associated_at
    edit_invitation(
        invitation=association.invitation,
        label="Other",
        note="",
        expires_at=None,
        max_uses=None,
        by=None,
        now=now - SECOND,
    )
    raw(AuditEvent, action="invitation.edited").update(occurred_at=now + SECOND)
    return {("I6", name(association))}


def made_after_a_revocation_without_event(association):
    Invitation.objects.update(revoked_at=association.associated_at)
    return {("I6", name(association))}


def made_long_after_the_revocation(association):
    hour = timedelta(hours=1)
    invitation, moment = association.invitation, association.associated_at
    revoke_invitation(invitation=invitation, by=None, now=moment - hour)
    return {("I6", name(association))}


def made_after_the_revocation_was_written(association):
    invitation, moment = association.invitation, association.associated_at
    revoke_invitation(invitation=invitation, by=None, now=moment - SECOND)
    event = made(association).get()
    made(association).delete()
    event.pk, event._state.adding = None, True
    event.save()
    return {("I6", name(association))}


def label_is_not_what_was_audited(association):
    revoked = InvitationFactory.create()
    edit_invitation(
        invitation=revoked,
        label="As audited",
        note="",
        expires_at=None,
        max_uses=7,
        by=None,
        now=association.associated_at,
    )
    revoke_invitation(invitation=revoked, by=None, now=association.associated_at)
    Invitation.objects.filter(pk=revoked.pk).update(label="Changed behind its back")
    return {("I7", name(revoked))}


def reference_is_not_what_was_audited(association):
    other = CustomerAccountFactory.create()
    freeze = Freeze.objects.get()
    Freeze.objects.update(account=other)
    return {("I7", name(freeze)), ("I4", name(association)), ("I15", name(association))}


def moment_is_not_what_was_audited(association):
    authorization = association.authorizations.get()
    association.authorizations.update(granted_at=association.associated_at + SECOND)
    return {("I7", name(authorization))}


def object_is_gone(association):
    authorization = association.authorizations.get()
    association.authorizations.all().delete()
    return {("I7", name(authorization))}


def message_waits_past_its_deadline(association):
    message = OutboxMessage.objects.first()
    OutboxMessage.objects.filter(pk=message.pk).update(deadline_at=message.created_at - SECOND)
    return {("I8", name(message))}


def address_is_not_the_canonical_one(association):
    owner = association.account.owner
    User.objects.filter(pk=owner.pk).update(email_original="Other@example.org")
    return {("I9", name(owner))}


def address_is_none(association):
    owner = association.account.owner
    User.objects.filter(pk=owner.pk).update(email_original="nobody")
    return {("I9", name(owner))}


def association_is_of_another_partner(association):
    made(association).update(after=None)
    Association.objects.update(partner=PartnerFactory.create(), manager=None)
    return {("I10", name(association))}


def manager_is_of_another_partner(association):
    Association.objects.update(manager=PartnerMemberFactory.create())
    return {("I10", name(association))}


def attempt_is_of_another_account(association):
    account = CustomerAccountFactory.create()
    type(association.attempt).objects.update(account=account)
    return {("I10", name(association))}


def attempt_was_made_through_another_member(association):
    type(association.attempt).objects.update(invited_by=PartnerMemberFactory.create().user)
    return {("I10", name(association.attempt))}


def request_is_of_another_partner(association):
    invitation = association.invitation
    request = InvitationRequest.objects.create(
        partner=PartnerFactory.create(),
        invitation=invitation,
        address="a@example.org",
        requested_at=association.associated_at,
    )
    return {("I10", name(request))}


def request_was_answered_by_another_partner(association):
    now = association.associated_at
    request = InvitationRequest.objects.create(
        partner=association.partner,
        invitation=association.invitation,
        address="a@example.org",
        requested_at=now,
        closed_at=now,
        sent_invitation=InvitationFactory.create(email=True),
    )
    return {("I10", name(request))}


def batch_counts_more_than_it_has_made(association):
    batch = InvitationBatchFactory.create(partner=association.partner, done_count=1)
    return {("I10", name(batch))}


def letter_is_of_another_account(association):
    account = CustomerAccountFactory.create()
    raw(Consent, document__kind="letter_of_authorization").update(account=account)
    return {("I10", name(association.authorizations.get()))}


BREAKERS = [
    use_count_is_too_high,
    use_count_is_too_low,
    two_in_force,
    audit_event_is_missing,
    audit_event_is_there_twice,
    consent_is_missing,
    consent_is_to_an_older_version,
    consent_is_to_another_document,
    text_that_was_agreed_to_is_changed,
    snapshot_is_empty,
    snapshot_refuses,
    owner_is_promised_nothing,
    partner_is_promised_nothing,
    partner_is_promised_the_same_twice,
    account_is_not_frozen,
    account_is_unfrozen_without_budget,
    account_is_unfrozen_before_the_budget,
    owner_has_not_proven_the_address,
    someone_has_logged_in_unproven,
    someone_could_log_in_unproven,
    made_at_the_expiry,
    made_after_an_expiry_that_was_moved,
    made_after_a_revocation_without_event,
    made_long_after_the_revocation,
    made_after_the_revocation_was_written,
    label_is_not_what_was_audited,
    reference_is_not_what_was_audited,
    moment_is_not_what_was_audited,
    object_is_gone,
    message_waits_past_its_deadline,
    address_is_not_the_canonical_one,
    address_is_none,
    association_is_of_another_partner,
    manager_is_of_another_partner,
    attempt_is_of_another_account,
    request_is_of_another_partner,
    request_was_answered_by_another_partner,
    batch_counts_more_than_it_has_made,
    letter_is_of_another_account,
]


@pytest.mark.parametrize("breaker", BREAKERS)
def test_a_broken_invariant_is_found(association, breaker):
    assert broken() == set()
    assert breaker(association) == broken()


def statements():
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert broken() == set()
    return len(captured)


def test_number_of_statements_does_not_grow_with_the_rows(association):
    one = statements()
    for _ in range(2):
        make_associated(
            invitation=InvitationFactory.create(created_by=association.manager.user), letter=True
        )
    make_attempt()
    assert statements() == one


def test_what_is_left_of_an_ended_association_is_found():
    association = end_by_provider(make_associated())
    assert list(find_violations()) == []
    now = association.ended_at
    association.budgets.create(amount=1, period="monthly", on_exhaustion="freeze", set_at=now)
    association.authorizations.create(requested_at=now)
    association.end_requests.create(asking_side="partner", reason="x", asked_at=now)
    Freeze.objects.update(unfrozen_at=None, unfrozen_by=None, unfreeze_reason="")
    Association.objects.update(ended_by=None)
    found = [row for row in find_violations() if row.invariant == "I12"]
    assert sorted(row.detail for row in found) == [
        "has ended and has a budget in force",
        "has ended and has an open authorization",
        "has ended and has an open freeze that is not an administrator's",
        "has ended and has an open request to end",
        "has ended without an actor or a reason",
    ]
