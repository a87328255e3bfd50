"""The provider freezes an account: who is told, by whom it was, and what each side can do."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.enums import FreezeScope
from accounts.models import CustomerAccount
from association.enums import AssociationRefusal
from association.services.erasure import erase_account
from association.services.provider_freezes import freeze_for_provider, unfreeze_for_provider
from outbox.models import OutboxMessage
from outbox.services.rendering import Stale
from tests.factories import (
    CustomerAccountFactory,
    InvitationFactory,
    PartnerMemberFactory,
    UserFactory,
    end_by_provider,
    make_associated,
)
from tests.reading_mails import links, only_in_text, write
from tests.shown_forms import confirm_action
from web.moments import moment_text
from web.refused import Refused

pytestmark = pytest.mark.django_db

ADMIN = "/admin/accounts/customeraccount/"


@pytest.fixture
def admin():
    return UserFactory.create(is_staff=True, is_superuser=True)


@pytest.fixture
def association():
    association = make_associated(invitation=InvitationFactory.create(partner__name="Nimbus"))
    PartnerMemberFactory.create(partner=association.partner, administrator=True)
    return association


def freeze(account, admin, reason="Unclear\npayment", scope=FreezeScope.ACCOUNT):
    return freeze_for_provider(
        account=account, scope=scope, reason=reason, by=admin, now=timezone.now()
    )


def unfreeze(account, admin):
    return unfreeze_for_provider(account=account, reason="All clear", by=admin, now=timezone.now())


def kinds():
    made = OutboxMessage.objects.filter(about_label="accounts.freeze").order_by("pk")
    return list(made.values_list("kind", flat=True))


def test_both_sides_are_told_of_the_freeze_and_of_its_end(association, admin):
    account = association.account
    freeze(account, admin)
    unfreeze(account, admin)
    assert kinds() == [
        "association.frozen",
        "association.customer_frozen",
        "association.unfrozen",
        "association.customer_unfrozen",
    ]
    to = OutboxMessage.objects.filter(about_label="accounts.freeze").order_by("pk")
    owner, member = account.owner.email, association.partner.members.get().user.email
    assert list(to.values_list("recipient", flat=True)) == [owner, member] * 2


def test_account_without_partner_gets_the_customers_e_mail_alone(admin):
    account = CustomerAccountFactory.create()
    frozen = freeze(account, admin)
    assert kinds() == ["association.frozen"]
    email = write("association.frozen", frozen)
    assert email.subject == "Example Cloud has frozen your account"
    assert "What you can do" not in email.text
    assert only_in_text(email) <= {"See My partner", "Unclear"}
    unfreeze(account, admin)
    assert kinds()[2:] == ["association.unfrozen"]
    email = write("association.unfrozen", frozen)
    assert email.subject == "Your account is no longer frozen"
    frozen.refresh_from_db()
    moment = moment_text(frozen.unfrozen_at)
    assert email.text.startswith(f"On {moment} Example Cloud unfroze your account ")


def test_e_mails_name_the_provider_its_reason_and_what_to_do(association, admin, settings):
    settings.PROVIDER_SUPPORT_EMAIL = "help@provider.example"
    frozen = freeze(association.account, admin)
    to_customer = write("association.frozen", frozen)
    to_partner = write("association.customer_frozen", frozen)
    assert to_partner.subject == "Example Cloud has frozen a customer of yours"
    assert "What you can do: Contact the support of Example Cloud." in to_customer.text
    assert association.partner.support_email not in to_customer.text + to_customer.html
    for email in (to_customer, to_partner):
        assert "> Unclear\n> payment" in email.text
        assert "help@provider.example" in email.text
    assert "because you joined Nimbus" in to_customer.text
    assert "only Example Cloud can lift this freeze" in to_partner.text
    assert links(to_partner) == {f"/partner/customers/{association.pk}/"}
    assert association.account.owner.email not in to_partner.text + to_partner.html

    unfreeze(association.account, admin)
    to_customer = write("association.unfrozen", frozen)
    assert to_customer.subject == (
        "Example Cloud has lifted a freeze – your account is still frozen"
    )
    assert "What you can do: Ask Nimbus to set a budget." in to_customer.text
    to_partner = write("association.customer_unfrozen", frozen)
    assert "The account is still frozen for another cause." in to_partner.text
    assert "> All clear" in to_partner.text
    for email in (to_customer, to_partner):
        assert only_in_text(email) == set()


def test_what_is_over_is_not_told_any_more(association, admin):
    frozen = freeze(association.account, admin)
    end_by_provider(association)
    assert write("association.frozen", frozen).subject == "Example Cloud has frozen your account"
    with pytest.raises(Stale, match=r"^association ended$"):
        write("association.customer_frozen", frozen)
    unfreeze(association.account, admin)
    with pytest.raises(Stale, match=r"^no longer frozen$"):
        write("association.frozen", frozen)
    freeze(association.account, admin)
    with pytest.raises(Stale, match=r"^frozen again$"):
        write("association.unfrozen", frozen)


def test_second_freeze_is_told_only_if_it_stops_more(association, admin):
    account = association.account
    first = freeze(account, admin)
    assert freeze(account, admin) == first
    assert len(kinds()) == 2
    with pytest.raises(Refused) as refused:
        freeze(account, admin, reason="Another")
    assert refused.value.code == AssociationRefusal.FROZEN_FOR_OTHER_REASON
    wider = freeze(account, admin, reason="Abuse", scope=FreezeScope.ACCOUNT_AND_RESOURCES)
    assert len(kinds()) == 4
    assert unfreeze(account, admin) == [wider]
    assert unfreeze(account, admin) == []
    assert len(kinds()) == 6


def test_the_admins_buttons_tell_both_sides_and_say_who_reads_the_reason(association, admin):
    client = Client()
    client.force_login(admin)
    chosen = {"_selected_action": association.account.pk, "action": "freeze_for_provider"}
    page = client.post(ADMIN, chosen).content.decode()
    assert "The owner of the account reads it, and so does the partner" in page
    frozen = {**chosen, "scope": "account", "reason": "Abuse"}
    listed = confirm_action(client, ADMIN, frozen, follow=True)
    name = association.account.owner.account_name
    assert [str(message) for message in listed.context["messages"]] == [
        f"Freeze by decision of the provider: done for {name}."
    ]
    lifted = {**chosen, "action": "unfreeze_for_provider", "reason": "Cleared"}
    confirm_action(client, ADMIN, lifted)
    assert kinds() == [
        "association.frozen",
        "association.customer_frozen",
        "association.unfrozen",
        "association.customer_unfrozen",
    ]


def test_an_erased_owner_is_sent_nothing(admin):
    account = CustomerAccountFactory.create()
    erase_account(login=account.owner.email, by=admin, now=timezone.now())
    freeze(CustomerAccount.objects.get(), admin)
    assert OutboxMessage.objects.filter(kind="association.frozen").count() == 0


def test_the_admins_list_says_which_accounts_are_frozen(admin):
    frozen, lifted, never = CustomerAccountFactory.create_batch(3)
    for account in (frozen, lifted):
        freeze(account, admin)
    unfreeze(lifted, admin)
    client = Client()
    client.force_login(admin)
    rows = client.get(ADMIN).context["cl"].result_list
    assert {row.pk: row.is_frozen for row in rows} == {
        frozen.pk: True,
        lifted.pk: False,
        never.pk: False,
    }
