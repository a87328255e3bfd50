"""Whether the provider acted for the partner is a fact of its moment, not of the user today."""

from importlib import import_module

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import FreezeScope
from accounts.models import Freeze, User
from association.models import Authorization, Budget
from association.services.authorizations import request_authorization
from association.services.customers import freeze_customer, set_budget, unfreeze_customer
from tests.factories import (
    InvitationFactory,
    PartnerMemberFactory,
    UserFactory,
    end_by_provider,
    make_associated,
)
from tests.reading_mails import write

pytestmark = pytest.mark.django_db

TERMS = {"amount": 5, "period": "monthly", "on_exhaustion": "freeze"}


@pytest.fixture
def association():
    return make_associated(invitation=InvitationFactory.create(partner__name="Nimbus"))


@pytest.fixture(params=["administrator", "member"])
def actor(request, association):
    """An administrator of the provider, or a member of the partner."""
    if request.param == "administrator":
        return UserFactory.create(is_staff=True)
    return PartnerMemberFactory.create(partner=association.partner, administrator=True).user


def change_sides(user):
    """Make an administrator of the provider a mere user, or the other way round."""
    User.objects.filter(pk=user.pk).update(is_staff=not user.is_staff)


def freeze(association, by):
    now = timezone.now()
    freeze_customer(
        association=association, scope=FreezeScope.ACCOUNT, reason="Late", by=by, now=now
    )


def act(association, by):
    now = timezone.now()
    set_budget(association=association, by=by, now=now, **TERMS)
    request_authorization(association=association, by=by, now=now)
    freeze(association, by)
    unfreeze_customer(association=association, reason="Paid", by=by, now=now)
    freeze(association, by)


def read(user, address):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client.get(address)


def test_customer_reads_who_acted_then(association, actor):
    act(association, actor)
    freezes = association.account.freezes.filter(cause="partner").order_by("pk")
    was_staff = actor.is_staff
    change_sides(actor)

    page = read(association.account.owner, "/account/partner/").content.decode()
    frozen = write("association.frozen", freezes.last())

    assert ("Frozen by Example Cloud for Nimbus on " in page) is was_staff
    assert page.count("Example Cloud did it for Nimbus.") == 5 * was_staff
    assert page.count("Example Cloud decided for the partner.") == 2 * was_staff
    name = "Example Cloud" if was_staff else "Nimbus"
    assert frozen.subject == f"{name} has frozen your account"
    assert frozen.speaker.name == name


def test_who_lifted_a_freeze_speaks_in_its_e_mail(association, actor):
    act(association, actor)
    unfreeze_customer(association=association, reason="Paid", by=actor, now=timezone.now())
    was_staff = actor.is_staff
    change_sides(actor)
    lifted = association.account.freezes.filter(cause="partner").latest("pk")
    name = "Example Cloud" if was_staff else "Nimbus"
    assert write("association.unfrozen", lifted).speaker.name == name


def test_console_names_no_administrator_who_has_left(association, actor):
    act(association, actor)
    was_staff = actor.is_staff
    change_sides(actor)
    reader = PartnerMemberFactory.create(partner=association.partner, administrator=True).user

    context = read(reader, reverse("console_customer", args=[association.pk])).context

    name = "Example Cloud" if was_staff else actor.email
    acted = [(entry.what, entry.who) for entry in context["timeline"]]
    ours = [what for what, by in acted if by == name]
    assert ours == [
        "Frozen by your decision (account)",
        "Unfrozen, was frozen by joining",
        "Unfrozen, was frozen by your decision",
        "Frozen by your decision (account)",
        "Asked for the authorization",
        "Set a budget: 5.00\N{NO-BREAK SPACE}USD, monthly",
    ]


def test_rows_from_before_say_what_the_pages_said(association, actor):
    act(association, actor)
    Freeze.objects.update(frozen_by_provider=False, unfrozen_by_provider=False)
    Budget.objects.update(set_by_provider=False)
    Authorization.objects.update(requested_by_provider=False)

    for name in (
        "accounts.migrations.0009_who_froze_before",
        "association.migrations.0015_who_acted_before",
    ):
        import_module(name).fill(apps, None)

    by_partner = Freeze.objects.filter(cause="partner").order_by("pk")
    assert [row.frozen_by_provider for row in by_partner] == [actor.is_staff] * 2
    assert [row.unfrozen_by_provider for row in by_partner] == [actor.is_staff, False]
    assert Budget.objects.get().set_by_provider is actor.is_staff
    assert Authorization.objects.get().requested_by_provider is actor.is_staff


def test_freezes_name_the_partner_of_their_time(association):
    freeze(association, None)
    end_by_provider(association)
    owner = association.account.owner
    other = InvitationFactory.create(email=True, recipient=owner.email, partner__name="Acme")
    make_associated(account=association.account, invitation=other)

    page = read(owner, "/account/partner/").content.decode()

    assert page.count("<strong>Decision of the partner</strong>") == 1
    assert " ".join(page.split()).count("</strong> <bdi>Nimbus</bdi>") == 1
