"""`associate()` itself: all that it writes, in how many statements, and all or nothing."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import Freeze, User
from association.enums import JourneyRefusal, Step
from association.models import Association, Authorization, BudgetPeriod, Consent, DocumentKind
from association.services.associations import associate
from association.services.attempts import find_attempt
from association.services.consents import Enabling, LetterChoice
from association.services.customers import set_budget, unfreeze_customer
from association.services.documents import Agreed
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.services.invitation_use import InvitationRefused
from tests.factories import (
    BillFactory,
    CustomerAccountFactory,
    InvitationFactory,
    LegalDocumentFactory,
    PartnerMemberFactory,
    agreed_to,
    end_by_provider,
    mark_frozen,
)
from tests.journeys.walk import document, invite, publish_next, ready_attempt
from tests.tables import tables
from web.refused import Refused

pytestmark = pytest.mark.django_db

# PostgreSQL is asked for its clock as well.
CLOCK = int(connection.vendor == "postgresql")
AGREEMENT = (DocumentKind.CUSTOMER_AGREEMENT, DocumentKind.PRIVACY_STATEMENT)


class PowerCutError(Exception):
    """What a test lets happen in the middle of a transaction."""


def everything(*, enabled=False, referral=False, letter=True):
    """The arguments of an association that writes all there can be written."""
    account = CustomerAccountFactory.create(enabled=enabled)
    manager = PartnerMemberFactory.create()
    PartnerMemberFactory.create(partner=manager.partner, administrator=True)
    invitation = invite(
        account, partner=manager.partner, created_by=manager.user, referral=referral
    )
    attempt = ready_attempt(account=account, invitation=invitation, letter=letter)
    agreed = {kind: agreed_to(kind) for kind in AGREEMENT}
    return {
        "attempt": attempt,
        "by": account.owner,
        "address": "203.0.113.5",
        "enabling": None if enabled else Enabling("FR", agreed),
    }


def statements_of(arguments):
    """What associating asks the database, without the marks of its transaction."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        associate(**arguments)
    texts = [query["sql"] for query in captured.captured_queries]
    marks = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    return [text for text in texts if not text.startswith(marks)]


@pytest.mark.parametrize(
    ("options", "statements"),
    [
        ({"enabled": False, "letter": True}, 28),
        ({"enabled": False, "letter": False}, 26),
        ({"enabled": True, "letter": False}, 24),
        ({"enabled": False, "referral": True}, 23),
        ({"enabled": True, "referral": True}, 20),
    ],
)
def test_statements_are_counted(options, statements):
    texts = statements_of(everything(**options))
    assert len(texts) == statements + CLOCK, "\n".join(texts)


def test_owner_who_was_deactivated_meanwhile_does_not_join():
    arguments = everything()
    User.objects.filter(pk=arguments["by"].pk).update(is_active=False)
    before = tables()

    with pytest.raises(Refused) as refused:
        associate(**arguments)

    assert refused.value.code is JourneyRefusal.STEP_UNDONE
    assert tables() == before


def test_invitation_is_touched_by_the_last_statement_only():
    texts = statements_of(everything())
    writing = [text for text in texts if text.startswith(("UPDATE", "INSERT"))]
    touching = [text for text in texts if text.startswith('UPDATE "partners_invitation"')]
    assert [texts[-1]] == touching == writing[-1:]
    assert 'FOR UPDATE OF "partners_invitation"' not in "".join(texts)


def test_everything_is_written():
    arguments = everything()
    attempt = arguments["attempt"]
    association = associate(**arguments)
    now = association.associated_at
    account, invitation = attempt.account, attempt.invitation
    for row in (account, invitation, attempt):
        row.refresh_from_db()
    assert (association.account, association.partner) == (account, invitation.partner)
    assert (association.attempt, association.invitation) == (attempt, invitation)
    assert association.manager.user == invitation.created_by
    assert association.coupons_pay_before == now
    assert association.eligibility["is_eligible"] is True
    assert len(association.eligibility["checks"]) == 13
    assert (account.services_enabled_at, account.country.code) == (now, "FR")
    assert invitation.used_count == 1
    freeze = Freeze.objects.get()
    assert (freeze.account, freeze.cause, freeze.scope) == (
        account,
        FreezeCause.ASSOCIATION,
        FreezeScope.ACCOUNT,
    )
    assert (freeze.frozen_at, freeze.frozen_by) == (now, account.owner)
    assert Consent.objects.count() == 4
    authorization = Authorization.objects.get()
    assert (authorization.granted_at, authorization.association) == (now, association)
    assert authorization.consent.document.kind == DocumentKind.LETTER_OF_AUTHORIZATION


def test_each_audit_event_and_message_is_written_once():
    arguments = everything()
    association = associate(**arguments)
    events = AuditEvent.objects.filter(occurred_at=association.associated_at)
    assert sorted(events.values_list("action", "actor")) == sorted(
        (action, arguments["by"].pk)
        for action in (
            "account.enabled",
            "association.made",
            "authorization.granted",
            "freeze.opened",
        )
    )
    messages = OutboxMessage.objects.filter(about_label="association.association")
    members = association.partner.members.values_list("user__email", flat=True)
    assert sorted(messages.values_list("kind", "recipient")) == sorted(
        [("association.associated", arguments["by"].email)]
        + [("association.customer_waiting", email) for email in members]
    )


def test_referral_writes_no_consent_freeze_cut_off_or_authorization():
    arguments = everything(referral=True, enabled=True)
    association = associate(**arguments)
    assert association.coupons_pay_before is None
    assert Freeze.objects.count() == 0
    assert Authorization.objects.count() == 0
    assert Consent.objects.count() == 0
    assert list(OutboxMessage.objects.values_list("kind", flat=True)) == ["association.associated"]


@pytest.mark.parametrize("referral", [False, True])
def test_power_cut_after_any_statement_leaves_nothing(referral):
    arguments = everything(referral=referral)
    attempt_id = arguments["attempt"].pk
    before = tables()
    done = []

    def cut_after(number):
        def wrap(execute, sql, params, many, context):
            result = execute(sql, params, many, context)
            if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
                done.append(sql)
                if len(done) == number:
                    raise PowerCutError
            return result

        return wrap

    number = 0
    while True:
        number += 1
        done.clear()
        fresh = arguments | {"attempt": find_attempt(attempt_id)}
        with connection.execute_wrapper(cut_after(number)):
            try:
                association = associate(**fresh)
            except PowerCutError:
                pass
            else:
                break
        assert tables() == before, done[-1]
    assert number == (23 if referral else 28) + CLOCK + 1
    assert Association.objects.get() == association


def test_repeating_returns_the_same_association_and_writes_nothing():
    arguments = everything()
    first = associate(**arguments)
    before = tables()
    assert associate(**arguments) == first
    assert tables() == before


def test_repeating_after_the_invitation_died_still_gives_the_answer():
    arguments = everything()
    first = associate(**arguments)
    mark_frozen(arguments["attempt"].invitation.partner)
    assert associate(**arguments) == first


def test_second_invitation_of_the_same_partner_is_no_second_association():
    arguments = everything()
    account, partner = arguments["attempt"].account, arguments["attempt"].invitation.partner
    second = ready_attempt(account=account, invitation=invite(account, partner=partner))
    associate(**arguments)
    before = tables()
    with pytest.raises(Refused, match="already_associated"):
        associate(attempt=second, by=account.owner, address=None)
    assert tables() == before


def test_another_users_attempt_is_refused():
    arguments = everything()
    stranger = CustomerAccountFactory.create(enabled=True)
    before = tables()
    with pytest.raises(Refused) as refused:
        associate(**arguments | {"by": stranger.owner})
    assert refused.value.code == JourneyRefusal.STEP_UNDONE
    assert refused.value.context == {"step": Step.ACCOUNT}
    assert tables() == before


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda arguments: publish_next(DocumentKind.INSTRUCTIONS), "document_changed"),
        (lambda arguments: publish_next(DocumentKind.CUSTOMER_AGREEMENT), "document_changed"),
        (lambda arguments: arguments.update(enabling=None), "enable"),
        (
            lambda arguments: arguments.update(letter=LetterChoice(draft_letter())),
            "document_changed",
        ),
        (
            lambda arguments: retire(arguments["attempt"].invitation, expires_at=past()),
            "invitation_expired",
        ),
        (
            lambda arguments: retire(arguments["attempt"].invitation, revoked_at=past()),
            "invitation_revoked",
        ),
        (
            lambda arguments: retire(arguments["attempt"].invitation, used_count=1),
            "invitation_used_up",
        ),
        (
            lambda arguments: mark_frozen(arguments["attempt"].invitation.partner),
            "partner_unavailable",
        ),
        (
            lambda arguments: retire(
                arguments["attempt"].invitation.partner, allows_reseller=False
            ),
            "type_not_allowed",
        ),
    ],
)
def test_whatever_is_missing_writes_nothing(spoil, error):
    arguments = everything()
    spoil(arguments)
    before = tables()
    with pytest.raises((InvitationRefused, Refused)) as refused:
        associate(**arguments)
    step = getattr(refused.value, "context", {}).get("step")
    assert (step or str(refused.value)) == error
    assert tables() == before


def draft_letter():
    letter = LegalDocumentFactory.create(kind=DocumentKind.LETTER_OF_AUTHORIZATION, draft=True)
    return Agreed(letter, "I agree", "en")


def test_refusal_is_kept_as_history_and_nothing_else_is_written():
    arguments = everything()
    attempt = arguments["attempt"]
    BillFactory.create(account=attempt.account)
    before = tables(without=["association.Attempt"])
    with pytest.raises(Refused) as refused:
        associate(**arguments)
    assert refused.value.context["admission"].refusal_codes == ["unpaid_bills"]
    assert tables(without=["association.Attempt"]) == before
    attempt.refresh_from_db()
    assert attempt.refusal_codes == ["unpaid_bills"]


def past():
    return timezone.now() - timedelta(seconds=1)


def retire(row, **changes):
    """Change the row after the attempt has loaded it."""
    type(row).objects.filter(pk=row.pk).update(**changes)


def test_instructions_in_another_language_are_the_same_version():
    arguments = everything()
    english = document(DocumentKind.INSTRUCTIONS)
    german = type(english).objects.create(
        kind=english.kind,
        language="de",
        version=english.version,
        title="Hinweise",
        body="Text",
        published_at=timezone.now(),
    )
    retire(arguments["attempt"], instructions=german)
    associate(**arguments)
    assert Consent.objects.filter(document=german).count() == 1


def test_account_is_frozen_in_the_same_commit_and_not_lifted_without_a_budget():
    association = associate(**everything())
    assert association.account.freezes.open().count() == 1
    with pytest.raises(Refused, match="no_budget"):
        unfreeze_customer(association=association, reason="", by=None, now=timezone.now())
    assert association.account.freezes.open().count() == 1
    set_budget(
        association=association,
        amount=10,
        period=BudgetPeriod.ONE_TIME,
        on_exhaustion="notify",
        by=None,
        now=timezone.now(),
    )
    assert association.account.freezes.open().count() == 1
    unfreeze_customer(association=association, reason="", by=None, now=timezone.now())
    assert association.account.freezes.open().count() == 0


def test_ended_association_does_not_hinder_the_next():
    arguments = everything(enabled=True)
    account = arguments["attempt"].account
    first = associate(**arguments)
    end_by_provider(first)
    second = ready_attempt(account=account)
    assert associate(attempt=second, by=account.owner, address=None) != first
    assert Association.objects.in_force().get().attempt == second


def test_database_refuses_a_second_association_in_force():
    first = associate(**everything(enabled=True))
    second = ready_attempt(account=CustomerAccountFactory.create(enabled=True))
    with pytest.raises(IntegrityError):
        Association.objects.create(
            account=first.account,
            partner=first.partner,
            association_type="reseller",
            invitation=InvitationFactory.create(),
            attempt=second,
            associated_at=first.associated_at,
            coupons_pay_before=first.associated_at,
            eligibility={},
        )
