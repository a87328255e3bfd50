"""A partner whom the provider has frozen: what its members may still do, and what pages say."""

from functools import partial

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import FreezeScope
from association.enums import AssociationRefusal, Side
from association.models import Association, Authorization
from association.services.authorizations import request_authorization
from association.services.customers import freeze_customer, set_budget
from association.services.endings import answer_end_request, ask_to_end
from partners.models import Partner
from partners.services.partner_freezes import freeze_partner
from tests.factories import (
    AttemptFactory,
    BatchRowFactory,
    InvitationBatchFactory,
    InvitationFactory,
    InvitationRequestFactory,
    PartnerFactory,
    PartnerMemberFactory,
    ResourceFactory,
    UserFactory,
    make_associated,
    mark_frozen,
)
from tests.shown_forms import version_of
from tests.tables import tables
from web.refused import Refused

pytestmark = pytest.mark.django_db

TERMS = {"amount": 10, "period": "monthly", "on_exhaustion": "freeze"}


@pytest.fixture(params=["reseller", "referral"])
def association(request):
    return frozen_partners(referral=request.param == "referral")


def frozen_partners(*, referral=False):
    invitation = InvitationFactory.create(referral=referral, partner__name="Nimbus")
    association = make_associated(invitation=invitation)
    mark_frozen(association.partner)
    return association


def member_of(association):
    return PartnerMemberFactory.create(partner=association.partner, administrator=True)


def client_of(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


def freeze(association, by):
    freeze_customer(
        association=association,
        scope=FreezeScope.ACCOUNT,
        reason="Late",
        by=by,
        now=timezone.now(),
    )


def test_its_members_neither_freeze_nor_request_and_the_provider_does():
    association, now = frozen_partners(), timezone.now()
    member = member_of(association).user
    with pytest.raises(Refused) as refused:
        freeze(association, member)
    assert refused.value.code == AssociationRefusal.PARTNER_FROZEN
    with pytest.raises(Refused) as refused:
        request_authorization(association=association, by=member, now=now)
    assert refused.value.code == AssociationRefusal.PARTNER_FROZEN
    assert not Authorization.objects.exists()
    freeze(association, UserFactory.create(is_staff=True))
    assert association.account.freezes.open().filter(cause="partner").exists()


def test_its_members_set_budgets_unfreeze_and_answer_requests_to_end():
    association, now = frozen_partners(), timezone.now()
    owner, member = association.account.owner, member_of(association).user
    set_budget(association=association, unfreeze=True, by=member, now=now, **TERMS)
    assert not association.account.freezes.open().exists()
    asked = ask_to_end(
        association=association, side=Side.CUSTOMER, reason="Frozen", by=owner, now=now
    )
    answer_end_request(
        end_request=asked, side=Side.PARTNER, agree=True, reason="", by=member, now=now
    )
    association.refresh_from_db()
    assert association.has_ended


PAGES = (
    *("overview", "invitations", "customers", "history", "members", "invitation_requests"),
    *("batches", "new_link", "new_email", "many_emails", "new_batch", "invite_member"),
)


@pytest.mark.parametrize("role", ["administrator", "manager"])
def test_every_page_of_its_console_says_since_when_why_and_whom_to_ask(role, settings):
    settings.PROVIDER_SUPPORT_EMAIL = "help@provider.example"
    partner = PartnerFactory.create(frozen=True, name="Nimbus", time_zone="Europe/Dublin")
    console = client_of(PartnerMemberFactory.create(partner=partner, role=role).user)
    pages = [name for name in PAGES if role == "administrator" or "member" not in name]
    for name in pages:
        page = console.get(reverse(f"console_{name}")).content.decode()
        shown = " ".join(page.split())
        assert "Example Cloud has frozen <bdi>Nimbus</bdi>" in shown, name
        assert "2 January 2026, 09:00 GMT" in shown
        assert "Reason: <bdi>Complaints about invitations</bdi>" in shown
        assert "set budgets, unfreeze customers and answer requests to end." in shown
        assert "You cannot invite customers, freeze them or request authorizations." in shown
        assert "order or operate anything for them, even with their authorization." in shown
        assert 'href="mailto:help@provider.example"' in shown.split("</section>")[0]


def test_console_of_a_partner_that_is_not_frozen_has_no_such_notice():
    console = client_of(PartnerMemberFactory.create(administrator=True).user)
    assert "has frozen" not in console.get(reverse("console_overview")).content.decode()


def test_its_members_are_not_offered_what_they_may_not_do():
    """Each page is read before the freeze too: then it offers all of it."""
    partner = PartnerFactory.create()
    boss = PartnerMemberFactory.create(partner=partner, administrator=True)
    console, offers = client_of(boss.user), offered_by(boss)
    for address, words in offers.items():
        page = " ".join(console.get(address).content.decode().split())
        assert [word for word in words if word not in page] == [], address
    mark_frozen(partner)
    for address, words in offers.items():
        page = " ".join(console.get(address).content.decode().split())
        assert [word for word in words if word in page] == [], address


def offered_by(boss):
    """Return what pages offer a member of a partner that is not frozen, by their addresses."""
    partner = boss.partner
    link = InvitationFactory.create(partner=partner, created_by=boss.user)
    email = InvitationFactory.create(partner=partner, email=True, expired=True)
    customer = make_associated(invitation=link)
    ResourceFactory.create(account=customer.account, status="running")
    asked = InvitationRequestFactory.create(invitation=link)
    batch = InvitationBatchFactory.create(partner=partner, email=True, draft=True, size=1)
    BatchRowFactory.create(batch=batch)
    to_resend, to_invite = attempts_refused(email, link)
    page = reverse
    return {
        page("console_overview"): [
            "New link",
            page("console_answer_invitation_request", args=[asked.pk]),
        ],
        page("console_invitations"): ["New link", "Invite by e-mail"],
        page("console_invitation", args=[link.pk]): ["Duplicate", ">Edit<"],
        page("console_invitation", args=[email.pk]): ["Send again"],
        page("console_batches"): ["Make many links"],
        page("console_mailing", args=[batch.pk]): ["Send 1 invitation", "Preview"],
        page("console_invitation_requests"): ["Send the invitation"],
        page("console_attempt", args=[to_resend.pk]): [">Send the invitation again<"],
        page("console_attempt", args=[to_invite.pk]): [">Send an online invitation<"],
        page("console_customer", args=[customer.pk]): [
            page("console_freeze", args=[customer.pk]),
            "Request authorization",
        ],
    }


def attempts_refused(email, link):
    """Return an attempt that its e-mail sent again would help, and one that an e-mail would."""
    make = partial(AttemptFactory.create, entered=True, refused=True)
    return (
        make(invitation=email, refusal_codes=["invitation_expired"]),
        make(invitation=link, refusal_codes=["existing_account_not_allowed"]),
    )


def test_pages_that_were_open_before_are_answered_409_and_nothing_is_written():
    partner = PartnerFactory.create()
    boss = PartnerMemberFactory.create(partner=partner, administrator=True)
    console = client_of(boss.user)
    sent = open_pages(boss)
    mark_frozen(partner)
    before = tables()
    for address, data in sent.items():
        assert console.post(address, data).status_code == 409, address
    assert tables() == before
    Partner.objects.update(status="normal", frozen_at=None, frozen_reason="")
    statuses = {address: console.post(address, data).status_code for address, data in sent.items()}
    assert statuses == dict.fromkeys(sent, 303)


def open_pages(boss):
    """Return forms that a member has open: each would invite, freeze or request."""
    partner, typed = boss.partner, {"label": "Fair", "association_type": "reseller"}
    link = InvitationFactory.create(partner=partner, created_by=boss.user)
    email = InvitationFactory.create(partner=partner, email=True)
    customer = make_associated(invitation=link)
    asked = InvitationRequestFactory.create(invitation=link)
    batch = InvitationBatchFactory.create(partner=partner, email=True, draft=True, size=1)
    BatchRowFactory.create(batch=batch)
    to_resend, to_invite = attempts_refused(
        InvitationFactory.create(partner=partner, email=True, expired=True), link
    )
    console, page = client_of(boss.user), reverse
    edit = page("console_edit_invitation", args=[link.pk])
    freezing = page("console_freeze", args=[customer.pk])
    one = {"recipient": "ada@example.org", "subject": "Come in", "action": "send"}
    return {
        page("console_new_link"): typed,
        page("console_new_email"): {**typed, **one},
        page("console_many_emails"): {**typed, "subject": "Come in", "people": "bob@example.org"},
        page("console_mailing", args=[batch.pk]): {"subject": "Come in", "action": "send"},
        page("console_new_batch"): {**typed, "label": "Box {n}", "size": "3"},
        edit: {**version_of(console.get(edit)), "label": "Other"},
        page("console_resend_invitation", args=[email.pk]): {},
        page("console_answer_invitation_request", args=[asked.pk]): {},
        page("console_follow_up", args=[to_resend.pk]): {"operation": "resend"},
        page("console_follow_up", args=[to_invite.pk]): {"operation": "send_online_invitation"},
        freezing: {**version_of(console.get(freezing)), "scope": "account", "reason": "Late"},
        page("console_request_authorization", args=[customer.pk]): {},
    }


def test_the_page_to_freeze_a_customer_says_why_that_is_not_possible():
    association = frozen_partners()
    console = client_of(member_of(association).user)
    page = console.get(reverse("console_freeze", args=[association.pk]))
    assert page.status_code == 200
    assert "The provider has frozen your organisation." in page.content.decode()
    assert 'name="reason"' not in page.content.decode()


def test_an_attempt_says_what_can_be_done_once_the_freeze_has_ended():
    boss = PartnerMemberFactory.create(administrator=True)
    email = InvitationFactory.create(partner=boss.partner, email=True, expired=True)
    to_resend, _ = attempts_refused(email, email)
    console, address = client_of(boss.user), reverse("console_attempt", args=[to_resend.pk])
    later = "What you can do once you are no longer frozen:"
    assert later not in console.get(address).content.decode()
    mark_frozen(boss.partner)
    assert later in console.get(address).content.decode()


def test_the_console_of_a_frozen_partner_does_not_ask_for_invitations():
    partner = PartnerFactory.create(frozen=True)
    console = client_of(PartnerMemberFactory.create(partner=partner, administrator=True).user)
    pushing = ("Welcome.", "New link", "Invite by e-mail", "Make a link")
    for name in ("overview", "invitations"):
        page = console.get(reverse(f"console_{name}")).content.decode()
        assert [words for words in pushing if words in page] == []


def test_its_customer_reads_what_goes_on(association):
    client = client_of(association.account.owner)
    page = client.get("/account/partner/").content.decode()
    assert "Example Cloud has frozen <bdi>Nimbus</bdi>" in page
    assert "Complaints about invitations" not in page
    assert "Your budget stays." not in page
    if association.is_reseller:
        set_budget(association=association, by=None, now=timezone.now(), **TERMS)
        assert "Your budget stays." in client.get("/account/partner/").content.decode()
    assert reverse("my_end") in page
    assert "Contact the support" not in page
    assert "What runs goes on running" not in page


def test_its_customer_with_resources_reads_what_costs_money_and_whom_to_ask(association, settings):
    settings.PROVIDER_SUPPORT_URL = "https://support.example/"
    resource = ResourceFactory.create(account=association.account, status="running")
    client = client_of(association.account.owner)
    page = client.get("/account/partner/").content.decode()
    assert "What runs goes on running and costing money." in page
    assert 'href="https://support.example/"' in page
    resource.status = "stopped"
    resource.save()
    assert "What runs goes on" not in client.get("/account/partner/").content.decode()


def test_a_freeze_of_the_partner_counts_from_its_commit():
    """The partner was loaded before: what decides is read under the lock."""
    association = make_associated()
    member = PartnerMemberFactory.create(partner=association.partner, administrator=True).user
    loaded = Association.objects.select_related("partner").get(pk=association.pk)
    now = timezone.now()
    freeze_partner(
        partner=association.partner,
        reason="Open bills",
        by=UserFactory.create(is_staff=True),
        now=now,
    )

    assert not loaded.partner.is_frozen
    with pytest.raises(Refused) as freezing:
        freeze_customer(
            association=loaded, scope=FreezeScope.ACCOUNT, reason="x", by=member, now=now
        )
    with pytest.raises(Refused) as requesting:
        request_authorization(association=loaded, by=member, now=now)

    codes = [freezing.value.code, requesting.value.code]
    assert codes == [AssociationRefusal.PARTNER_FROZEN] * 2
