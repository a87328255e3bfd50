"""Lists of the admin: the days above them, their filters and their search, without reading all."""

import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partners.models import MemberInvitation
from partners.services.member_invitations import invite_member
from tests.factories import BillFactory, InvitationFactory, PartnerFactory
from tests.factories.accounts import UserFactory
from tests.factories.partners import MemberInvitationFactory, PartnerLogoFactory

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
INVITATIONS = "admin:partners_invitation_changelist"


@pytest.fixture
def operator(client):
    client.force_login(UserFactory.create(staff=True))
    return client


def days_above(operator, query=""):
    """Return the titles of the links to days, and of the link back."""
    page = operator.get(f"{reverse(INVITATIONS)}?{query}")
    assert page.status_code == 200
    # Filters have choices too.
    context = next(each for each in page.context if "back" in each)
    return [choice.title for choice in context["choices"]], (context["back"] or {}).get("title")


def found(operator, name, **query):
    page = operator.get(reverse(name), query)
    return list(page.context["cl"].result_list)


def test_days_lead_from_the_years_to_one_day(operator):
    for day in (datetime(2024, 11, 28, tzinfo=UTC), datetime(2026, 2, 3, tzinfo=UTC)):
        InvitationFactory.create(created_at=day)

    assert days_above(operator) == (["2024", "2026"], None)
    year = "created_at__year=2024"
    assert days_above(operator, year) == (["November 2024"], "All dates")
    month = f"{year}&created_at__month=11"
    assert days_above(operator, month) == (["November 28"], "2024")
    one_day = f"{month}&created_at__day=29"
    assert days_above(operator, one_day) == (["November 29"], "November 2024")
    assert days_above(operator, "created_at__year=2023") == ([], "All dates")
    assert days_above(operator, "created_at__month=11") == (["2024", "2026"], None)
    for wrong in (f"{year}&created_at__month=13", f"{month}&created_at__day=31"):
        assert operator.get(f"{reverse(INVITATIONS)}?{wrong}").status_code == 302


def test_days_of_one_month_are_shown_at_once(operator):
    for number in (5, 7):
        InvitationFactory.create(created_at=datetime(2026, 2, number, tzinfo=UTC))
    assert days_above(operator) == (["February 5", "February 7"], None)


def test_last_day_of_the_calendar_is_a_day(operator):
    InvitationFactory.create(created_at=datetime(9999, 12, 31, 23, tzinfo=UTC))
    assert days_above(operator) == (["December 31"], None)


@pytest.mark.parametrize("kind", ["association_attempt", "outbox_outboxmessage", "accounts_user"])
def test_no_list_reads_all_rows_for_its_filters(operator, kind):
    with CaptureQueriesContext(
        connection,
    ) as statements:
        operator.get(reverse(f"admin:{kind}_changelist"))
    assert [row["sql"] for row in statements if "DISTINCT" in row["sql"]] == []


def test_facts_are_filtered_by_the_systems_that_sent_them(operator):
    first, second = BillFactory.create(source="erp"), BillFactory.create(source="billing")
    BillFactory.create(source="billing")
    page = operator.get(reverse("admin:accounts_bill_changelist"))
    assert [choice for spec in page.context["cl"].filter_specs for choice in spec.lookup_choices][
        :2
    ] == [("billing", "billing"), ("erp", "erp")]
    assert found(operator, "admin:accounts_bill_changelist", source="erp") == [first]
    assert second not in found(operator, "admin:accounts_bill_changelist", source="erp")


@pytest.mark.parametrize("few", [1_000, 0])
def test_each_word_is_searched_in_each_field(operator, monkeypatch, few):
    monkeypatch.setattr("web.admin.searching.FEW", few)
    north, south = PartnerFactory.create(name="North"), PartnerFactory.create(name="South")
    fair = InvitationFactory.create(partner=north, label="Fair in May")
    other = InvitationFactory.create(partner=south, label="Fair", reference="May-17")
    InvitationFactory.create(partner=south, label="Market")

    assert found(operator, INVITATIONS, q="fair north") == [fair]
    assert found(operator, INVITATIONS, q="FAIR may") == [other, fair]
    assert found(operator, INVITATIONS, q='"fair in may"') == [fair]
    assert found(operator, INVITATIONS, q="north south") == []
    assert found(operator, INVITATIONS, q="fair a b c d e f g h i") == []


def test_a_row_that_is_found_twice_is_listed_once(operator, monkeypatch):
    monkeypatch.setattr("web.admin.searching.FEW", 0)
    logo = PartnerLogoFactory.create()
    for name in ("North", "Northern"):
        PartnerFactory.create(name=name, logo=logo)
    assert found(operator, "admin:partners_partnerlogo_changelist", q="north") == [logo]


def test_a_word_is_in_no_field_of_numbers(operator):
    page = reverse("admin:partners_bulkactionrow_changelist")
    assert operator.get(page, {"q": "word"}).status_code == 200


def test_expired_invitations_are_listed_by_their_expiry(operator):
    moments = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 3, 2)]
    rows = [InvitationFactory.create(expires_at=moment) for moment in moments]
    InvitationFactory.create()
    assert found(operator, INVITATIONS, state="expired") == [rows[1], rows[2], rows[0]]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({}, "open until"),
        ({"expires_at": MOMENT}, "expired"),
        ({"accepted_at": MOMENT}, "accepted"),
        ({"withdrawn_at": MOMENT}, "withdrawn"),
    ],
)
def test_one_column_says_what_became_of_a_members_invitation(operator, values, shown):
    invitation = MemberInvitationFactory.create()
    MemberInvitation.objects.filter(pk=invitation.pk).update(**values)
    page = operator.get(reverse("admin:partners_memberinvitation_changelist")).content.decode()
    [state] = re.findall('class="field-state">([^<]*)<', page)
    assert state.startswith(shown)


@pytest.mark.parametrize(
    ("allowed", "shown"),
    [
        ((True, True), "reseller, referral"),
        ((False, True), "referral"),
        ((False, False), "nothing"),
    ],
)
def test_one_column_says_by_which_types_a_partner_may_invite(operator, allowed, shown):
    PartnerFactory.create(allows_reseller=allowed[0], allows_referral=allowed[1])
    page = operator.get(reverse("admin:partners_partner_changelist")).content.decode()
    assert f'class="field-types">{shown}<' in page


def test_a_recipient_leads_to_the_messages_to_the_same_address(operator):
    terms = {"address": "ada@customer.example", "role": "manager"}
    by, now = UserFactory.create(), timezone.now()
    invite_member(partner=PartnerFactory.create(), **terms, by=by, now=now)
    page = operator.get(reverse("admin:outbox_outboxmessage_changelist")).content.decode()
    link = "/admin/outbox/outboxmessage/?recipient=ada%40customer.example"
    assert f'href="{link}">ada@customer.example<' in page
    assert [row.recipient for row in operator.get(link).context["cl"].result_list] == [
        "ada@customer.example"
    ]
