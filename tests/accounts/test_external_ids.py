"""The provider's own key of an account: optional, and of one account only."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import CustomerAccount
from tests.factories import CustomerAccountFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("external_id", ["/subscriptions/1", ""], ids=["used by another", "empty"])
def test_database_refuses_it(external_id):
    CustomerAccountFactory(external_id="/subscriptions/1")
    with pytest.raises(IntegrityError), transaction.atomic():
        CustomerAccountFactory(external_id=external_id)


def test_accounts_without_one_do_not_exclude_each_other():
    CustomerAccountFactory.create_batch(2)
    CustomerAccountFactory(external_id="a")
    CustomerAccountFactory(external_id="A")
    assert CustomerAccount.objects.filter(external_id=None).count() == 2


def test_admin_finds_an_account_by_it(client):
    client.force_login(UserFactory(staff=True))
    account = CustomerAccountFactory(external_id="/Subscriptions/12")
    CustomerAccountFactory(external_id="/Subscriptions/1")
    for query in ("/Subscriptions/12", "scriptions/12"):
        page = client.get(reverse("admin:accounts_customeraccount_changelist"), {"q": query})
        assert [row.pk for row in page.context["cl"].result_list] == [account.pk]
