"""The account pages of a partner's members: they stay in the console's frame."""

import pytest
from django.test import Client

from tests.factories import PartnerMemberFactory, UserFactory, make_associated

pytestmark = pytest.mark.django_db
PAGES = ["/account/settings/", "/account/logout/", "/account/password/change/", "/account/2fa/"]
NAVIGATION = 'aria-label="Partner console"'


def content_of(user, path):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("administrator", [True, False])
def test_member_keeps_the_consoles_header_and_navigation(path, administrator):
    member = PartnerMemberFactory.create(administrator=administrator)
    content = content_of(member.user, path)
    assert NAVIGATION in content
    assert member.partner.name in content
    assert ">My partner</a>" not in content
    assert ('href="/partner/settings/"' in content) is administrator


@pytest.mark.parametrize("path", PAGES)
def test_customers_and_others_do_not_get_it(path):
    for user in (UserFactory.create(), make_associated().account.owner):
        content = content_of(user, path)
        assert NAVIGATION not in content


def test_members_find_their_notifications_with_their_account():
    member = PartnerMemberFactory.create()
    assert 'href="/partner/notifications/"' in content_of(member.user, "/account/settings/")
    assert "/partner/notifications/" not in content_of(UserFactory.create(), "/account/settings/")
