"""Whom pages name for help: nobody is sent to a partner who did not invite them."""

import pytest
from django.test import Client

from tests.factories import CustomerAccountFactory, PartnerMemberFactory, UserFactory
from tests.shown_texts import shown_text

pytestmark = pytest.mark.django_db
OF_THE_PARTNER = "Need help? If a partner invited you, ask that partner."
OF_THE_ORGANISATION = "Need help? Ask an administrator of your organisation."
OF_THE_PROVIDER = "Need help? Ask the support of Example Cloud."


def reader(who):
    match who:
        case "customer":
            return CustomerAccountFactory.create().owner
        case "manager":
            return PartnerMemberFactory.create().user
        case "partner's administrator":
            return PartnerMemberFactory.create(administrator=True).user
        case "provider's administrator":
            return UserFactory.create(staff=True)
    return None


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("stranger", OF_THE_PARTNER),
        ("customer", OF_THE_PARTNER),
        ("manager", OF_THE_ORGANISATION),
        ("partner's administrator", OF_THE_PROVIDER),
        ("provider's administrator", OF_THE_ORGANISATION),
    ],
)
@pytest.mark.parametrize(
    "address", ["/no-such-page", "/partner/invitations/0/", "/account/password/change/", "/join/"]
)
def test_help_is_for_the_reader(who, expected, address):
    client, user = Client(), reader(who)
    if user is not None:
        client.force_login(user)
    response = client.get(address, follow=True)
    page = response.content.decode()
    assert shown_text(page, "Need help?") == expected
    if address == "/no-such-page":
        assert ("ask the partner for a new one" in page) is (expected == OF_THE_PARTNER)
