"""The provider freezes a partner and unfreezes it: what is stored, who is told, who may do it."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from association.services.invariants.trail import trail_equals_state
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from outbox.services.rendering import Stale
from partners.enums import PartnerRefusal
from partners.models import Partner
from partners.services.partner_freezes import freeze_partner, shown_freeze, unfreeze_partner
from tests.factories import FROZEN, PartnerFactory, PartnerMemberFactory, UserFactory
from tests.reading_mails import links, only_in_text, write
from tests.shown_forms import confirm_action, version_of
from tests.tables import tables
from web.refused import Refused
from web.shown_versions import ChangedMeanwhile, ShownVersion

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ADMIN = "/admin/partners/partner/"
PARTNER_TERMS = {"name": "Nimbus", "time_zone": "Europe/Dublin"}


@pytest.fixture
def admin():
    return UserFactory.create(staff=True)


@pytest.fixture
def partner():
    partner = PartnerFactory.create(**PARTNER_TERMS)
    PartnerMemberFactory.create(partner=partner, administrator=True)
    PartnerMemberFactory.create(partner=partner)
    return partner


def freeze(partner, admin, reason="Complaints", now=NOW, **options):
    return freeze_partner(partner=partner, reason=reason, by=admin, now=now, **options)


def unfreeze(partner, admin, reason="All clear", now=NOW, **options):
    return unfreeze_partner(partner=partner, reason=reason, by=admin, now=now, **options)


def messages(kind):
    return OutboxMessage.objects.filter(kind=kind).order_by("pk")


def rewrite(message, about):
    return write(message.kind, about, message.data)


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def test_freeze_keeps_when_who_and_why_and_unfreezing_removes_it(partner, admin):
    frozen = freeze(partner, admin)
    partner.refresh_from_db()
    assert partner == frozen
    assert partner.is_frozen
    assert (partner.frozen_at, partner.frozen_by) == (NOW, admin)
    assert partner.frozen_reason == "Complaints"
    unfreeze(partner, admin, now=NOW + timedelta(days=1))
    partner.refresh_from_db()
    assert not partner.is_frozen
    assert (partner.frozen_at, partner.frozen_by, partner.frozen_reason) == (None, None, "")


def test_each_has_one_audit_event_and_the_trail_equals_the_state(partner, admin):
    freeze(partner, admin, reason="Ask ada@example.org")
    assert list(trail_equals_state()) == []
    unfreeze(partner, admin)
    assert list(trail_equals_state()) == []
    frozen, unfrozen = AuditEvent.objects.order_by("pk")
    assert (frozen.action, frozen.actor, frozen.occurred_at) == ("partner.frozen", admin, NOW)
    assert (frozen.before["status"], frozen.after["status"]) == ("normal", "frozen")
    assert frozen.after["frozen_by"] == admin.pk
    assert "ada@example.org" not in frozen.after["frozen_reason"]
    assert (unfrozen.action, unfrozen.after["status"]) == ("partner.unfrozen", "normal")
    assert unfrozen.before["frozen_reason"] == frozen.after["frozen_reason"]
    assert unfrozen.after["unfreeze_reason"] == "All clear"


def test_every_active_member_of_this_partner_is_told_in_their_language(partner, admin):
    PartnerMemberFactory.create(partner=partner, user__is_active=False)
    PartnerMemberFactory.create(administrator=True)
    boss, manager = partner.members.filter(user__is_active=True).order_by("pk")
    manager.user.language = "de"
    manager.user.save()
    freeze(partner, admin)
    unfreeze(partner, admin)
    told = [(boss.user.email, "en"), (manager.user.email, "de")]
    for kind in ("partners.frozen", "partners.unfrozen"):
        assert sorted(messages(kind).values_list("recipient", "language")) == sorted(told)


@pytest.mark.parametrize(
    ("before", "act", "code"),
    [
        ({"frozen": True}, freeze, PartnerRefusal.FROZEN_ALREADY),
        ({}, unfreeze, PartnerRefusal.NOT_FROZEN),
    ],
)
def test_a_second_time_is_refused_and_tells_nobody(before, act, code, admin):
    partner = PartnerMemberFactory.create(partner=PartnerFactory.create(**before)).partner
    stored = tables()
    with pytest.raises(Refused) as refused:
        act(partner, admin)
    assert refused.value.code == code
    assert tables() == stored


def test_freeze_of_which_the_page_knew_nothing_is_a_conflict(partner, admin):
    shown = ShownVersion.of(shown_freeze(partner))
    freeze(partner, admin)
    with pytest.raises(ChangedMeanwhile):
        freeze(partner, admin, reason="Other", shown_version=shown)
    # Equal to what was shown: the freeze and its end have left nothing that the page did not show.
    unfreeze(partner, admin)
    assert freeze(partner, admin, shown_version=shown).is_frozen


def test_another_freeze_than_the_shown_one_is_not_lifted(partner, admin):
    shown = ShownVersion.of(shown_freeze(freeze(partner, admin)))
    unfreeze(partner, admin)
    freeze(partner, admin, now=NOW + timedelta(microseconds=1))
    with pytest.raises(ChangedMeanwhile):
        unfreeze(partner, admin, shown_version=shown)
    shown = ShownVersion.of(shown_freeze(Partner.objects.get()))
    unfreeze(partner, admin)
    # The very same moment and reason: what the page shows is what is lifted.
    freeze(partner, admin)
    assert not unfreeze(partner, admin, shown_version=shown).is_frozen


def test_other_changes_of_the_partner_are_no_conflict(partner, admin):
    shown = ShownVersion.of(shown_freeze(partner))
    Partner.objects.update(name="Cumulus")
    assert freeze(partner, admin, shown_version=shown).name == "Cumulus"


def test_unfreezing_is_never_dated_before_the_freeze(partner, admin):
    freeze(partner, admin)
    unfreeze(partner, admin, now=NOW - timedelta(seconds=1))
    assert AuditEvent.objects.get(action="partner.unfrozen").occurred_at == NOW


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "frozen"},
        {"frozen_at": NOW},
        {"frozen_reason": "Complaints"},
        {**FROZEN, "status": "normal"},
        {**FROZEN, "frozen_at": None},
    ],
)
def test_the_database_keeps_a_freeze_and_its_moment_together(partner, fields):
    with pytest.raises(IntegrityError, match="partner_is_frozen_since_a_moment"):
        Partner.objects.update(**fields)


# --- the e-mails


def test_e_mail_about_the_freeze_says_who_when_why_what_works_and_whom_to_ask(
    partner, admin, settings
):
    settings.PROVIDER_SUPPORT_EMAIL = "help@provider.example"
    freeze(partner, admin, reason="Complaints <b>")
    email = rewrite(messages("partners.frozen")[0], partner)
    assert email.subject == "Example Cloud has frozen Nimbus"
    assert email.speaker.name == "Example Cloud"
    assert "On 2 March 2026, 09:30 GMT Example Cloud froze your organisation Nimbus." in email.text
    assert "> Complaints <b>" in email.text
    assert "Complaints &lt;b&gt;" in email.html
    for text in (
        "You can read everything, set budgets, unfreeze customers and answer requests to end.",
        "You cannot invite customers, freeze them or request authorizations.",
        "Nor can you order or operate anything for them, even with their authorization.",
        "your invitations cannot be followed",
        "and not the reason",
        "help@provider.example",
    ):
        assert text in email.text
    assert admin.email not in email.text + email.html
    assert admin.account_name not in email.text + email.html
    assert links(email) == {"/partner/"}
    assert only_in_text(email) <= {"Complaints <b>"}


def test_e_mail_about_the_end_of_the_freeze_says_who_when_why_and_what_to_do(partner, admin):
    freeze(partner, admin)
    unfreeze(partner, admin)
    partner.refresh_from_db()
    email = rewrite(messages("partners.unfrozen")[0], partner)
    assert email.subject == "Example Cloud has unfrozen Nimbus"
    assert "On 2 March 2026, 09:30 GMT Example Cloud unfroze your organisation" in email.text
    assert "> All clear" in email.text
    assert "You can invite customers, freeze them and request authorizations again." in email.text
    assert links(email) == {"/partner/"}
    assert only_in_text(email) == set()


def test_freeze_from_before_reasons_were_stored_is_told_without_one(admin):
    partner = PartnerFactory.create(**{**FROZEN, "frozen_reason": ""})
    email = write("partners.frozen", partner, {"frozen_at": partner.frozen_at.isoformat()})
    assert "The reason given" not in email.text + email.html


def test_what_is_over_is_not_told_any_more(partner, admin):
    freeze(partner, admin)
    unfreeze(partner, admin)
    frozen, unfrozen = messages("partners.frozen")[0], messages("partners.unfrozen")[0]
    with pytest.raises(Stale, match=r"^no longer frozen$"):
        rewrite(frozen, partner)
    freeze(partner, admin, now=NOW + timedelta(hours=1))
    with pytest.raises(Stale, match=r"^no longer frozen$"):
        rewrite(frozen, partner)
    with pytest.raises(Stale, match=r"^frozen again$"):
        rewrite(unfrozen, partner)


# --- the admin


def chosen(partner, action, **values):
    return {"_selected_action": partner.pk, "action": action, **values}


def shown_messages(page):
    return [str(message) for message in page.context["messages"]]


def test_the_admin_says_what_will_happen_and_who_reads_the_reason(partner, admin):
    client = client_of(admin)
    page = client.post(ADMIN, chosen(partner, "freeze_partner")).content.decode()
    assert "Its members cannot invite customers, freeze them or request authorizations." in page
    assert "The members of the partner read it, in the console and in an e-mail." in page
    assert "Its customers do not." in page
    assert not Partner.objects.get().is_frozen
    listed = confirm_action(
        client, ADMIN, chosen(partner, "freeze_partner", reason="Complaints"), follow=True
    )
    assert shown_messages(listed) == ["Freeze the partner: done for Nimbus."]
    assert Partner.objects.get().frozen_by == admin
    listed = confirm_action(
        client, ADMIN, chosen(partner, "unfreeze_partner", reason="Clear"), follow=True
    )
    assert shown_messages(listed) == ["Unfreeze the partner: done for Nimbus."]
    assert (messages("partners.frozen").count(), messages("partners.unfrozen").count()) == (2, 2)


@pytest.mark.parametrize("action", ["freeze_partner", "unfreeze_partner"])
def test_the_admin_asks_for_a_reason(action, admin):
    partner = PartnerFactory.create(frozen=action == "unfreeze_partner")
    client = client_of(admin)
    before = tables()
    for reason in ("", "x" * 257):
        page = confirm_action(client, ADMIN, chosen(partner, action, reason=reason))
        assert page.status_code == 400
    assert tables() == before


def test_the_admin_answers_a_repeated_freeze_with_a_sentence(admin):
    partner = PartnerFactory.create(frozen=True, name="Nimbus")
    listed = confirm_action(
        client_of(admin), ADMIN, chosen(partner, "freeze_partner", reason="Again"), follow=True
    )
    [sentence] = shown_messages(listed)
    assert sentence.startswith("Nimbus: The partner had been frozen already.")


def test_out_of_date_page_is_409_and_says_who_froze_when_and_why(partner, admin):
    client, colleague = client_of(admin), UserFactory.create(staff=True)
    page = client.post(ADMIN, chosen(partner, "freeze_partner"))
    with time_machine.travel(NOW, tick=False):
        freeze(partner, colleague, reason="Abuse")
    sent = chosen(partner, "freeze_partner", reason="Complaints", confirmed="1")
    answer = client.post(ADMIN, {**version_of(page), **sent})
    assert answer.status_code == 409
    text = answer.content.decode()
    assert (
        f"Nimbus: {colleague.account_name} froze it on 2 March 2026, 09:30 UTC (“Abuse”)." in text
    )
    assert 'value="Complaints"' in text
    assert messages("partners.frozen").count() == 2

    page = client.post(ADMIN, chosen(partner, "unfreeze_partner"))
    unfreeze(partner, colleague, reason="Cleared")
    sent = chosen(partner, "unfreeze_partner", reason="Mine", confirmed="1")
    answer = client.post(ADMIN, {**version_of(page), **sent})
    assert answer.status_code == 409
    assert f"Nimbus: {colleague.account_name} unfroze it on " in answer.content.decode()
    assert "(“Cleared”)" in answer.content.decode()


def test_the_status_is_not_typed(partner, admin):
    client, address = client_of(admin), reverse("admin:partners_partner_change", args=[partner.pk])
    freeze(partner, admin)
    page = client.get(address)
    fields = page.context["adminform"].form.fields
    assert fields.keys().isdisjoint({"status", "frozen_at", "frozen_by", "frozen_reason"})
    assert "Complaints" in page.content.decode()
    typed = {**version_of(page), "status": "normal", "name": "Nimbus", "slug": partner.slug}
    typed |= {"legal_name": "Nimbus Ltd.", "country": "IE", "time_zone": "UTC"}
    typed |= {"csv_separator": "comma"}
    typed |= {"support_email": "help@nimbus.example", "allows_reseller": "on"}
    assert client.post(address, typed).status_code == 302
    partner.refresh_from_db()
    assert (partner.time_zone, partner.status) == ("UTC", "frozen")


def send_freeze(client, partner):
    """Confirm the freeze with the version that its page would show."""
    version = str(ShownVersion.of(shown_freeze(partner)))
    sent = chosen(partner, "freeze_partner", reason="Mine", confirmed="1", shown_version=version)
    return client.post(ADMIN, sent)


@pytest.mark.parametrize(
    ("permission", "is_frozen"),
    [("view_partner", False), ("change_partnermember", False), ("change_partner", True)],
)
def test_staff_freeze_with_the_permission_to_change_partners_alone(partner, permission, is_frozen):
    user = UserFactory.create(is_staff=True)
    codenames = {"view_partner", permission}
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    send_freeze(client_of(user), partner)
    assert Partner.objects.get().is_frozen is is_frozen
    assert OutboxMessage.objects.exists() is is_frozen


def test_members_customers_and_strangers_freeze_nobody(partner):
    boss = partner.members.get(role="administrator").user
    for client in (client_of(boss), client_of(UserFactory.create()), Client()):
        assert send_freeze(client, partner).status_code in {302, 403, 404}
    assert not Partner.objects.get().is_frozen
    assert not OutboxMessage.objects.exists()


def test_freeze_that_waited_for_an_unfreeze_comes_after_it(partner, admin):
    freeze(partner, admin)
    unfreeze(partner, admin, now=NOW + timedelta(seconds=1))
    assert freeze(partner, admin).frozen_at == NOW + timedelta(seconds=1)
