"""Verification codes: how they are derived, how often they are sent and may be tried."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.enums import CodePurpose, CodeRefusal
from accounts.models import VerificationCode
from accounts.refusals import refusal_sentence
from accounts.services.codes import (
    KEPT_FOR_OWNER,
    LIFETIME,
    PER_DAY,
    PER_HOUR,
    Proof,
    check_code,
    code_holder,
    derive_code,
    send_code,
    spend_code,
)
from outbox.models import OutboxMessage
from outbox.services.rendering import Stale, render_message
from tests.factories.accounts import UserFactory
from tests.reading_mails import only_in_text
from web.refused import Refused

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
ADDRESS = "new@example.org"
REGISTER, RESET = CodePurpose.REGISTER, CodePurpose.RESET_PASSWORD


def send(email=ADDRESS, flow="flow", purpose=REGISTER, now=NOW, **options):
    where = {"email": email, "purpose": purpose, "flow": flow}
    return send_code(**where, language="en", now=now, **options).row


def is_sent(**where):
    """Ask for a code; return whether one was sent."""
    try:
        send(**where)
    except Refused:
        return False
    return True


def check(code, email=ADDRESS, flow="flow", purpose=REGISTER, now=NOW):
    return check_code(email=email, purpose=purpose, flow=flow, code=code, now=now)


def refusal(code, **where):
    with pytest.raises(Refused) as caught:
        check(code, **where)
    return caught.value.code


def digits(row):
    return derive_code(row, code_holder(row.email, row.purpose))


def wrong(row):
    return f"{(int(digits(row)) + 1) % 10**6:06}"


def test_derived_codes_are_uniform_with_leading_zeros():
    rows = [
        VerificationCode(nonce=f"{n:032x}", purpose=REGISTER, flow="f", email=ADDRESS)
        for n in range(100_000)
    ]
    codes = [derive_code(row, None) for row in rows]
    assert all(re.fullmatch(r"[0-9]{6}", code) for code in codes)
    for position in range(6):
        counts = Counter(code[position] for code in codes)
        chi_square = sum((counts[digit] - 10_000) ** 2 / 10_000 for digit in "0123456789")
        assert chi_square < 27.88  # nine degrees of freedom, p = 0.001
    assert len(set(codes)) > 94_000  # 95,163 expected of a uniform draw


def test_derived_code_changes_with_everything_it_is_bound_to():
    bound = {"nonce": "n", "purpose": REGISTER, "flow": "f", "email": ADDRESS}
    original = derive_code(VerificationCode(**bound), None)
    for field in ("nonce", "flow", "email"):
        assert derive_code(VerificationCode(**{**bound, field: "x"}), None) != original
    assert derive_code(VerificationCode(**{**bound, "purpose": RESET}), None) != original


@pytest.mark.django_db
def test_right_code_proves_the_address_once():
    row = send()
    proof = check(digits(row))
    assert proof == Proof(code_id=row.pk, email=ADDRESS, purpose=REGISTER, flow="flow")
    assert spend_code(proof=proof, now=NOW)
    assert not spend_code(proof=proof, now=NOW)


@pytest.mark.django_db
def test_wrong_code_counts_a_try_although_it_raises():
    row = send()
    assert refusal(wrong(row)) == "wrong"
    row.refresh_from_db()
    assert row.tries == 1


@pytest.mark.django_db
def test_sixth_try_is_refused_even_when_right_and_a_new_code_works():
    row = send()
    assert [refusal(wrong(row)) for _ in range(5)] == ["wrong"] * 5
    assert refusal(wrong(row)) == "used_up"
    assert refusal(digits(row)) == "used_up"
    newer = send(now=NOW + timedelta(seconds=60))
    assert check(digits(newer), now=NOW + timedelta(seconds=60)).code_id == newer.pk


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "expected"), [(599, None), (600, "expired"), (601, "expired")])
def test_code_is_valid_while_now_is_before_its_expiry(seconds, expected):
    row = send()
    now = NOW + timedelta(seconds=seconds)
    if expected is None:
        assert check(digits(row), now=now).code_id == row.pk
    else:
        assert refusal(digits(row), now=now) == expected


@pytest.mark.django_db
def test_expired_proof_cannot_be_spent():
    proof = check(digits(send()))
    assert not spend_code(proof=proof, now=NOW + timedelta(minutes=10))


@pytest.mark.django_db
def test_code_of_another_flow_address_or_purpose_is_wrong():
    code = digits(send())
    assert refusal(code, flow="other") == "wrong"
    assert refusal(code, email="other@example.org") == "wrong"
    assert refusal(code, purpose=RESET) == "wrong"


@pytest.mark.django_db
def test_only_the_newest_code_of_a_flow_works():
    older = send()
    newer = send(now=NOW + timedelta(seconds=60))
    assert refusal(digits(older), now=NOW + timedelta(seconds=61)) == "wrong"
    assert check(digits(newer), now=NOW + timedelta(seconds=61)).code_id == newer.pk


@pytest.mark.django_db
def test_right_code_of_a_known_address_is_rejected_as_wrong():
    user = UserFactory.create()
    row = send(email=user.email)
    assert refusal(digits(row), email=user.email) == "wrong"


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "sent"), [(59, False), (60, True)])
def test_two_codes_are_sixty_seconds_apart(seconds, sent):
    send()
    assert is_sent(now=NOW + timedelta(seconds=seconds)) is sent


@pytest.mark.django_db
def test_five_codes_per_hour_and_eight_per_day_across_flows_and_purposes():
    moments = [NOW + timedelta(minutes=minute) for minute in range(0, 60 * 24, 2)]
    sent = [
        moment
        for n, moment in enumerate(moments)
        if is_sent(flow=f"flow {n}", purpose=[REGISTER, RESET][n % 2], now=moment)
    ]
    assert len(sent) == PER_DAY - KEPT_FOR_OWNER == 8
    assert len([moment for moment in sent if moment < NOW + timedelta(hours=1)]) == 5
    assert is_sent(now=NOW + timedelta(hours=24, minutes=2))


@pytest.mark.django_db
def test_the_last_two_of_ten_codes_a_day_are_for_the_owner():
    moments = [NOW + timedelta(minutes=13 * number) for number in range(12)]
    sent = [is_sent(now=moment) for moment in moments]
    assert sent == [True] * 8 + [False] * 4
    later = [NOW + timedelta(hours=12, minutes=number) for number in range(3)]
    sent = [is_sent(now=moment, from_owner=True) for moment in later]
    assert sent == [True, True, False]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("minutes", "expected", "again"),
    [
        ([0], CodeRefusal.SENT_JUST_NOW, timedelta(seconds=60)),
        ([0, 2, 4, 6, 8], CodeRefusal.HOUR_USED_UP, timedelta(minutes=60)),
        ([0, 70, 80, 90, 100, 140, 150, 160], CodeRefusal.DAY_USED_UP, timedelta(minutes=1440)),
    ],
)
def test_refusal_names_the_limit_that_ends_last_and_its_end(minutes, expected, again):
    for minute in minutes:
        send(now=NOW + timedelta(minutes=minute))
    with pytest.raises(Refused) as caught:
        send(now=NOW + timedelta(minutes=minutes[-1], seconds=20))
    assert (caught.value.code, caught.value.again_at) == (expected, NOW + again)


@pytest.mark.django_db
@pytest.mark.parametrize("from_owner", [False, True])
def test_strangers_limits_do_not_tell_whether_a_guessed_password_was_right(from_owner):
    for number in range(8):
        send(now=NOW + timedelta(minutes=13 * number))
    later = NOW + timedelta(hours=12)
    assert is_sent(now=later, from_owner=from_owner) is from_owner
    with pytest.raises(Refused) as caught:
        send(now=later + timedelta(seconds=1))
    assert caught.value.code == CodeRefusal.DAY_USED_UP
    assert caught.value.again_at == NOW + timedelta(days=1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("before_the_end", "is_kept_code_sent"),
    [(30, False), (59, False), (3599, False), (3600, False), (3601, True)],
)
def test_end_of_the_strangers_day_does_not_tell_either(before_the_end, is_kept_code_sent):
    told = []
    day_ends = NOW + timedelta(days=1)
    guessed_at = day_ends - timedelta(seconds=before_the_end)
    for from_owner in (True, False):
        email = f"{from_owner}@example.org"
        for number in range(8):
            send(email, now=NOW + timedelta(hours=2 * number))
        is_answered = is_sent(email=email, now=guessed_at, from_owner=from_owner)
        assert is_answered is (from_owner and is_kept_code_sent)
        answers = []
        for seconds in (1, 31, 61, 1800, 3599, 3600, 3601, 3661):
            try:
                answers.append(send(email, now=guessed_at + timedelta(seconds=seconds)).sent_at)
            except Refused as refused:
                answers.append((refused.code, refused.again_at, str(refusal_sentence(refused))))
        told.append(answers)
    assert told[0] == told[1]
    assert any(isinstance(answer, datetime) for answer in told[0])


@pytest.mark.django_db
def test_request_that_waited_for_another_one_is_not_told_of_the_future():
    send(now=NOW)
    with pytest.raises(Refused) as caught:
        send(now=NOW - timedelta(milliseconds=300))
    assert str(refusal_sentence(caught.value)) == (
        "No new code: one went to this address just now; the next is possible in 60 seconds."
    )


@pytest.mark.django_db
def test_the_next_code_is_possible_when_the_service_says_so():
    again_at, sent = NOW, []
    for _ in range(9):
        again_at = send_code(
            email=ADDRESS, purpose=REGISTER, flow="f", language="en", now=again_at
        ).again_at
        sent.append(again_at - NOW)
    minute = timedelta(minutes=1)
    hour, day = 60 * minute, 24 * 60 * minute
    first_hour = [minute, 2 * minute, 3 * minute, 4 * minute, hour]
    assert sent == [*first_hour, hour + minute, hour + 2 * minute, day, day + minute]


@pytest.mark.django_db
def test_each_address_has_limits_of_its_own():
    send()
    assert is_sent(email="other@example.org")


@pytest.mark.django_db
def test_limit_writes_nothing_for_known_and_unknown_addresses_alike():
    user = UserFactory.create()
    for address in (ADDRESS, user.email):
        assert is_sent(email=address)
        assert not is_sent(email=address)
    assert VerificationCode.objects.count() == OutboxMessage.objects.count() == 2


@pytest.mark.django_db
def test_known_and_unknown_addresses_cost_the_same_statements():
    known = {
        "usual": UserFactory.create(),
        "gone": UserFactory.create(is_active=False),
        "staff": None,
    }
    known["staff"] = UserFactory.create(is_staff=True)
    addresses = [ADDRESS, *(user.email for user in known.values())]
    for purpose in (REGISTER, RESET):
        later = NOW if purpose == REGISTER else NOW + timedelta(hours=1)
        counts = set()
        for address in addresses:
            with CaptureQueriesContext(
                connection,
            ) as captured:
                send(email=address, purpose=purpose, now=later)
            counts.add(len(captured))
        assert len(counts) == 1


@pytest.mark.django_db
def test_kind_of_email_by_purpose_and_address():
    active, gone = UserFactory.create(), UserFactory.create(is_active=False)
    for n, purpose in enumerate([REGISTER, RESET]):
        for address in (ADDRESS, active.email, gone.email):
            send(email=address, purpose=purpose, now=NOW + timedelta(hours=n))
    assert list(OutboxMessage.objects.order_by("pk").values_list("kind", "recipient")) == [
        ("accounts.verification_code", ADDRESS),
        ("accounts.already_registered", active.email),
        ("accounts.already_registered", gone.email),
        ("accounts.password_reset_unknown", ADDRESS),
        ("accounts.password_reset_code", active.email),
        ("accounts.password_reset_unknown", gone.email),
    ]


@pytest.mark.django_db
def test_message_expires_with_its_code_and_has_no_digits():
    row = send()
    message = OutboxMessage.objects.get()
    assert message.deadline_at == row.expires_at == NOW + timedelta(minutes=10)
    stored = [*OutboxMessage.objects.values_list(), *VerificationCode.objects.values_list()]
    assert digits(row) not in str(stored)


@pytest.mark.django_db
def test_email_shows_the_code_in_both_bodies_and_not_in_the_subject():
    row = send()
    with time_machine.travel(NOW, tick=False):
        mail = render_message(OutboxMessage.objects.get())
    assert digits(row) in mail.text
    assert digits(row) in mail.html
    assert digits(row) not in mail.subject
    preheader = mail.html.partition("display: none")[2].partition("</div>")[0]
    assert digits(row) not in preheader


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", CodePurpose)
def test_email_with_a_code_says_the_same_in_text_and_html(purpose):
    if purpose != CodePurpose.REGISTER:
        UserFactory.create(email=ADDRESS)
    send(purpose=purpose)
    with time_machine.travel(NOW, tick=False):
        mail = render_message(OutboxMessage.objects.get())
    assert only_in_text(mail) - {"Your verification code for Example Cloud is"} == set()
    assert "It is valid for 10 minutes." in mail.text
    assert "Nobody from us will ever ask you for this code." in mail.text


@pytest.mark.django_db
def test_email_to_a_known_address_links_to_the_log_in_and_has_no_code(settings):
    user = UserFactory.create()
    row = send(email=user.email)
    with time_machine.travel(NOW, tick=False):
        mail = render_message(OutboxMessage.objects.get())
    assert f"{settings.PUBLIC_BASE_URL}/account/login/" in mail.text
    assert digits(row) not in mail.text + mail.html + mail.subject
    assert not re.search(r"\b[0-9]{6}\b", mail.text)


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["code spent", "code expired", "newer code sent"])
def test_email_with_a_stale_code_is_dropped(reason):
    row = send()
    message = OutboxMessage.objects.get()
    now = NOW + timedelta(seconds=90)
    if reason == "code spent":
        spend_code(proof=check(digits(row)), now=NOW)
    elif reason == "code expired":
        now = NOW + timedelta(minutes=10)
    else:
        send(now=now)
    with time_machine.travel(now, tick=False), pytest.raises(Stale) as caught:
        render_message(message)
    assert str(caught.value) == reason


@pytest.mark.django_db
def test_email_with_a_code_is_dropped_when_the_address_became_known():
    send()
    UserFactory.create(email=ADDRESS)
    with time_machine.travel(NOW, tick=False), pytest.raises(Stale):
        render_message(OutboxMessage.objects.get())


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            CodeRefusal.EXPIRED,
            "This code has expired: a code lasts 10 minutes. Request a new code.",
        ),
        (
            CodeRefusal.HOUR_USED_UP,
            "No new code: 5 within the hour; the next is possible at 07:01 UTC.",
        ),
        (
            CodeRefusal.DAY_USED_UP,
            "No new code: 8 within 24 hours; the next is possible at 07:01 UTC.",
        ),
    ],
)
@time_machine.travel(datetime(2030, 1, 1, 6, 30, tzinfo=UTC), tick=False)
def test_sentences_name_the_limits(code, sentence):
    assert (timedelta(minutes=10), 5, 8) == (LIFETIME, PER_HOUR, PER_DAY - KEPT_FOR_OWNER)
    now = timezone.now()
    again_at = None if code == CodeRefusal.EXPIRED else now + timedelta(seconds=1800.5)
    refused = Refused(code, again_at=again_at, sent_at=now, now=now)
    assert refusal_sentence(refused) == sentence


@pytest.mark.parametrize(
    ("after", "ago", "wait"),
    [
        (0, "just now", "60 seconds"),
        (0.9, "just now", "60 seconds"),
        (1, "1 second ago", "59 seconds"),
        (1.5, "1 second ago", "59 seconds"),
        (2, "2 seconds ago", "58 seconds"),
        (58.9, "58 seconds ago", "2 seconds"),
        (59, "59 seconds ago", "1 second"),
        (59.9, "59 seconds ago", "1 second"),
    ],
)
def test_sentence_says_when_the_last_code_went_out_and_how_long_to_wait(after, ago, wait):
    refused = Refused(
        CodeRefusal.SENT_JUST_NOW,
        again_at=NOW + timedelta(seconds=60),
        sent_at=NOW,
        now=NOW + timedelta(seconds=after),
    )
    assert refusal_sentence(refused) == (
        f"No new code: one went to this address {ago}; the next is possible in {wait}."
    )
