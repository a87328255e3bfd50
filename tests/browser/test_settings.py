"""An administrator sets up the organisation in a real browser; a customer sees the result."""

from io import BytesIO

import pytest

from partners.models import Partner
from tests.factories import InvitationFactory, PartnerMemberFactory
from tests.partners.test_logos import drawing

pytestmark = pytest.mark.browser


def logo_file():
    file = BytesIO()
    drawing().save(file, "PNG")
    return {"name": "logo.png", "mimeType": "image/png", "buffer": file.getvalue()}


def test_settings_with_logo_are_what_customers_see(visitor):
    boss = PartnerMemberFactory.create(administrator=True, partner__name="Nimbus")
    offer = InvitationFactory.create(partner=boss.partner)
    visitor.open("/account/login/", "login")
    visitor.log_in(boss.user, "Overview", variant="console")
    visitor.open("/partner/settings/", "Settings")
    page = visitor.page

    page.click("#logo_change")
    visitor.look("Logo")
    page.set_input_files("#id_logo", logo_file())
    page.wait_for_selector("canvas.logo")
    box = page.locator("canvas.logo").evaluate("canvas => [canvas.width, canvas.height]")
    assert box == [160, 46]
    page.click("main form button")
    page.wait_for_url("**/partner/settings/#logo")
    assert page.locator("#logo .card img").evaluate("img => img.complete && img.naturalWidth > 0")

    page.click("#zone_change")
    page.fill("#id_time_zone", "Mars")
    page.click("main form button")
    visitor.look("Time and language", status=400)
    assert page.title().startswith("Error: ")
    page.fill("#id_time_zone", "dublin")
    page.click("main form button")
    page.wait_for_url("**/partner/settings/#zone")

    page.click("#contact_change")
    page.fill("#id_name", "Cumulus")
    page.click("main form button")
    page.wait_for_url("**/partner/settings/#contact")
    partner = Partner.objects.get(pk=boss.partner_id)
    assert (partner.name, partner.time_zone) == ("Cumulus", "Europe/Dublin")

    page.goto(f"{visitor.site}/i/{offer.token}")
    assert page.locator(f'img.logo[src="{partner.logo_path}"]').count() == 1
    assert visitor.reads("Cumulus")


def test_picture_that_is_none_is_not_shown_and_the_server_says_why(visitor):
    boss = PartnerMemberFactory.create(administrator=True)
    visitor.open("/account/login/", "login")
    visitor.log_in(boss.user, "Overview", variant="console")
    visitor.open("/partner/settings/logo", "Logo")
    broken = {"name": "logo.png", "mimeType": "image/png", "buffer": b"no picture"}
    visitor.page.set_input_files("#id_logo", broken)
    visitor.page.click("main form button")
    visitor.look("Logo", status=400)
    assert visitor.page.locator("canvas.logo").count() == 0
    assert visitor.reads("This file is broken, or is not a picture.")
