"""Every page of the admin: opens, writes nothing, hides what is secret, costs the same for more."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import ConnectedLogin, User, VerificationCode
from association.models import (
    Association,
    Attempt,
    Authorization,
    Budget,
    BudgetAlert,
    BudgetRequest,
    Consent,
    EndRequest,
    LegalDocument,
    PartnerMessage,
    PartnerTold,
    ResumeEmail,
    ResumeReminder,
)
from audit.admin import EvidenceAdmin
from audit.models import AuditEvent
from integration.models import ApiKey, IdempotentAnswer, WebhookDelivery, WebhookEndpoint
from outbox.models import Event, OutboxMessage, Suppression
from outbox.services.events import publish
from partners.models import Invitation, InvitationRequest, Partner, PartnerMember
from tests import factories as typed_factories
from tests.integration.calls import make_key
from tests.integration.webhooks import make_delivery
from tests.tables import tables

# The checker takes a factory for what it makes.
factories: Any = typed_factories

pytestmark = pytest.mark.django_db

SECRETS = ("nonce-", "browser-", "totp-secret-", "token-of-")
HOSTILE_QUERIES = (
    "q=%00",
    "q=a%00b",
    "state=%00",
    "state=nobody",
    "p=99999999999999999999999",
    "p=-1",
    "p=x",
    "o=99.-99.x",
    "all=",
    "q=%27%22%3Cscript%3E&e=1",
    "_popup=1&_to_field=%00",
    "_facets=1",
)


def make_user() -> User:
    return factories.UserFactory()


def make_code(number: int = 0) -> VerificationCode:
    now = timezone.now()
    return VerificationCode.objects.create(
        email=f"code{number}@example.org",
        purpose="register",
        flow=f"browser-{number}",
        nonce=f"nonce-{number}",
        sent_at=now,
        expires_at=now + timedelta(minutes=10),
    )


def make_message(**fields: Any) -> OutboxMessage:
    now = timezone.now()
    number = OutboxMessage.objects.count()
    return OutboxMessage.objects.create(
        **{
            "kind": "accounts.registered",
            "recipient": f"mailed{number}@example.org",
            "language": "en",
            "about_label": "accounts.user",
            "about_id": "1",
            "data": {"note": "token-of-message"},
            "message_id": f"<{number}@mail.example>",
            "created_at": now,
            "deadline_at": now,
            "next_try_at": now,
            "last_error": "550 refused mailed@example.org",
            **fields,
        }
    )


def make_event() -> AuditEvent:
    return AuditEvent.objects.create(
        occurred_at=timezone.now(),
        actor=factories.UserFactory(),
        action="invitation.created",
        object_label="partners.invitation",
        object_id="1",
        before={"recipient": "before@example.org"},
        after={"recipient": "after@example.org"},
    )


def make_document() -> LegalDocument:
    version = LegalDocument.objects.count() + 2
    return LegalDocument.objects.create(
        kind="instructions", language="en", version=version, title="Instructions", body="Text"
    )


def make_attempt() -> Attempt:
    now = timezone.now()
    invitation: Any = make_invitation()
    return Attempt.objects.create(
        invitation=invitation,
        partner=invitation.partner,
        browser_hash=f"browser-{Attempt.objects.count()}",
        language="en",
        started_at=now,
        account=factories.CustomerAccountFactory(),
        entered_at=now,
        registration_email="proving@example.org",
    )


def make_association() -> Association:
    attempt: Any = make_attempt()
    return Association.objects.create(
        account=attempt.account,
        partner=attempt.invitation.partner,
        association_type="reseller",
        invitation=attempt.invitation,
        attempt=attempt,
        associated_at=attempt.started_at,
        coupons_pay_before=attempt.started_at,
        eligibility={"checks": []},
    )


def make_consent() -> Consent:
    return Consent.objects.create(
        account=factories.CustomerAccountFactory(),
        document=make_document(),
        agreed_at=timezone.now(),
    )


def make_budget() -> Budget:
    return Budget.objects.create(
        association=make_association(),
        amount=Decimal("10.00"),
        period="monthly",
        on_exhaustion="freeze",
        set_at=timezone.now(),
        set_by=factories.UserFactory(),
    )


def make_alert() -> BudgetAlert:
    budget: Any = make_budget()
    return BudgetAlert.objects.create(
        budget=budget, period_start=budget.set_at, threshold=75, alerted_at=timezone.now()
    )


def make_invitation() -> Invitation:
    return factories.InvitationFactory(email=True, created_by=factories.UserFactory())


def make_address() -> EmailAddress:
    return EmailAddress.objects.get(user=factories.UserFactory())


def make_authenticator() -> Authenticator:
    return Authenticator.objects.create(
        user=factories.UserFactory(), type="totp", data={"secret": "totp-secret-x"}
    )


ROWS: dict[Any, Callable[[], Any]] = {
    ConnectedLogin: factories.ConnectedLoginFactory,
    ApiKey: lambda: make_key(factories.PartnerFactory())[0],
    WebhookDelivery: lambda: make_delivery(factories.PartnerFactory()),
    WebhookEndpoint: lambda: make_delivery(factories.PartnerFactory()).endpoint,
    IdempotentAnswer: lambda: IdempotentAnswer.objects.create(
        api_key=make_key(factories.PartnerFactory())[0],
        idempotency_key="a",
        request_hash="0" * 64,
        created_at=timezone.now(),
    ),
    Association: make_association,
    Attempt: make_attempt,
    AuditEvent: make_event,
    Authenticator: make_authenticator,
    Authorization: lambda: Authorization.objects.create(
        association=make_association(), requested_at=timezone.now()
    ),
    Budget: make_budget,
    BudgetAlert: make_alert,
    BudgetRequest: lambda: BudgetRequest.objects.create(
        association=make_association(), asked_at=timezone.now(), asked_on=timezone.now().date()
    ),
    Consent: make_consent,
    EmailAddress: make_address,
    EndRequest: lambda: make_association().end_requests.create(
        asking_side="customer", reason="Too dear", asked_at=timezone.now()
    ),
    Group: lambda: Group.objects.create(name=f"Group {Group.objects.count()}"),
    Invitation: make_invitation,
    InvitationRequest: factories.InvitationRequestFactory,
    LegalDocument: make_document,
    Event: lambda: publish(
        kind="association.created", about=make_association(), partner_id=1, now=timezone.now()
    ),
    OutboxMessage: make_message,
    Suppression: lambda: Suppression.objects.create(
        address_hash=f"{Suppression.objects.count():064}",
        sender_label="partners.partner",
        sender_id="1",
        created_at=timezone.now(),
    ),
    PartnerMessage: lambda: PartnerMessage.objects.create(
        partner=factories.PartnerFactory(),
        account=factories.CustomerAccountFactory(),
        kind="reminder",
        attempt=make_attempt(),
        sent_at=timezone.now(),
    ),
    PartnerTold: lambda: PartnerTold.objects.create(
        account=factories.CustomerAccountFactory(),
        invitation=make_invitation(),
        told_at=timezone.now(),
    ),
    ResumeEmail: lambda: ResumeEmail.objects.create(
        account=factories.CustomerAccountFactory(),
        attempt=make_attempt(),
        sent_on=timezone.now().date(),
    ),
    ResumeReminder: lambda: ResumeReminder.objects.create(
        account=factories.CustomerAccountFactory(),
        invitation=factories.InvitationFactory(),
        reminded_at=timezone.now(),
    ),
    Partner: factories.PartnerFactory,
    PartnerMember: factories.PartnerMemberFactory,
    User: make_user,
    VerificationCode: lambda: make_code(VerificationCode.objects.count()),
    **{
        factory._meta.model: factory
        for factory in (
            factories.BatchRowFactory,
            factories.BillFactory,
            factories.BulkActionFactory,
            factories.BulkActionRowFactory,
            factories.CashExpenditureFactory,
            factories.ContractFactory,
            factories.CouponFactory,
            factories.CustomerAccountFactory,
            factories.DigestEntryFactory,
            factories.EnterpriseRelationFactory,
            factories.FreezeFactory,
            factories.InvitationBatchFactory,
            factories.MemberDigestFactory,
            factories.MemberInvitationFactory,
            factories.NotificationChoiceFactory,
            factories.PartnerLogoFactory,
            factories.ReservedInstanceFactory,
            factories.ResourceFactory,
            factories.SpendingFactory,
        )
    },
}
MODELS = sorted(ROWS, key=lambda model: model._meta.label)
EVIDENCE = {
    "accounts.ConnectedLogin",
    "integration.IdempotentAnswer",
    "integration.WebhookDelivery",
    "integration.WebhookEndpoint",
    "account.EmailAddress",
    "audit.AuditEvent",
    "accounts.Freeze",
    "outbox.Event",
    "outbox.OutboxMessage",
    "outbox.Suppression",
    "accounts.Spending",
    "accounts.VerificationCode",
    "association.Association",
    "association.Attempt",
    "association.Authorization",
    "association.Budget",
    "association.BudgetAlert",
    "association.BudgetRequest",
    "association.Consent",
    "association.EndRequest",
    "association.PartnerMessage",
    "association.PartnerTold",
    "association.ResumeEmail",
    "association.ResumeReminder",
    "partners.BatchRow",
    "partners.BulkAction",
    "partners.BulkActionRow",
    "partners.InvitationBatch",
    "partners.DigestEntry",
    "partners.InvitationRequest",
    "partners.MemberDigest",
    "partners.MemberInvitation",
    "partners.NotificationChoice",
    "partners.PartnerLogo",
}
TYPICAL = (AuditEvent, Invitation, User)
# Of models whose lists differ in nothing, .ci/run asks for all.
every_model = pytest.mark.parametrize(
    "model",
    [
        pytest.param(
            model, id=model._meta.label, marks=() if model in TYPICAL else pytest.mark.slow
        )
        for model in MODELS
    ],
)


def url(model: type[models.Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def superuser() -> Client:
    return client_of(factories.UserFactory(staff=True))


def test_every_model_of_the_apps_has_its_admin() -> None:
    ours = {
        m
        for label in ("accounts", "partners", "association", "integration")
        for m in apps.get_app_config(label).get_models()
    }
    assert ours <= set(admin.site._registry)
    assert set(MODELS) == set(admin.site._registry)


def test_evidence_is_known_as_such() -> None:
    pages = admin.site._registry.items()
    assert {
        model._meta.label for model, page in pages if isinstance(page, EvidenceAdmin)
    } == EVIDENCE


@every_model
def test_pages_open_and_write_nothing(superuser: Client, model: type[models.Model]) -> None:
    row = ROWS[model]()
    before = tables()
    page = admin.site._registry[model]
    answers = {
        "list": superuser.get(url(model, "changelist")).status_code,
        "change": superuser.get(url(model, "change", row.pk)).status_code,
        "history": superuser.get(url(model, "history", row.pk)).status_code,
        "add": superuser.get(url(model, "add")).status_code,
    }
    closed = isinstance(page, EvidenceAdmin) or model is Authenticator
    assert answers == {
        "list": 200,
        "change": 200,
        "history": 200,
        "add": 403 if closed else 200,
    }
    assert tables() == before


@pytest.mark.parametrize(
    "model",
    [model for model in MODELS if model._meta.label in EVIDENCE],
    ids=lambda model: model._meta.label,
)
def test_evidence_cannot_be_written(superuser: Client, model: type[models.Model]) -> None:
    row = ROWS[model]()
    before = tables()
    assert [
        superuser.post(url(model, "add"), {}).status_code,
        superuser.post(url(model, "change", row.pk), {}).status_code,
        superuser.post(url(model, "delete", row.pk), {"post": "yes"}).status_code,
    ] == [403, 403, 403]
    assert tables() == before


@pytest.mark.parametrize(
    "model",
    [
        factories.CustomerAccountFactory._meta.model,
        Group,
        Invitation,
        Partner,
        User,
    ],
    ids=lambda model: model._meta.label,
)
def test_what_history_hangs_on_cannot_be_deleted(
    superuser: Client, model: type[models.Model]
) -> None:
    row = ROWS[model]()
    assert superuser.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model._base_manager.filter(pk=row.pk).exists()


@every_model
def test_list_costs_the_same_for_three_rows(superuser: Client, model: type[models.Model]) -> None:
    ROWS[model]()
    superuser.get(url(model, "changelist"))
    with CaptureQueriesContext(
        connection,
    ) as one:
        superuser.get(url(model, "changelist"))
    ROWS[model]()
    ROWS[model]()
    with CaptureQueriesContext(connection) as three:
        superuser.get(url(model, "changelist"))
    assert len(three) == len(one) <= 9
    counts = [q["sql"] for q in three.captured_queries if "COUNT(" in q["sql"]]
    assert all("LIMIT" in sql for sql in counts), counts


@pytest.mark.slow
@every_model
def test_list_answers_whatever_is_in_the_address(
    superuser: Client, model: type[models.Model]
) -> None:
    ROWS[model]()
    page = admin.site._registry[model]
    queries = list(HOSTILE_QUERIES)
    if page.date_hierarchy:
        name = page.date_hierarchy
        queries += [
            f"{name}__year=x",
            f"{name}__year=99999999999999999999",
            f"{name}__year=9999&{name}__month=12&{name}__day=31",
            f"{name}__year=2024&{name}__month=13",
            f"{name}__gte=x",
        ]
    for query in queries:
        status = superuser.get(f"{url(model, 'changelist')}?{query}", follow=True).status_code
        assert status < 500, query
    for pk in ("0", "x", "99999999999999999999999999", "%00", "_00", "_5B"):
        path = url(model, "changelist") + f"{pk}/change/"
        assert superuser.get(path, follow=True).status_code < 500, pk
    for pk in ("x", "\0", "99999999999999999999999999", "-1"):
        for action in ("revoke", "freeze_account", "publish", "send_again", "nothing", "\0"):
            data = {"action": action, "_selected_action": pk}
            answer = superuser.post(url(model, "changelist"), data, follow=True)
            assert answer.status_code < 500, (pk, action)


@every_model
def test_no_page_shows_a_secret(superuser: Client, model: type[models.Model]) -> None:
    row = ROWS[model]()
    tokens = list(Invitation.objects.values_list("token", flat=True))
    hashes = list(User.objects.values_list("password", flat=True))
    for path in (
        url(model, "changelist"),
        url(model, "change", row.pk),
        url(model, "history", row.pk),
    ):
        body = superuser.get(path).content.decode()
        assert [secret for secret in (*SECRETS, *tokens, *hashes) if secret in body] == []


@every_model
def test_addresses_are_masked_without_the_permission(model: type[models.Model]) -> None:
    row = ROWS[model]()
    staff = factories.UserFactory(is_staff=True)
    rights = Permission.objects.exclude(codename="view_full_address")
    staff.user_permissions.set(rights)
    client = client_of(staff)
    for path in (
        url(model, "changelist"),
        url(model, "change", row.pk),
        url(model, "history", row.pk),
    ):
        body = client.get(path).content.decode()
        assert "@example.org" not in body.replace("…@example.org", ""), path


def test_addresses_are_shown_with_the_permission() -> None:
    event = make_event()
    staff = factories.UserFactory(is_staff=True)
    staff.user_permissions.set(
        Permission.objects.filter(codename__in=["view_full_address", "view_auditevent"])
    )
    body = client_of(staff).get(url(AuditEvent, "change", event.pk)).content.decode()
    assert "before@example.org" in body


@every_model
def test_staff_without_permission_see_nothing(model: type[models.Model]) -> None:
    row = ROWS[model]()
    client = client_of(factories.UserFactory(is_staff=True))
    paths = [
        url(model, "changelist"),
        url(model, "add"),
        url(model, "change", row.pk),
        url(model, "history", row.pk),
        url(model, "delete", row.pk),
    ]
    assert {client.get(path).status_code for path in paths} == {403}


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Invitation, "token__startswith=a"),
        (Invitation, "recipient__startswith=a"),
        (User, "password__startswith=a"),
        (User, "email__startswith=a"),
        (VerificationCode, "nonce__startswith=a"),
        (Attempt, "browser_hash__startswith=a"),
        (Attempt, "invitation__token__startswith=a"),
        (Authenticator, "data__startswith=a"),
        (AuditEvent, "after__recipient__startswith=a"),
    ],
)
def test_what_is_hidden_cannot_be_guessed_by_filter(
    superuser: Client, model: type[models.Model], query: str
) -> None:
    assert superuser.get(f"{url(model, 'changelist')}?{query}").status_code == 403


def test_search_finds_a_whole_address_and_no_part_of_it(superuser: Client) -> None:
    user = factories.UserFactory(email="somebody@example.net")
    path = url(User, "changelist")
    assert user.account_name in superuser.get(path, {"q": "Somebody@example.net"}).content.decode()
    assert user.account_name not in superuser.get(path, {"q": "somebody@"}).content.decode()


@pytest.mark.parametrize("field", ["account", "partner"])
def test_autocomplete_answers_whatever_is_asked(superuser: Client, field: str) -> None:
    factories.CustomerAccountFactory(owner__account_name="c-found")
    factories.PartnerFactory(name="c-found")
    path = reverse("admin:autocomplete")
    asked = {"app_label": "association", "model_name": "association", "field_name": field}
    found = superuser.get(path, {**asked, "term": "c-fou"})
    assert [row["text"] for row in json.loads(found.content)["results"]] == ["c-found"]
    assert superuser.get(path, {**asked, "term": "\0"}).status_code == 400


def test_action_is_refused_without_its_permission() -> None:
    association = make_association()
    staff = factories.UserFactory(is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename="view_association"))
    data = {"action": "end", "_selected_action": association.pk, "confirmed": "1", "reason": "x"}
    client_of(staff).post(url(Association, "changelist"), data)
    association.refresh_from_db()
    assert association.ended_at is None
