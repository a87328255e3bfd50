"""The admin's forms sent twice: one object, one effect, and where the first answer led."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from outbox.models import OutboxMessage
from partners.models import Invitation, Partner
from partners.services.partner_freezes import unfreeze_partner
from tests import factories as typed_factories
from tests.shown_forms import hidden_fields

# The checker takes a factory for what it makes.
factories: Any = typed_factories

pytestmark = pytest.mark.django_db

ADD = reverse("admin:partners_invitation_add")
USERS = reverse("admin:accounts_user_changelist")
PARTNERS = reverse("admin:partners_partner_changelist")


@pytest.fixture
def boss() -> User:
    user: User = factories.UserFactory(staff=True)
    return user


@pytest.fixture
def superuser(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def link_form(client: Client) -> dict[str, Any]:
    return {
        **hidden_fields(client.get(ADD)),
        "partner": factories.PartnerFactory().pk,
        "channel": "link",
        "association_type": "reseller",
        "label": "Spring",
        "note": "",
    }


def test_form_sent_twice_adds_one_object(superuser: Client) -> None:
    form = link_form(superuser)
    first, second = superuser.post(ADD, form), superuser.post(ADD, form)
    assert (first.status_code, second.status_code) == (302, 303)
    assert second["Location"] == first["Location"]
    assert Invitation.objects.count() == 1


def test_form_opened_twice_adds_two_objects(superuser: Client) -> None:
    for _each in range(2):
        superuser.post(ADD, link_form(superuser))
    assert Invitation.objects.count() == 2


def test_other_content_is_shown_and_not_added(superuser: Client) -> None:
    form = link_form(superuser)
    superuser.post(ADD, form)
    assert superuser.post(ADD, {**form, "label": "Summer"}).status_code == 409
    assert Invitation.objects.get().label == "Spring"


def test_rejected_form_can_be_sent_again(superuser: Client) -> None:
    form = link_form(superuser)
    rejected = superuser.post(ADD, {**form, "label": ""})
    assert rejected.status_code == 400
    assert hidden_fields(rejected)["form_key"] == form["form_key"]
    assert superuser.post(ADD, form).status_code == 302
    assert Invitation.objects.get().label == "Spring"


def test_every_page_that_adds_has_a_key(superuser: Client, boss: User) -> None:
    request = RequestFactory().get("/")
    request.user = boss
    without = []
    for model, page in admin.site._registry.items():
        if page.has_add_permission(request):
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
            if "form_key" not in hidden_fields(superuser.get(address)):
                without.append(model._meta.label)
    assert without == []


def test_action_that_is_confirmed_twice_acts_once_on_each(superuser: Client) -> None:
    users = [factories.UserFactory() for _number in range(2)]
    chosen = {"action": "send_reset_links", "_selected_action": [user.pk for user in users]}
    page = superuser.post(USERS, chosen)
    form = {**hidden_fields(page), **chosen, "confirmed": "Send"}
    answers = [superuser.post(USERS, form).status_code for _each in range(2)]
    assert answers == [302, 302]
    mailed = OutboxMessage.objects.values_list("recipient", flat=True)
    assert sorted(mailed) == sorted(user.email for user in users)
    again = hidden_fields(superuser.post(USERS, chosen))
    superuser.post(USERS, {**again, **chosen, "confirmed": "Send"})
    assert OutboxMessage.objects.count() > len(users)


def sent_freeze(client: Client, partner: Partner) -> dict[str, Any]:
    """Freeze the partner, and return the form that did it."""
    chosen = {"action": "freeze_partner", "_selected_action": [partner.pk]}
    page = client.post(PARTNERS, chosen)
    form = {**hidden_fields(page), **chosen, "confirmed": "Freeze", "reason": "Fraud"}
    assert client.post(PARTNERS, form).status_code == 302
    partner.refresh_from_db()
    assert partner.status == "frozen"
    return form


def test_repeat_after_the_opposite_does_not_claim_to_have_acted(
    superuser: Client, boss: User
) -> None:
    partner = factories.PartnerFactory()
    form = sent_freeze(superuser, partner)
    unfreeze_partner(partner=partner, by=boss, now=timezone.now(), reason="It was a mistake")
    told = [str(each) for each in superuser.post(PARTNERS, form, follow=True).context["messages"]]
    assert told[-1] == (
        f"Freeze the partner: for {partner} this was done already at the first press."
        " Nothing was done now."
    )
    partner.refresh_from_db()
    assert partner.status == "normal"


@pytest.mark.parametrize("other", [{"reason": "Another"}, {"action": "unfreeze_partner"}])
def test_used_form_with_another_reason_or_action_is_a_conflict(
    superuser: Client, other: dict[str, str]
) -> None:
    partner = factories.PartnerFactory()
    form = sent_freeze(superuser, partner)
    answer = superuser.post(PARTNERS, {**form, **other})
    assert answer.status_code == 409
    html = answer.content.decode()
    assert "what you sent now was not" in html
    assert reverse("admin:partners_partner_change", args=[partner.pk]) in html
    assert [label for label, _value in answer.context["typed"]] == ["Reason"]
    partner.refresh_from_db()
    assert partner.status == "frozen"


def test_nothing_is_done_for_others_beside_a_used_object(superuser: Client) -> None:
    partner, other = factories.PartnerFactory(), factories.PartnerFactory()
    form = sent_freeze(superuser, partner)
    both = {**form, "_selected_action": [other.pk, partner.pk], "reason": "Another"}
    answer = superuser.post(PARTNERS, both)
    assert answer.status_code == 409
    assert "You have sent this form before" in answer.content.decode()
    other.refresh_from_db()
    assert other.status == "normal"
