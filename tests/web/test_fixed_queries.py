"""A fixed query returns what its queryset returns, for all values and in one statement."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone

from association.models import Attempt
from partners.models import Invitation
from tests.factories import InvitationFactory
from tests.journeys.walk import ready_attempt
from web.fixed_queries import IDENTIFIER, KEY, MOMENT, fixed_query, fixed_update

pytestmark = pytest.mark.django_db


@fixed_query(IDENTIFIER)
def attempts(key):
    return Attempt.objects.select_related("account__owner", "association").filter(pk=key)


@fixed_query(KEY, MOMENT)
def labels(partner, now):
    rows = Invitation.objects.filter(partner=partner, expires_at__gt=now, max_uses=5)
    return rows.order_by("label").values_list("label", "expires_at")


@fixed_query(KEY)
def twice(key):
    return Invitation.objects.annotate(doubled=F("pk") * 2).filter(pk=key)


@fixed_update(KEY, MOMENT, used_count=F("used_count") + 1)
def use(key, now):
    return Invitation.objects.filter(pk=key, expires_at__gt=now)


def test_models_come_with_their_relations(django_assert_num_queries):
    attempt = ready_attempt()
    with django_assert_num_queries(1):
        found = attempts.first(attempt.pk)
        assert found == attempt
        assert found.account.owner.email == attempt.account.owner.email
        assert not hasattr(found, "association")
    assert vars(found).keys() == vars(Attempt.objects.get(pk=attempt.pk)).keys()


def test_a_missing_relation_is_none():
    attempt = ready_attempt()
    Attempt.objects.update(account=None, entered_at=None, registered_at=None)
    assert attempts.first(attempt.pk).account is None


def test_there_may_be_no_row():
    assert attempts.first(IDENTIFIER) is None
    assert attempts.all(IDENTIFIER) == []


def test_values_differ_between_calls():
    now = timezone.now()
    first, second = (
        InvitationFactory.create(label=label, max_uses=5, expires_at=now + timedelta(days=days))
        for label, days in [("A", 1), ("B", 3)]
    )
    InvitationFactory.create(partner=first.partner, max_uses=6, expires_at=now + timedelta(days=9))
    assert labels.all(first.partner_id, now) == [("A", first.expires_at)]
    assert labels.all(second.partner_id, now) == [("B", second.expires_at)]
    assert labels.all(first.partner_id, now + timedelta(days=2)) == []


def test_annotations_come_with_the_models():
    invitations = InvitationFactory.create_batch(2)
    assert twice.first(invitations[1].pk).doubled == 2 * invitations[1].pk


@pytest.mark.postgresql
@pytest.mark.skipif(bool(settings.DATABASE_POOLER), reason="a pooler forbids prepared statements")
def test_postgresql_prepares_a_query_once():
    for key in range(3):
        twice.first(key)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans + custom_plans FROM pg_prepared_statements"
            " WHERE statement LIKE '%doubled%'"
        )
        assert cursor.fetchall() == [(3,)]


def test_an_update_changes_the_rows_that_its_values_find():
    now = timezone.now()
    invitation, other = InvitationFactory.create_batch(2, expires_at=now + timedelta(days=1))
    assert use.run(invitation.pk, now) == 1
    assert use.run(invitation.pk, now + timedelta(days=2)) == 0
    invitation.refresh_from_db()
    other.refresh_from_db()
    assert (invitation.used_count, other.used_count) == (1, 0)
