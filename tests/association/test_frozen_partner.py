"""A partner whom the provider has frozen: what its members may still do, and what pages say."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import FreezeScope
from association.enums import AssociationRefusal, Side
from association.models import Authorization
from association.services.authorizations import request_authorization
from association.services.customers import freeze_customer, set_budget
from association.services.endings import answer_end_request, ask_to_end
from tests.factories import (
    InvitationFactory,
    PartnerFactory,
    PartnerMemberFactory,
    ResourceFactory,
    UserFactory,
    make_associated,
    mark_frozen,
)
from tests.shown_forms import open_and_send
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


def test_the_console_says_so_on_every_page_and_answers_409():
    association = frozen_partners()
    console = client_of(member_of(association).user)
    for name in ("overview", "invitations", "customers", "history", "members"):
        page = console.get(reverse(f"console_{name}")).content.decode()
        assert "<bdi>Example Cloud has frozen Nimbus</bdi>" in page
    address = reverse("console_freeze", args=[association.pk])
    page = open_and_send(console, address, {"scope": "account", "reason": "Late"})
    assert page.status_code == 409
    assert "The provider has frozen your organisation." in page.content.decode()
    page = console.post(reverse("console_request_authorization", args=[association.pk]))
    assert page.status_code == 409


def test_the_console_of_a_frozen_partner_does_not_ask_for_invitations():
    partner = PartnerFactory.create(frozen=True)
    console = client_of(PartnerMemberFactory.create(partner=partner, administrator=True).user)
    pushing = ("New invitation", "Welcome.", "New link", "Invite by e-mail", "Make a link")
    for name in ("overview", "invitations"):
        page = console.get(reverse(f"console_{name}")).content.decode()
        assert [words for words in pushing if words in page] == []


def test_its_customer_reads_what_goes_on(association):
    client = client_of(association.account.owner)
    page = client.get("/account/partner/").content.decode()
    assert "Example Cloud has frozen <bdi>Nimbus</bdi>" in page
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
