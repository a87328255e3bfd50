"""The e-mail to a customer whom the partner has frozen."""

import pytest
from django.utils import timezone

from accounts.enums import FreezeScope
from association.models import BudgetPeriod, OnExhaustion
from association.services.customers import freeze_customer, set_budget, unfreeze_customer
from outbox.services.rendering import Stale
from tests.factories import InvitationFactory, UserFactory, make_associated
from tests.reading_mails import links, only_in_text, write

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize(
    ("scope", "sentence"),
    [
        (FreezeScope.ACCOUNT, "What runs goes on running and costing money."),
        (FreezeScope.ACCOUNT_AND_RESOURCES, "Your running resources have been stopped too."),
    ],
)
def test_customer_reads_what_stops_and_why(association, scope, sentence):
    freeze(association, scope)

    email = write("association.frozen", association)

    assert email.subject == "Nimbus has frozen your account"
    assert sentence in email.text
    assert "> Bill <4>\n> is late" in email.text
    assert "Bill &lt;4&gt;<br>" in email.html
    assert links(email) == {"/account/partner/"}
    assert only_in_text(email) <= {"See My partner", "Bill <4>"}


def test_customer_who_is_free_again_gets_no_e_mail(association):
    freeze(association, FreezeScope.ACCOUNT)
    set_budget(
        association=association,
        amount=5,
        period=BudgetPeriod.MONTHLY,
        on_exhaustion=OnExhaustion.FREEZE,
        by=None,
        now=timezone.now(),
    )
    unfreeze_customer(association=association, reason="", by=None, now=timezone.now())

    with pytest.raises(Stale, match=r"^no longer frozen$"):
        write("association.frozen", association)


def test_who_acted_is_named_also_when_the_provider_acts_for_the_partner(association, client):
    provider = UserFactory.create(is_staff=True)
    freeze(association, FreezeScope.ACCOUNT, by=provider)

    email = write("association.frozen", association)

    assert email.subject == "Example Cloud has frozen your account"
    assert email.text.startswith("Example Cloud has frozen your account ")
    assert "The reason given:" in email.text
    client.force_login(association.account.owner)
    page = client.get("/account/partner/").content.decode()
    assert "by decision of Example Cloud for Nimbus, which can unfreeze it." in page

    set_budget(
        association=association,
        amount=5,
        period=BudgetPeriod.MONTHLY,
        on_exhaustion=OnExhaustion.FREEZE,
        unfreeze=True,
        by=provider,
        now=timezone.now(),
    )
    email = write("association.unfrozen", association)
    assert email.text.startswith("Example Cloud has unfrozen your account ")
