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

    page.set_input_files("#logo_logo", logo_file())
    page.wait_for_selector("canvas.logo")
    box = page.locator("canvas.logo").evaluate("canvas => [canvas.width, canvas.height]")
    assert box == [160, 46]
    page.click("#logo button")
    page.wait_for_url("**/partner/settings/#logo")
    assert page.locator("#logo .card img").evaluate("img => img.complete && img.naturalWidth > 0")

    page.fill("#zone_time_zone", "Mars")
    page.click("#zone button")
    visitor.look("Settings", status=400)
    assert page.title().startswith("Error: ")
    page.fill("#zone_time_zone", "dublin")
    page.click("#zone button")
    page.wait_for_url("**/partner/settings/#zone")

    page.fill("#contact_name", "Cumulus")
    page.click("#contact button")
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
    visitor.open("/partner/settings/", "Settings")
    broken = {"name": "logo.png", "mimeType": "image/png", "buffer": b"no picture"}
    visitor.page.set_input_files("#logo_logo", broken)
    visitor.page.click("#logo button")
    visitor.look("Settings", status=400)
    assert visitor.page.locator("canvas.logo").count() == 0
    assert visitor.reads("This file is broken, or is not a picture.")


def test_saving_one_section_asks_before_what_was_typed_in_another_is_lost(visitor):
    boss = PartnerMemberFactory.create(administrator=True, partner__name="Nimbus")
    visitor.open("/account/login/", "login")
    visitor.log_in(boss.user, "Overview", variant="console")
    visitor.open("/partner/settings/", "Settings")
    page, asked = visitor.page, []

    def stay(dialog):
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.fill("#contact_name", "Cumulus")
    page.click("#zone button", no_wait_after=True)
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    assert page.input_value("#contact_name") == "Cumulus"

    page.click("#contact button")
    page.wait_for_url("**/partner/settings/#contact")
    assert asked == ["beforeunload"]
    assert Partner.objects.get(pk=boss.partner_id).name == "Cumulus"
