"""The console's settings: each section has a form on a page of its own, and who may do it."""

import re
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from association.services.invariants.trail import trail_equals_state
from audit.models import AuditEvent
from partners.enums import NameRefusal
from partners.forms.time_zones import suggested_zones
from partners.models import Partner
from partners.refusals import SENTENCES
from partners.services.settings import edit_settings
from tests.factories import (
    InvitationFactory,
    PartnerFactory,
    PartnerMemberFactory,
    UserFactory,
    make_associated,
)
from tests.partners.test_logos import SVG, drawing, saved
from tests.shown_forms import version_of

pytestmark = pytest.mark.django_db
SETTINGS = "/partner/settings/"
CONTACT = {"name": "Nordwind", "support_email": "help@nordwind.example", "support_phone": "+49 1"}
BUDGET = {
    "default_budget_amount": "1500",
    "default_budget_period": "monthly",
    "default_budget_on_exhaustion": "notify",
}
SECTIONS = {
    "contact": CONTACT,
    "time-zone": {"time_zone": "Europe/Berlin", "invitation_language": "en"},
    "files": {"csv_separator": "semicolon"},
    "budget": BUDGET,
}


def client_of(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


@pytest.fixture
def boss():
    partner = PartnerFactory.create(name="Nimbus", legal_name="Nimbus Ltd.", time_zone="UTC")
    return PartnerMemberFactory.create(administrator=True, partner=partner)


@pytest.fixture
def console(boss):
    return client_of(boss.user)


def send(console, section, page=None, **typed):
    path = f"{SETTINGS}{section}"
    return console.post(path, {**version_of(page or console.get(path)), **typed})


def stored(partner, names):
    partner = Partner.objects.get(pk=partner.pk)
    return {name: getattr(partner, name) for name in names}


def picture(file=None, name="logo.png"):
    return SimpleUploadedFile(name, file or saved(drawing()), "image/png")


@pytest.mark.parametrize("members", [1, 3])
def test_page_has_constant_queries(boss, console, members, django_assert_num_queries):
    PartnerMemberFactory.create_batch(members, partner=boss.partner)
    with django_assert_num_queries(4):
        page = console.get(SETTINGS)
    assert [form.section for form in page.context["sections"]] == [
        *("contact", "logo", "zone", "files", "budget"),
    ]


def test_page_tells_what_is_set_in_words_and_leads_to_each_form(console):
    send(console, "budget", **BUDGET)
    send(console, "contact", **{**CONTACT, "support_phone": ""})
    page = console.get(SETTINGS)
    facts = {
        form.section: dict(form.facts())
        for form in page.context["sections"]
        if form.section != "logo"
    }
    assert facts == {
        "contact": {
            "Name": "Nordwind",
            "Support e-mail": "help@nordwind.example",
            "Support phone": "",
        },
        "zone": {"Time zone": "UTC", "Language of new invitations": "The reader’s own"},
        "files": {"Separator": "Comma"},
        "budget": {
            "Amount": "1,500.00\xa0USD",
            "Period": "Monthly",
            "When used up": "Only tell your organisation",
        },
    }
    content = page.content.decode()
    assert set(re.findall(rf'href="{SETTINGS}([\w-]+)"', content)) == {*SECTIONS, "logo"}
    assert content.count('<span class="muted">Not set</span>') == 1


def test_what_is_typed_in_one_section_cannot_be_lost_by_saving_another(console):
    """Each page has the form of one section: no button leaves what was typed elsewhere behind."""
    main = re.compile(r"<main.*?</main>", re.DOTALL)
    for section in ("", *SECTIONS, "logo"):
        content = main.search(console.get(f"{SETTINGS}{section}").content.decode())[0]
        assert content.count("<form") == bool(section), section


@pytest.mark.parametrize("section", ["", *SECTIONS, "logo"])
def test_settings_are_for_the_partners_administrators_only(boss, section):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    path, typed = f"{SETTINGS}{section}", SECTIONS.get(section, {})
    assert client_of(boss.user).get(path).status_code == 200
    for other in (manager.user, UserFactory.create()):
        assert client_of(other).get(path).status_code == 404
        assert client_of(other).post(path, typed).status_code in {404, 405}
    assert Client(SERVER_NAME="127.0.0.1").get(path).status_code == 302
    assert not AuditEvent.objects.exists()


def test_another_partners_administrator_changes_their_own_partner_only(boss):
    other = PartnerMemberFactory.create(administrator=True)
    assert send(client_of(other.user), "contact", **CONTACT).status_code == 303
    assert stored(boss.partner, ["name"]) == {"name": "Nimbus"}
    assert stored(other.partner, CONTACT) == CONTACT


@pytest.mark.parametrize("section", SECTIONS)
def test_section_is_saved_with_one_event_of_what_changed(boss, console, section):
    typed = SECTIONS[section]
    for _ in range(2):
        answer = send(console, section, **typed)
        assert answer.status_code == 303
        assert answer["Location"].startswith(f"{SETTINGS}#")
    written = stored(boss.partner, typed)
    assert written == {**typed, **(
        {"default_budget_amount": Decimal("1500.00")} if section == "budget" else {}
    )}  # fmt: skip
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, set(event.after)) == (
        *("partner.settings_changed", boss.user, set(typed)),
    )
    assert list(trail_equals_state()) == []


@pytest.mark.parametrize(
    ("section", "typed", "field"),
    [
        ("contact", {"name": ""}, "name"),
        ("contact", {"name": "x" * 81}, "name"),
        ("contact", {"support_email": "help@"}, "support_email"),
        ("contact", {"support_email": "a@example.org\nBcc: b@example.org"}, "support_email"),
        ("contact", {"support_phone": "1" * 41}, "support_phone"),
        ("time-zone", {"time_zone": "Mars/Olympus"}, "time_zone"),
        ("time-zone", {"time_zone": "../../etc/passwd"}, "time_zone"),
        ("time-zone", {"time_zone": "localtime"}, "time_zone"),
        ("time-zone", {"time_zone": "factory"}, "time_zone"),
        ("time-zone", {"time_zone": ""}, "time_zone"),
        ("time-zone", {"invitation_language": "xx"}, "invitation_language"),
        ("files", {"csv_separator": ""}, "csv_separator"),
        ("files", {"csv_separator": "|"}, "csv_separator"),
        ("budget", {"default_budget_amount": "-1"}, "default_budget_amount"),
        ("budget", {"default_budget_amount": "NaN"}, "default_budget_amount"),
        ("budget", {"default_budget_period": ""}, "default_budget_period"),
        ("budget", {"default_budget_period": "weekly"}, "default_budget_period"),
        ("budget", {"default_budget_on_exhaustion": ""}, "default_budget_on_exhaustion"),
    ],
)
def test_bad_input_is_kept_and_nothing_is_saved(boss, console, section, typed, field):
    answer = send(console, section, **{**SECTIONS[section], **typed})
    assert answer.status_code == 400
    form = answer.context["form"]
    assert list(form.errors) == [field]
    if field in typed:
        assert form[field].value() == typed[field]
    assert not AuditEvent.objects.exists()
    assert stored(boss.partner, ["name"]) == {"name": "Nimbus"}


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("europe/dublin", "Europe/Dublin"),
        (" Dublin ", "Europe/Dublin"),
        ("New York", "America/New_York"),
        ("utc", "UTC"),
        ("Asia/Calcutta", "Asia/Calcutta"),
    ],
)
def test_time_zone_is_understood_as_people_type_it(boss, console, typed, zone):
    assert send(console, "time-zone", time_zone=typed).status_code == 303
    assert stored(boss.partner, ["time_zone"]) == {"time_zone": zone}


def test_every_suggested_zone_is_on_the_page_and_can_be_loaded(console):
    page = console.get(f"{SETTINGS}time-zone").content.decode()
    assert set(re.findall(r'<option value="([\w+-]+/[^"]+)">', page)) == (
        set(suggested_zones()) - {"UTC"}
    )


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("Example Cloud", NameRefusal.NAME_OF_PROVIDER),
        ("EXAMPLE-CLOUD  Support", NameRefusal.NAME_OF_PROVIDER),
        ("Éxample Cloud", NameRefusal.NAME_OF_PROVIDER),
        ("Nоrdwind", NameRefusal.NAME_MIXES_ALPHABETS),  # noqa: RUF001
        ("N\u0585rdwind", NameRefusal.NAME_MIXES_ALPHABETS),
        ("\uff2e\u043erdwind", NameRefusal.NAME_MIXES_ALPHABETS),
        ("Example\u3164 Cloud", NameRefusal.NAME_OF_PROVIDER),
        ("Example Cl\u1160oud", NameRefusal.NAME_OF_PROVIDER),
        ("Nørdwind", NameRefusal.NAME_TAKEN),
        ("nord-wind", NameRefusal.NAME_TAKEN),
        ("Nordwind GmbH", NameRefusal.NAME_TAKEN),
    ],
)
def test_name_that_could_be_taken_for_another_is_refused(boss, console, name, refusal):
    PartnerFactory.create(name="Nordwind", legal_name="Nordwind GmbH")
    answer = send(console, "contact", **{**CONTACT, "name": name})
    assert answer.status_code == 409
    assert answer.context["form"].errors == {"name": [str(SENTENCES[refusal])]}
    assert answer.context["form"]["name"].value() == name
    assert stored(boss.partner, ["name"]) == {"name": "Nimbus"}


def test_name_may_be_like_ones_own_legal_name_and_have_words_of_two_alphabets(boss, console):
    for name in ("Nimbus Ltd", "Nimbus Нимбус", "NTTドコモ", "株式会社アルファ"):
        assert send(console, "contact", **{**CONTACT, "name": name}).status_code == 303


def test_provider_may_give_any_name_and_the_rest_is_still_saved(boss, console):
    Partner.objects.filter(pk=boss.partner.pk).update(name="Example Cloud North")
    answer = send(console, "contact", **{**CONTACT, "name": "Example Cloud North"})
    assert answer.status_code == 303
    assert stored(boss.partner, ["support_email"]) == {"support_email": CONTACT["support_email"]}


def test_of_two_who_save_the_second_reads_what_the_first_did(boss, console):
    page = console.get(f"{SETTINGS}contact")
    carol = UserFactory.create(email="carol@partner.example")
    changes = {"name": "Cumulus", "support_email": "help@cumulus.example"}
    edit_settings(partner=boss.partner, changes=changes, by=carol, now=timezone.now())
    answer = send(console, "contact", page, **CONTACT)
    assert answer.status_code == 409
    [error] = answer.context["form"].errors["name"]
    assert error.startswith("Name: Now it is “Cumulus”. carol@partner.example changed it on ")
    assert error.endswith("it was “Nimbus”.")
    assert answer.context["form"]["name"].value() == "Nordwind"
    assert send(console, "contact", answer, **CONTACT).status_code == 303
    assert stored(boss.partner, CONTACT) == CONTACT


def test_change_of_another_section_is_no_conflict(boss, console):
    page = console.get(f"{SETTINGS}contact")
    assert send(console, "budget", **BUDGET).status_code == 303
    assert send(console, "contact", page, **CONTACT).status_code == 303


def test_without_the_version_nothing_is_saved(boss, console):
    assert console.post(f"{SETTINGS}contact", CONTACT).status_code == 400
    assert stored(boss.partner, ["name"]) == {"name": "Nimbus"}


def test_empty_amount_removes_the_default_budget(boss, console):
    send(console, "budget", **BUDGET)
    assert send(console, "budget", **{**BUDGET, "default_budget_amount": ""}).status_code == 303
    assert stored(boss.partner, BUDGET) == {
        "default_budget_amount": None,
        "default_budget_period": "",
        "default_budget_on_exhaustion": "",
    }
    assert list(trail_equals_state()) == []


def test_default_budget_is_whole_or_absent(boss):
    boss.partner.default_budget_amount = 5
    with pytest.raises(IntegrityError):
        boss.partner.save()


def test_default_budget_fills_in_the_form_of_a_first_budget_only(boss, console):
    send(console, "budget", **BUDGET)
    customer = make_associated(invitation=InvitationFactory.create(partner=boss.partner))
    page = console.get(f"/partner/customers/{customer.pk}/budget")
    form = page.context["form"]
    assert [form[name].value() for name in ("amount", "period", "on_exhaustion")] == [
        *("1500.00", "monthly", "notify"),
    ]
    assert "Filled in from the default budget in your settings." in page.content.decode()
    shown = page.content.decode()
    assert "A monthly budget counts what was spent this month already, and begins again on" in shown
    assert "A one-time budget counts from now: its whole amount can be spent" in shown
    customer.budgets.create(
        amount=7, period="one_time", on_exhaustion="freeze", set_at=timezone.now()
    )
    page = console.get(f"/partner/customers/{customer.pk}/budget")
    assert page.context["form"]["amount"].value() == "7.00"
    present = "Present budget: 7.00 USD, one-time; 0.00 USD of it is used. The new one replaces it."
    assert present in page.content.decode().replace("\xa0", " ")
    assert "Filled in from the default budget" not in page.content.decode()


def test_new_invitations_begin_with_the_language(boss, console):
    send(console, "time-zone", time_zone="UTC", invitation_language="en")
    for path in ("new", "email/new", "email/many", "batches/new"):
        form = console.get(f"/partner/invitations/{path}").context["form"]
        assert form["language"].value() == "en", path
        assert not getattr(form, "is_unfolded", bool)()


def test_legal_name_is_shown_with_who_changes_it(console, settings):
    settings.PROVIDER_SUPPORT_EMAIL = "support@cloud.example"
    page = console.get(SETTINGS).content.decode()
    assert "Nimbus Ltd." in page
    assert "Example Cloud changes it." in page
    assert 'href="mailto:support@cloud.example"' in page


def test_logo_is_uploaded_replaced_and_removed(boss, console):
    assert send(console, "logo", logo=picture()).status_code == 303
    first = Partner.objects.get(pk=boss.partner.pk)
    assert f'src="{first.logo_path}"' in console.get(SETTINGS).content.decode()
    other = picture(saved(drawing((100, 100))))
    assert send(console, "logo", logo=other).status_code == 303
    second = Partner.objects.get(pk=boss.partner.pk)
    assert second.logo_id not in {None, first.logo_id}
    assert send(console, "logo", **{"logo-clear": "on"}).status_code == 303
    assert stored(boss.partner, ["logo_id", "logo_width"]) == {"logo_id": None, "logo_width": None}
    assert (
        list(AuditEvent.objects.values_list("action", "actor"))
        == [("partner.logo_changed", boss.user.pk)] * 3
    )


def test_nothing_chosen_is_an_error(console):
    answer = send(console, "logo")
    assert answer.status_code == 400
    assert answer.context["form"].errors == {"logo": ["Choose a picture file."]}


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (SVG, "logo_is_svg"),
        (b"GIF89a", "logo_not_a_picture"),
        (b"x" * (256 * 1024 + 1), "logo_too_large"),
    ],
)
def test_refused_file_says_why_and_changes_nothing(boss, console, file, code):
    answer = send(console, "logo", logo=picture(file))
    assert answer.status_code == 400
    assert answer.context["form"].errors == {"logo": [str(SENTENCES[code])]}
    assert stored(boss.partner, ["logo_id"]) == {"logo_id": None}


def test_huge_file_is_rejected_unread(boss, console):
    assert send(console, "logo", logo=picture(b"x" * 1_500_000)).status_code == 413
    assert console.post(f"{SETTINGS}contact", {"name": picture()}).status_code == 400


def test_second_upload_on_an_old_page_is_told_who_was_first(boss, console):
    page = console.get(f"{SETTINGS}logo")
    carol = PartnerMemberFactory.create(
        administrator=True, partner=boss.partner, user__email="carol@partner.example"
    )
    send(client_of(carol.user), "logo", logo=picture())
    answer = send(console, "logo", page, logo=picture(saved(drawing((100, 100)))))
    assert answer.status_code == 409
    assert "carol@partner.example changed the logo." in answer.content.decode()
    assert AuditEvent.objects.count() == 1
