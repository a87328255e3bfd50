"""Partners: what the provider's programs see of them, and do with them."""

import pytest

from association.services.invariants.trail import trail_equals_state
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.models import MemberInvitation, Partner
from tests.factories import PartnerFactory, PartnerMemberFactory, UserFactory, make_associated
from tests.integration.calls import ProviderCaller
from web.email_addresses import mask_addresses

pytestmark = pytest.mark.django_db
NEW = {
    "slug": "north",
    "name": "North Cloud",
    "legal_name": "North Cloud Ltd",
    "country": "DE",
    "support_email": "help@north.example",
    "administrator": "Ada@North.example",
}


def problem(answer):
    return answer.status_code, answer.json()["code"]


def fields_of(answer):
    assert problem(answer) == (422, "fields_invalid")
    return [(row["field"], row["code"]) for row in answer.json()["fields"]]


def test_partner_is_shown():
    partner = PartnerFactory(name="North Ltd", slug="north", country="DE", allows_referral=True)
    shown = ProviderCaller().get(f"/provider/partners/{partner.pk}")

    assert shown.status_code == 200
    assert shown.json() == {
        "id": str(partner.pk),
        "slug": "north",
        "name": "North Ltd",
        "legal_name": partner.legal_name,
        "country": "DE",
        "support_email": partner.support_email,
        "support_phone": "",
        "time_zone": "UTC",
        "association_types": ["reseller", "referral"],
        "status": "normal",
        "frozen_at": None,
        "frozen_reason": "",
        "created_at": partner.created_at.isoformat().replace("+00:00", "Z"),
    }


def test_list_is_read_in_pages_the_oldest_first():
    partners = PartnerFactory.create_batch(3)
    caller = ProviderCaller()
    first = caller.get("/provider/partners", limit=2)
    second = caller.client.get(first.json()["next"], headers=caller.headers())

    found = [row["id"] for page in (first, second) for row in page.json()["items"]]
    assert found == [str(partner.pk) for partner in partners]
    assert second.json()["next"] is None


def test_partner_is_found_by_its_short_name():
    PartnerFactory.create_batch(2)
    partner = PartnerFactory(slug="north")
    items = ProviderCaller().get("/provider/partners", slug="north").json()["items"]

    assert [row["id"] for row in items] == [str(partner.pk)]


def test_partner_is_added_with_its_first_administrator():
    caller = ProviderCaller()
    more = {"time_zone": "dublin", "association_types": ["referral", "reseller"]}
    added = caller.post("/provider/partners", {**NEW, **more})
    partner = Partner.objects.get()
    invitation = MemberInvitation.objects.get()

    assert added.status_code == 201
    assert added.json() == caller.get(f"/provider/partners/{partner.pk}").json()
    assert (partner.slug, partner.time_zone) == ("north", "Europe/Dublin")
    assert (partner.allows_reseller, partner.allows_referral) == (True, True)
    assert (invitation.partner, invitation.address, invitation.role) == (
        partner,
        "ada@north.example",
        "administrator",
    )
    assert OutboxMessage.objects.get().kind == "partners.member_invitation"
    event = AuditEvent.objects.get(action="partner.added")
    assert (event.actor, event.after["slug"], event.after["country"]) == (
        caller.key.user,
        "north",
        "DE",
    )
    assert event.after["support_email"] == mask_addresses(NEW["support_email"])


def test_audit_trail_equals_what_became_of_the_partner():
    caller = ProviderCaller()
    path = f"/provider/partners/{caller.post('/provider/partners', NEW).json()['id']}"
    caller.patch(path, {"country": "IE", "support_email": "desk@north.example"})
    caller.post(f"{path}/freeze", {"reason": "x"})

    assert AuditEvent.objects.filter(object_label="partners.partner").count() == 3
    assert list(trail_equals_state()) == []


def test_partner_is_a_reseller_unless_it_is_said():
    ProviderCaller().post("/provider/partners", NEW)
    partner = Partner.objects.get()

    assert (partner.allows_reseller, partner.allows_referral) == (True, False)


def test_same_call_again_adds_one_partner():
    caller = ProviderCaller()
    answers = [
        caller.post("/provider/partners", NEW, Idempotency_Key="north") for _number in range(2)
    ]

    assert answers[0].json() == answers[1].json()
    assert answers[1]["Idempotent-Replayed"] == "true"
    assert (Partner.objects.count(), MemberInvitation.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("slug", "north cloud", "invalid"),
        ("slug", "NORTH", "invalid"),
        ("slug", "n\u00f6rth", "invalid"),
        ("slug", "x" * 51, "string_too_long"),
        ("name", " ", "required"),
        ("country", "ZZ", "invalid_choice"),
        ("support_email", "help", "invalid"),
        ("time_zone", "Mars/Olympus", "invalid"),
        ("association_types", [], "too_short"),
        ("association_types", ["other"], "enum"),
        ("administrator", "ada", "invalid"),
        ("status", "frozen", "unknown"),
    ],
)
def test_wrong_field_is_named(field, value, code):
    answer = ProviderCaller().post("/provider/partners", {**NEW, field: value})

    named = [(name.split(".")[0], found) for name, found in fields_of(answer)]
    assert named == [(field, code)]
    assert not Partner.objects.exists()


def test_short_name_is_taken_once():
    PartnerFactory(slug="north")
    answer = ProviderCaller().post("/provider/partners", NEW)

    assert fields_of(answer) == [("slug", "unique")]
    assert not MemberInvitation.objects.exists()


def test_administrator_acts_for_no_other_partner_and_is_no_customer():
    member = PartnerMemberFactory(user=UserFactory(email="ada@north.example"))
    customer = make_associated()
    caller = ProviderCaller()
    before = Partner.objects.count()
    answers = [
        caller.post("/provider/partners", {**NEW, "administrator": user.email})
        for user in (member.user, customer.account.owner)
    ]

    assert [fields_of(answer) for answer in answers] == [
        [("administrator", "acts_for_a_partner")],
        [("administrator", "is_a_customer")],
    ]
    assert Partner.objects.count() == before


def test_partner_is_changed():
    partner = PartnerFactory(name="North", country="DE", support_phone="1")
    caller = ProviderCaller()
    changes = {"legal_name": "North SE", "country": "IE", "association_types": ["referral"]}
    changed = caller.patch(f"/provider/partners/{partner.pk}", changes)

    shown = changed.json()
    assert changed.status_code == 200
    assert {name: shown[name] for name in changes} == changes
    assert (shown["name"], shown["support_phone"]) == ("North", "1")
    event = AuditEvent.objects.get(action="partner.settings_changed")
    assert (event.actor, event.acted_for) == (caller.key.user, None)
    assert (event.before["country"], event.after["country"]) == ("DE", "IE")


def test_name_that_imitates_is_refused():
    PartnerFactory(name="North Cloud")
    other = PartnerFactory()
    answer = ProviderCaller().patch(f"/provider/partners/{other.pk}", {"name": "NORTH-CLOUD"})

    assert problem(answer) == (409, "name_taken")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("N\u00d6RTH-cloud", "name_taken"),
        ("South Ltd.", "name_taken"),
        ("My Example-Cloud", "name_of_provider"),
        ("N\u043erth", "name_mixes_alphabets"),
    ],
)
def test_new_partner_takes_no_name_that_imitates(name, code):
    PartnerFactory(name="North Cloud", legal_name="South Ltd")
    answer = ProviderCaller().post("/provider/partners", {**NEW, "name": name})

    assert problem(answer) == (409, code)
    assert (Partner.objects.count(), MemberInvitation.objects.count()) == (1, 0)


def test_partner_is_frozen_and_unfrozen():
    partner = PartnerFactory()
    PartnerMemberFactory(partner=partner, administrator=True)
    caller = ProviderCaller()
    path = f"/provider/partners/{partner.pk}"
    frozen = caller.post(f"{path}/freeze", {"reason": "The contract has ended."})
    again = caller.post(f"{path}/freeze", {"reason": "Once more."})
    unfrozen = caller.post(f"{path}/unfreeze", {"reason": "It goes on."})

    assert (frozen.json()["status"], frozen.json()["frozen_reason"]) == (
        "frozen",
        "The contract has ended.",
    )
    assert problem(again) == (409, "partner_frozen_already")
    assert (unfrozen.json()["status"], unfrozen.json()["frozen_at"]) == ("normal", None)
    assert problem(caller.post(f"{path}/unfreeze", {"reason": "x"})) == (409, "partner_not_frozen")
    kinds = list(OutboxMessage.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["partners.frozen", "partners.unfrozen"]
    assert AuditEvent.objects.get(action="partner.frozen").actor == caller.key.user
