"""What an erasure leaves of a person in events: ids and codes, no key of the partner's systems."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from association.models import Association
from association.services.erasure import erase_account
from outbox.models import Event
from partners.enums import EventKind
from partners.services.invitations import create_invitation
from tests import factories as typed_factories

factories: Any = typed_factories
pytestmark = pytest.mark.django_db

NOW = timezone.now()
HOUR = timedelta(hours=1)


def invite(address: str) -> Any:
    return create_invitation(
        partner=factories.PartnerFactory(),
        channel="email",
        association_type="reseller",
        label="Spring",
        recipient=address,
        reference="Zaphod",
        metadata={"owner": "Zaphod", "write to": address},
        by=None,
        now=NOW - HOUR,
    )


def former_customer(*, by_link: bool = False) -> Any:
    user = factories.UserFactory()
    account = factories.CustomerAccountFactory(owner=user, enabled=True)
    invitation = make_link(owner="Zaphod") if by_link else invite(user.email)
    joined = factories.make_associated(invitation=invitation, account=account, now=NOW)
    factories.end_by_provider(joined, reason="Moved", now=NOW)
    return user


def make_link(**metadata: str) -> Any:
    return create_invitation(
        partner=factories.PartnerFactory(),
        channel="link",
        association_type="reseller",
        label="Spring",
        metadata=metadata,
        by=None,
        now=NOW - HOUR,
    )


def ids_of(customer: Any) -> set[str]:
    return {str(pk) for pk in customer.customer_account.associations.values_list("pk", flat=True)}


def test_the_keys_of_the_partner_are_replaced_and_the_rest_stays() -> None:
    person, other = former_customer(), former_customer()
    invite(person.email)
    before = {event.pk: event for event in Event.objects.all()}
    ids = ids_of(person)

    erased = erase_account(login=person.email, by=None, now=NOW).pseudonym

    replaced = {"reference": erased, "metadata": {"owner": erased, "write to": erased}}
    kinds = []
    for event in Event.objects.filter(pk__in=before):
        old = before[event.pk]
        if old.data["metadata"]["write to"] == person.email:
            kinds.append(event.kind)
            assert event.data == old.data | replaced
        else:
            assert event.data == old.data
            assert event.data["metadata"]["write to"] == other.email
            assert event.data.get("customer_id") not in ids
    assert sorted(kinds) == [
        EventKind.ACCOUNT_FROZEN,
        EventKind.ACCOUNT_UNFROZEN,
        EventKind.ASSOCIATION_CREATED,
        EventKind.ASSOCIATION_ENDED,
        EventKind.INVITATION_CREATED,
        EventKind.INVITATION_CREATED,
    ]


def test_keys_are_replaced_in_the_events_of_a_customer_who_came_by_a_link() -> None:
    person, _other = former_customer(by_link=True), former_customer(by_link=True)
    [customer] = ids_of(person)
    Association.objects.filter(pk=customer).update(reference="Zaphod")
    about = Event.objects.filter(data__customer_id=customer)
    for event in about:
        event.data["reference"] = "Zaphod"
        Event._base_manager.filter(pk=event.pk).update(data=event.data)
    before = {event.pk: event.data for event in Event.objects.all()}
    assert {"account.frozen", "association.created", "association.ended"} <= {
        event.kind for event in about
    }

    erased = erase_account(login=person.email, by=None, now=NOW).pseudonym

    replaced = {"reference": erased, "metadata": {"owner": erased}}
    for event in Event.objects.filter(pk__in=before):
        is_about_person = event.data.get("customer_id") == customer
        assert event.data == before[event.pk] | (replaced if is_about_person else {})


def test_what_the_erasure_publishes_has_the_pseudonym_already() -> None:
    person = former_customer()
    invitation = invite(person.email)
    erased = erase_account(login=person.email, by=None, now=NOW).pseudonym
    event = Event.objects.get(
        kind=EventKind.INVITATION_REVOKED, data__invitation_id=str(invitation.pk)
    )
    assert event.data["reference"] == erased
    assert event.data["metadata"] == {"owner": erased, "write to": erased}


def test_an_address_in_the_event_of_another_customer_is_replaced() -> None:
    person = former_customer()
    make_link(**{"asked by": person.email})
    erase_account(login=person.email, by=None, now=NOW)
    assert [event for event in Event.objects.all() if person.email in str(event.data)] == []
