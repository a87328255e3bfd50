"""Partners, as the provider's programs see them."""

import pytest

from tests.factories import PartnerFactory
from tests.integration.calls import ProviderCaller

pytestmark = pytest.mark.django_db


def test_partner_is_shown():
    partner = PartnerFactory(name="North Ltd", slug="north", country="DE", allows_referral=True)
    shown = ProviderCaller().get(f"/provider/partners/{partner.pk}")

    assert shown.status_code == 200
    assert shown.json() == {
        "id": str(partner.pk),
        "slug": "north",
        "name": "North Ltd",
        "legal_name": partner.legal_name,
        "country": "DE",
        "support_email": partner.support_email,
        "support_phone": "",
        "time_zone": "UTC",
        "association_types": ["reseller", "referral"],
        "status": "normal",
        "frozen_at": None,
        "frozen_reason": "",
        "created_at": partner.created_at.isoformat().replace("+00:00", "Z"),
    }


def test_list_is_read_in_pages_the_oldest_first():
    partners = PartnerFactory.create_batch(3)
    caller = ProviderCaller()
    first = caller.get("/provider/partners", limit=2)
    second = caller.client.get(first.json()["next"], headers=caller.headers())

    found = [row["id"] for page in (first, second) for row in page.json()["items"]]
    assert found == [str(partner.pk) for partner in partners]
    assert second.json()["next"] is None


def test_partner_is_found_by_its_short_name():
    PartnerFactory.create_batch(2)
    partner = PartnerFactory(slug="north")
    items = ProviderCaller().get("/provider/partners", slug="north").json()["items"]

    assert [row["id"] for row in items] == [str(partner.pk)]
