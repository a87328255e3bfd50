"""JWTs of the provider's issuer in place of keys: which are accepted, and who acts by them."""

import base64
import json
import time
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.cache import cache
from django.utils import timezone

from accounts.enums import UserKind
from audit.models import AuditEvent
from integration.models import ApiKey
from integration.services import api_issuer_keys
from integration.services.keys import revoke_key
from tests.factories import CustomerAccountFactory, PartnerFactory, UserFactory
from tests.integration import api_issuer
from tests.integration.api_issuer import listening
from tests.integration.calls import API, Caller, Program
from tests.integration.receivers import drip, hang, pour
from tests.tables import tables

pytestmark = pytest.mark.django_db
READ = "/provider/partners"
ACCOUNT = {"external_id": "/a/b", "address": "ada@example.org", "country": "DE"}
TAKEN = {**ACCOUNT, "address": "bob@example.org"}
LINE = {
    "kind": "coupon",
    "source": "billing",
    "external_id": "1",
    "account_external_id": "taken",
    "balance": "1.00",
}


@pytest.fixture(autouse=True)
def _cache_of_its_own(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


@pytest.fixture
def issuer(settings):
    with listening(settings) as listener:
        yield listener


def refused(answer):
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"], answer.json()["detail"]


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("key", ["rsa", "ec", "ed"])
def test_token_of_each_algorithm_is_accepted(issuer, key):
    assert issuer.caller(key=key).get(READ).status_code == 200


def test_reading_stores_nothing(issuer):
    before = tables()

    assert issuer.caller().get(READ).status_code == 200
    assert tables() == before


def in_seconds(seconds):
    return int(time.time()) + seconds


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": "http://127.0.0.1:1"}, "It comes from another issuer (iss)."),
        ({"iss": None}, "It has no iss."),
        ({"aud": "https://elsewhere.example"}, "It is for another audience (aud)."),
        ({"aud": None}, "It has no aud."),
        ({"exp": -40}, "It has expired (exp)."),
        ({"exp": None}, "It has no exp."),
        ({"exp": "soon"}, "It is malformed, or its signature is wrong."),
        ({"nbf": 60}, "It is not valid yet (nbf, iat)."),
        ({"iat": 60}, "It is not valid yet (nbf, iat)."),
        ({"sub": None}, "It has no sub."),
        ({"sub": ""}, "Its subject (sub) is empty, too long, or not printable."),
        ({"sub": " "}, "Its subject (sub) begins or ends with a blank."),
        ({"sub": " a"}, "Its subject (sub) begins or ends with a blank."),
        ({"sub": "a "}, "Its subject (sub) begins or ends with a blank."),
        ({"sub": "a\nb"}, "Its subject (sub) is empty, too long, or not printable."),
        ({"sub": "x" * 256}, "Its subject (sub) is empty, too long, or not printable."),
        ({"sub": 7}, "It is malformed, or its signature is wrong."),
        ({"scope": ["provider:partners:read"]}, "Its scope is not a text."),
        pytest.param(
            {"key": "small"},
            "The issuer has no key of the id in its header (kid).",
            marks=pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning"),
        ),
        ({"key": "other"}, "The issuer has no key of the id in its header (kid)."),
        ({"header": {"kid": "oct"}}, "The issuer has no key of the id in its header (kid)."),
        ({"key": "other", "header": {"kid": "rsa"}}, "It is malformed, or its signature is wrong."),
        ({"key": "ec", "header": {"kid": "rsa"}}, "Its algorithm (alg) is not that of the key."),
        ({"more": "x" * 8_000}, "It is too long."),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else None,
)
def test_wrong_token_is_a_401(issuer, changed, reason):
    moments = {name: in_seconds(n) for name, n in changed.items() if isinstance(n, int)}
    changed |= {name: moments[name] for name in ("exp", "nbf", "iat") if name in moments}
    answer = issuer.caller(**changed).get(READ)

    assert refused(answer) == (401, "jwt_rejected", f"Not a valid token. {reason}")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("key", ["rsa", "ec", "ed", "small"])
def test_private_key_that_an_issuer_publishes_is_not_believed(issuer, key):
    issuer.more_keys += [api_issuer.private(key), {"kty": "oct", "kid": "without a secret"}]
    answer = issuer.caller(key=key, header={"kid": f"private-{key}"}).get(READ)

    assert refused(answer)[:2] == (401, "jwt_rejected")
    assert issuer.caller().get(READ).status_code == 200


@pytest.mark.parametrize("published", [{"use": "enc"}, {"alg": "RS512"}])
def test_key_for_encryption_or_of_another_algorithm_is_not_taken(issuer, published):
    issuer.more_keys.append({**api_issuer.public("rsa"), "kid": "other", **published})
    answer = issuer.caller(header={"kid": "other"}).get(READ)

    reason = "Not a valid token. The issuer has no key of the id in its header (kid)."
    assert refused(answer) == (401, "jwt_rejected", reason)


@pytest.mark.parametrize("changed", [{"exp": -20}, {"nbf": 20}])
def test_clocks_may_differ_by_half_a_minute(issuer, changed):
    moments = {name: in_seconds(seconds) for name, seconds in changed.items()}

    assert issuer.caller(**moments).get(READ).status_code == 200


def forged(issuer, header, secret):
    """Return a token whose signature is made with a text that everybody knows."""
    claims = part({"iss": issuer.url, "aud": api_issuer.AUDIENCE, "sub": "x", "exp": 9_999_999_999})
    signed = f"{part({'kid': 'rsa', **header})}.{claims}"
    if secret is None:
        return f"{signed}."
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = base64.urlsafe_b64encode(algorithm.sign(signed.encode(), secret)).rstrip(b"=")
    return f"{signed}.{signature.decode()}"


PEM = api_issuer.RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("header", "secret"),
    [({"alg": "none"}, None), ({"alg": "HS256"}, PEM), ({"alg": "HS256", "kid": "oct"}, b"secret")],
)
def test_token_without_a_signature_of_the_issuer_is_a_401(issuer, header, secret):
    answer = Program(None, forged(issuer, header, secret)).get(READ)

    assert refused(answer)[:2] == (401, "jwt_rejected")


@pytest.mark.parametrize(
    "text", ["a.b.c", "..", f"{part({})}.{part({})}.x", f"{part(5)}.{part(5)}.x"]
)
def test_text_that_is_no_token_is_a_401(issuer, text):
    assert refused(Program(None, text).get(READ))[:2] == (401, "jwt_rejected")


def test_deeply_nested_header_is_a_401(issuer):
    header = base64.urlsafe_b64encode(b"[" * 5_000).decode().rstrip("=")

    assert refused(Program(None, f"{header}.e30.x").get(READ))[:2] == (401, "jwt_rejected")


def test_without_an_issuer_tokens_are_unknown_keys(issuer, settings):
    token = issuer.sign()
    settings.API_JWT_ISSUER = settings.API_JWT_AUDIENCE = ""

    assert refused(Program(None, token).get(READ))[:2] == (401, "key_unknown")
    assert issuer.requests == []


def test_token_in_the_address_is_refused(issuer):
    answer = issuer.caller().get(READ, access_token=issuer.sign())

    assert refused(answer)[:2] == (400, "key_in_address")


def test_token_without_the_id_of_a_key_is_told_so(issuer):
    text = f"{part({'alg': 'RS256'})}.{part({'sub': 'billing'})}.AAAA"
    answer = Program(None, text).get(READ)

    assert refused(answer) == (401, "jwt_rejected", "Not a valid token. Its header has no kid.")


def test_token_has_the_scopes_that_it_names(issuer):
    answer = issuer.caller(scope="openid profile").get(READ)

    assert refused(answer) == (
        403,
        "scope_missing",
        "This token lacks the scope provider:partners:read: your issuer grants it, in the claim"
        " scope.",
    )
    assert issuer.caller(scope=None).get(READ).status_code == 403


def test_token_calls_no_operation_of_partners(issuer):
    answer = issuer.caller(scope="events:read").get("/events")

    assert refused(answer) == (403, "key_of_other_side", "This call is for keys of partners.")


def test_keys_are_read_once(issuer, django_assert_num_queries):
    for _ in range(3):
        # Of the program and of the list.
        with django_assert_num_queries(2):
            assert issuer.caller().get(READ).status_code == 200

    assert issuer.requests == ["/.well-known/openid-configuration", "/keys"]


def test_keys_of_unknown_ids_read_no_more_than_once_a_minute(issuer, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    issuer.caller().get(READ)
    for number in range(5):
        issuer.caller(header={"kid": f"unknown-{number}"}).get(READ)
    before = len(issuer.requests)
    time_machine.shift(61)
    for number in range(5):
        issuer.caller(header={"kid": f"other-{number}"}).get(READ)

    assert (before, len(issuer.requests)) == (2, 4)


def test_new_key_is_found_after_a_minute(issuer, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    issuer.caller().get(READ)
    issuer.names.append("other")
    before = issuer.caller(key="other").get(READ).status_code
    time_machine.shift(61)

    assert (before, issuer.caller(key="other").get(READ).status_code) == (401, 200)


def test_key_that_the_issuer_has_removed_is_refused_after_an_hour(issuer, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    issuer.caller().get(READ)
    issuer.names.remove("rsa")
    before = issuer.caller().get(READ).status_code
    time_machine.shift(api_issuer_keys.FRESH_SECONDS + 1)

    assert before == 200
    assert refused(issuer.caller().get(READ))[:2] == (401, "jwt_rejected")


def fail(handler):
    handler.send_error(500)


KEYS, DISCOVERY = "/keys", "/.well-known/openid-configuration"
TROUBLE = {
    "down": (DISCOVERY, fail),
    "hanging": (DISCOVERY, hang),
    "dripping": (KEYS, drip),
    "huge": (KEYS, pour),
    "redirecting": (DISCOVERY, (302, {"Location": "/keys"}, {})),
    "no address": (DISCOVERY, (200, {}, {"issuer": "", "jwks_uri": "file:///etc/passwd"})),
    "no keys": (KEYS, (200, {}, {"keys": "x"})),
    "no object": (KEYS, (200, {}, [])),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_issuer_in_trouble_is_a_503_at_once_for_all_but_one(issuer, trouble, monkeypatch):
    monkeypatch.setattr(api_issuer_keys, "LONGEST_READ_SECONDS", 0.5)
    path, answer = TROUBLE[trouble]
    issuer.answers[path] = answer
    caller, began = issuer.caller(), time.monotonic()
    first, second = caller.get(READ), caller.get(READ)

    assert time.monotonic() - began < 3
    for refusal in (first, second):
        assert refused(refusal)[:2] == (503, "issuer_unavailable")
        assert refusal["Retry-After"] == "10"
    assert issuer.requests.count(DISCOVERY) == 1


def test_keys_of_a_document_that_names_another_issuer_are_not_read(issuer):
    document = {"issuer": "https://x.example", "jwks_uri": f"{issuer.url}{KEYS}"}
    issuer.answers[DISCOVERY] = (200, {}, document)

    assert refused(issuer.caller().get(READ))[:2] == (503, "issuer_unavailable")
    assert issuer.requests == [DISCOVERY]


@pytest.mark.parametrize(("longest", "status"), [(3.0, 200), (0.3, 503)])
def test_both_documents_of_the_issuer_share_one_time(issuer, longest, status, monkeypatch):
    """Each of them takes less than the time."""
    monkeypatch.setattr(api_issuer_keys, "LONGEST_READ_SECONDS", longest)
    issuer.pause = 0.2
    assert issuer.caller().get(READ).status_code == status


def test_issuer_that_comes_back_is_asked_after_ten_seconds(issuer, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    issuer.answers[DISCOVERY] = fail
    before = issuer.caller().get(READ).status_code
    issuer.answers.clear()
    time_machine.shift(11)

    assert (before, issuer.caller().get(READ).status_code) == (503, 200)


def test_known_keys_work_while_the_issuer_is_away(issuer, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    issuer.caller().get(READ)
    issuer.answers[DISCOVERY] = fail
    time_machine.shift(api_issuer_keys.KEPT_SECONDS - 60)
    before = issuer.caller().get(READ).status_code
    time_machine.shift(120)

    assert before == 200
    assert refused(issuer.caller().get(READ))[:2] == (503, "issuer_unavailable")


def test_issuer_is_asked_by_https_only_outside_the_demo(issuer, settings):
    settings.DEMO = False

    assert refused(issuer.caller().get(READ))[:2] == (503, "issuer_unavailable")
    assert issuer.requests == []


def test_program_is_revoked_like_a_key(issuer):
    caller = issuer.caller()
    program = stored_program(issuer)
    revoke_key(api_key=program, by=UserFactory(staff=True), now=timezone.now())

    assert refused(caller.get(READ)) == (401, "key_unknown", "This program was revoked.")
    assert issuer.caller(sub="another").get(READ).status_code == 200


def stored_program(issuer, **changed):
    """Make a change, which stores the program."""
    caller = issuer.caller(scope="provider:accounts:write provider:partners:read", **changed)
    assert caller.post("/provider/accounts", ACCOUNT).status_code in {200, 201}
    return ApiKey.objects.get()


@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "x"}])
@pytest.mark.parametrize(
    ("scope", "path", "body", "status"),
    [
        ("provider:partners:read", "/provider/accounts", ACCOUNT, 403),
        ("provider:accounts:write", "/webhooks", {}, 403),
        ("provider:accounts:write", "/provider/accounts", {}, 422),
        ("provider:accounts:write", "/provider/accounts", TAKEN, 409),
        ("provider:facts:write", "/provider/facts?dry_run=true", LINE, 200),
    ],
)
def test_call_that_does_nothing_stores_nothing(issuer, headers, scope, path, body, status):
    CustomerAccountFactory(external_id="taken", owner__email="bob@example.org")
    before = tables()
    caller = issuer.caller(scope=scope)
    content_type = "application/x-ndjson" if body is LINE else "application/json"
    answer = caller.client.post(
        f"{API}{path}",
        json.dumps(body),
        content_type=content_type,
        headers=caller.headers(**headers),
    )

    assert answer.status_code == status
    assert tables() == before


def test_first_change_with_a_key_is_done_once(issuer):
    caller = issuer.caller(scope="provider:accounts:write")
    found = [caller.post("/provider/accounts", ACCOUNT, Idempotency_Key="x") for _ in range(2)]

    assert [answer.status_code for answer in found] == [201, 201]
    assert found[1]["Idempotent-Replayed"] == "true"
    assert ApiKey.objects.count() == 1


def test_program_has_one_row_and_acts_as_its_own_user(issuer):
    for _ in range(2):
        program = stored_program(issuer)

    assert (program.name, program.issuer, program.subject) == ("billing", issuer.url, "billing")
    assert (program.user.kind, program.user.is_active) == (UserKind.PROVIDER_PROGRAM, False)
    assert program.user.account_name.startswith("api-key:billing-")
    event = AuditEvent.objects.get(action="api_key.created")
    assert (event.actor, event.after["issuer"], event.after["subject"]) == (
        None,
        issuer.url,
        "billing",
    )


def test_calls_with_tokens_are_limited_by_their_program(issuer, settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "provider_api": (2, 60)}
    found = [issuer.caller().get(READ).status_code for _ in range(3)]

    assert found == [200, 200, 429]
    assert issuer.caller(sub="another").get(READ).status_code == 200


def test_wrong_tokens_are_limited_as_unknown_keys_are(issuer, settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "api_unknown_key": (2, 60)}
    wrong = issuer.caller(aud="https://elsewhere.example")

    assert [wrong.get(READ).status_code for _ in range(3)] == [401, 401, 429]
    assert issuer.caller().get(READ).status_code == 200


def test_partner_keys_need_no_issuer(issuer):
    issuer.answers[DISCOVERY] = fail

    assert Caller(PartnerFactory()).get("/events").status_code == 200


def test_keys_with_secrets_make_room_beside_programs(issuer):
    stored_program(issuer)
    program = ApiKey.objects.get()

    assert list(ApiKey.objects.with_secret()) == []
    assert program in ApiKey.objects.live(timezone.now() + timedelta(days=4_000))
