"""The e-mail to a customer whom the partner has frozen."""

import re

import pytest
from django.utils import timezone

from accounts.enums import FreezeScope
from association.models import BudgetPeriod, OnExhaustion
from association.services.customers import freeze_customer, set_budget
from outbox.models import OutboxMessage
from outbox.services.rendering import Stale
from tests.factories import (
    InvitationFactory,
    PartnerMemberFactory,
    ResourceFactory,
    UserFactory,
    end_by_provider,
    make_associated,
)
from tests.reading_mails import links, only_in_text, write
from web.moments import moment_text

pytestmark = pytest.mark.django_db

TERMS = {
    "amount": 5,
    "period": BudgetPeriod.MONTHLY,
    "on_exhaustion": OnExhaustion.FREEZE,
}


@pytest.fixture
def association():
    return make_associated(invitation=InvitationFactory.create(partner__name="Nimbus"))


def freeze(association, scope, by=None):
    freeze_customer(
        association=association,
        scope=scope,
        reason="Bill <4>\nis late",
        by=by,
        now=timezone.now(),
    )


def freeze_of(association):
    return association.account.freezes.get(cause="partner")


@pytest.mark.parametrize(
    ("scope", "status", "sentence"),
    [
        (FreezeScope.ACCOUNT, "running", "What runs goes on running and costing money."),
        (FreezeScope.ACCOUNT, "stopped", ""),
        (FreezeScope.ACCOUNT, "", ""),
        (
            FreezeScope.ACCOUNT_AND_RESOURCES,
            "running",
            "Your resources are stopped too, and no new fees arise from them.",
        ),
        (FreezeScope.ACCOUNT_AND_RESOURCES, "", ""),
    ],
)
def test_customer_reads_what_stops_and_why(association, scope, status, sentence):
    if status:
        ResourceFactory.create(account=association.account, status=status)
    freeze(association, scope)

    email = write("association.frozen", freeze_of(association))

    assert email.subject == "Nimbus has frozen your account"
    said = [line for line in email.text.splitlines() if re.search("running|stopped", line)]
    assert said == ([sentence] if sentence else [])
    assert "> Bill <4>\n> is late" in email.text
    assert "Bill &lt;4&gt;<br>" in email.html
    assert links(email) == {"/account/partner/"}
    assert only_in_text(email) <= {"See My partner", "Bill <4>"}


def test_customer_reads_the_other_causes_and_the_action_of_the_first(association):
    freeze(association, FreezeScope.ACCOUNT)

    email = write("association.frozen", freeze_of(association))

    [other] = [line for line in email.text.splitlines() if line.startswith("- ")]
    assert other.startswith("- Frozen since ")
    assert "because you joined Nimbus" in other
    assert "What you can do: Ask Nimbus to set a budget." in email.text


def test_customer_who_is_free_again_gets_no_e_mail(association):
    freeze(association, FreezeScope.ACCOUNT)
    set_budget(association=association, unfreeze=True, by=None, now=timezone.now(), **TERMS)

    with pytest.raises(Stale, match=r"^no longer frozen$"):
        write("association.frozen", freeze_of(association))


def test_e_mails_about_a_past_partners_freeze_are_not_sent(association):
    freeze(association, FreezeScope.ACCOUNT)
    end_by_provider(association)

    with pytest.raises(Stale, match=r"^association ended$"):
        write("association.unfrozen", freeze_of(association))


def test_who_acted_is_named_also_when_the_provider_acts_for_the_partner(association, client):
    provider = UserFactory.create(is_staff=True)
    administrator = PartnerMemberFactory.create(partner=association.partner, administrator=True)
    freeze(association, FreezeScope.ACCOUNT, by=provider)

    frozen = freeze_of(association)
    email = write("association.frozen", frozen)

    assert email.subject == "Example Cloud has frozen your account"
    moment = moment_text(frozen.frozen_at)
    assert email.text.startswith(f"On {moment} Example Cloud froze your account ")
    assert "The reason given:" in email.text
    client.force_login(association.account.owner)
    page = client.get("/account/partner/").content.decode()
    assert "Frozen by Example Cloud for Nimbus on " in page
    assert "Example Cloud did it for Nimbus." in page
    told = OutboxMessage.objects.get(kind="association.customer_frozen")
    assert told.recipient == administrator.user.email
    to_partner = write(told.kind, freeze_of(association))
    assert to_partner.subject == "Example Cloud has frozen a customer of yours"
    first = "What you can do: set a budget, then you can unfreeze the account in the console."
    assert first in to_partner.text
    set_budget(association=association, by=provider, now=timezone.now(), **TERMS)
    to_partner = write(told.kind, freeze_of(association))
    assert "What you can do: unfreeze the account in the console." in to_partner.text

    set_budget(association=association, unfreeze=True, by=provider, now=timezone.now(), **TERMS)
    lifted = freeze_of(association)
    email = write("association.unfrozen", lifted)
    moment = moment_text(lifted.unfrozen_at)
    assert email.text.startswith(f"On {moment} Example Cloud unfroze your account ")
    told = OutboxMessage.objects.get(kind="association.customer_unfrozen")
    assert told.recipient == administrator.user.email


def test_wider_freeze_names_who_widened_it(association):
    provider = UserFactory.create(is_staff=True)
    freeze(association, FreezeScope.ACCOUNT)
    narrow = freeze_of(association)
    freeze(association, FreezeScope.ACCOUNT_AND_RESOURCES, by=provider)

    wide = association.account.freezes.open().get(cause="partner")
    email = write("association.frozen", wide)

    assert email.subject == "Example Cloud has frozen your account"
    with pytest.raises(Stale, match=r"^no longer frozen$"):
        write("association.frozen", narrow)


def test_partner_is_not_told_of_what_it_did_itself(association):
    freeze(association, FreezeScope.ACCOUNT, by=PartnerMemberFactory.create().user)
    assert not OutboxMessage.objects.filter(kind="association.customer_frozen").exists()
