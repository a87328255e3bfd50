"""The demo: complete, repaired when it has been used, and never older than a day."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Bill, CustomerAccount, Resource, User
from association.models import Association, Attempt
from association.services.admission import admit
from association.services.eligibility import RULES
from association.services.invariants.checking import find_violations
from demo.examples import ADMIN, CUSTOMER_PASSWORD, PASSWORDS
from outbox.models import OutboxMessage
from partners.enums import Channel
from partners.models import Invitation, Partner, PartnerMember
from partners.services.invitation_use import find_invitation
from partners.services.invitations import revoke_invitation
from tests.demo_json import load
from tests.factories import FROZEN, make_associated, make_attempt
from tests.worlds import module_world

pytestmark = pytest.mark.django_db

CODES = [rule.code.value for rule in RULES]
NAMES = ["eligible", "eligible_not_enabled", *CODES]


@module_world
def demo():
    return load()


def invitation_at(url):
    return find_invitation(url.rpartition("/")[2])


def account_of(login):
    return CustomerAccount.objects.get(owner__email=login)


def follow(part, **options):
    """Associate the account with the invitation it was given."""
    return make_associated(
        invitation=invitation_at(part["invitation"]), account=account_of(part["login"]), **options
    )


def rows():
    """How many rows there are of everything that the demo writes."""
    models = (User, CustomerAccount, Invitation, Attempt, Association, OutboxMessage, Bill)
    return [model.objects.count() for model in models]


# --- what there is


def test_demo_invitations_are_what_they_are_called(demo):
    found = {key: invitation_at(url) for key, url in demo["invitations"].items()}
    now = timezone.now()
    shown = {
        key: (i.association_type, i.channel, i.is_bound, i.refusal(now)) for key, i in found.items()
    }
    assert shown == {
        "reseller_link": ("reseller", "link", False, None),
        "reseller_email": ("reseller", "email", False, None),
        "referral_link": ("referral", "link", False, None),
        "referral_email": ("referral", "email", False, None),
        "expired": ("reseller", "link", False, "invitation_expired"),
        "revoked": ("reseller", "link", False, "invitation_revoked"),
        "used_up": ("reseller", "link", False, "invitation_used_up"),
    }


def test_demo_accounts_are_refused_for_their_name_alone(demo):
    refusals = {}
    for name, part in demo["accounts"].items():
        invitation, account = invitation_at(part["invitation"]), account_of(part["login"])
        assert (invitation.channel, invitation.association_type) == (Channel.EMAIL, "reseller")
        assert (invitation.recipient, invitation.is_bound) == (part["login"], True)
        assert invitation.refusal(timezone.now()) is None
        assert account.is_enabled == (name != "eligible_not_enabled")
        attempt = make_attempt(invitation=invitation, account=account, registered=False)
        refusals[name] = admit(attempt=attempt, now=timezone.now()).refusal_codes
    alone = {code: [code] for code in CODES}
    assert refusals == {"eligible": [], "eligible_not_enabled": [], **alone}


def test_demo_breaks_no_invariant():
    assert list(find_violations()) == []


@pytest.mark.parametrize("who", ["partner", "admin", "eligible", "is_partner"])
def test_demo_login_opens_the_door(client, who, demo):
    login = demo["accounts"].get(who) or demo[who]
    typed = {"login": login["login"], "password": login["password"]}
    assert client.post("/account/login/", typed).status_code in {302, 303}
    assert client.get("/admin/").status_code == (200 if who == "admin" else 302)


def test_demo_passwords_are_fixed_and_long():
    passwords = {CUSTOMER_PASSWORD, *PASSWORDS.values()}
    assert min(map(len, passwords)) >= 12
    assert PASSWORDS[ADMIN] != "admin"


# --- repair


def test_unspent_demo_stays_as_it_is(demo):
    before = rows()
    assert load() == demo
    assert rows() == before


def test_customers_on_a_link_do_not_spend_it(demo):
    make_associated(invitation=invitation_at(demo["invitations"]["reseller_link"]))
    assert load() == demo


@pytest.mark.parametrize("name", ["eligible", "eligible_not_enabled"])
def test_associated_account_is_followed_by_a_fresh_one(name, demo):
    follow(demo["accounts"][name])
    second = load()
    account = second["accounts"][name]
    assert account["login"] == f"{name.replace('_', '-')}-2@demo.example"
    assert account["invitation"] != demo["accounts"][name]["invitation"]
    assert account_of(account["login"]).is_enabled == (name == "eligible")
    assert second == {**demo, "accounts": {**demo["accounts"], name: account}}
    follow(account)
    third = load()
    assert third["accounts"][name]["login"] == f"{name.replace('_', '-')}-3@demo.example"
    assert list(find_violations()) == []


def test_only_what_is_new_is_e_mailed(demo):
    follow(demo["accounts"]["eligible"])
    OutboxMessage.objects.all().delete()
    load()
    assert list(OutboxMessage.objects.values_list("kind", "recipient")) == [
        ("partners.invitation", "eligible-2@demo.example")
    ]


@pytest.mark.parametrize("key", ["reseller_email", "referral_email"])
def test_used_invitation_by_email_is_replaced(key, demo):
    make_associated(invitation=invitation_at(demo["invitations"][key]))
    second = load()
    fresh = second["invitations"][key]
    assert fresh != demo["invitations"][key]
    assert second == {**demo, "invitations": {**demo["invitations"], key: fresh}}
    assert list(find_violations()) == []


def test_invitation_by_email_is_replaced_however_often_a_day():
    for _ in range(4):
        make_associated(invitation=invitation_at(load()["invitations"]["reseller_email"]))
    assert invitation_at(load()["invitations"]["reseller_email"]).refusal(timezone.now()) is None


@pytest.mark.parametrize("key", ["reseller_link", "used_up", "expired"])
def test_revoked_invitation_is_replaced(key, demo):
    revoke_invitation(
        invitation=invitation_at(demo["invitations"][key]), by=None, now=timezone.now()
    )
    fresh = load()["invitations"][key]
    assert fresh != demo["invitations"][key]
    assert load()["invitations"][key] == fresh
    assert list(find_violations()) == []


def test_account_with_an_unknown_fact_is_replaced(demo):
    account = account_of(demo["accounts"]["eligible"]["login"])
    now = timezone.now()
    Bill.objects.create(
        account=account, amount="5.00", paid_amount="0.00", issued_at=now, source="x"
    )
    assert load()["accounts"]["eligible"]["login"] == "eligible-2@demo.example"


def test_paid_bill_is_unpaid_again(demo):
    Bill.objects.update(paid_amount=1000)
    assert load() == demo
    assert Bill.objects.filter(paid_amount=0).count() == 1


def test_changed_passwords_and_powers_are_set_back(client, demo):
    for user in User.objects.all():
        user.set_password("something else entirely")
        user.is_active = user.is_superuser = False
        user.save()
    Partner.objects.update(**FROZEN, allows_referral=False)
    assert load() == demo
    typed = {"login": demo["admin"]["login"], "password": demo["admin"]["password"]}
    client.post("/account/login/", typed)
    assert client.get("/admin/").status_code == 200
    assert not Partner.objects.filter(status="frozen").exists()


@pytest.mark.parametrize("days", [3, 8, 400])
def test_moments_follow_the_clock(days, demo):
    before = rows()
    with time_machine.travel(timezone.now() + timedelta(days=days), tick=False):
        assert load() == demo
        assert rows() == before
        now = timezone.now()
        ages = {
            name: now - account_of(part["login"]).registered_at
            for name, part in demo["accounts"].items()
        }
        week = timedelta(days=7)
        assert [name for name, age in ages.items() if age > week] == ["registered_too_long"]
        for url in (demo["invitations"]["reseller_email"], *invitations_of(demo)):
            assert invitation_at(url).expires_at - now > timedelta(days=6)
        waiting = [v for v in find_violations() if v.invariant != "I8"]
        assert waiting == []


def invitations_of(demo):
    return [part["invitation"] for part in demo["accounts"].values()]


# --- the command


def test_demo_prints_what_to_open_first(demo):
    output = StringIO()
    call_command("demo", stdout=output, no_color=True)
    lines = output.getvalue().splitlines()
    assert lines[2:4] == [
        "  Open first   http://127.0.0.1:8000/demo/",
        "  Mails        http://127.0.0.1:8000/demo/mailbox/",
    ]
    text = output.getvalue()
    logins = [*demo["accounts"].values(), demo["partner"], demo["admin"]]
    printed = [*demo["invitations"].values(), *invitations_of(demo)]
    printed += [login[name] for login in logins for name in ("login", "password")]
    assert [value for value in printed if value not in text] == []


# --- the page


def test_page_shows_every_invitation_and_account(client, demo):
    page = client.get("/demo/").content.decode()
    shown = [
        *demo["invitations"].values(),
        *invitations_of(demo),
        *(part["login"] for part in demo["accounts"].values()),
        *demo["partner"].values(),
        *demo["admin"].values(),
        CUSTOMER_PASSWORD,
        'href="/demo/mailbox/"',
        'src="data:image/svg+xml;base64,',
    ]
    assert [text for text in shown if text not in page] == []
    assert "Some of it has been used" not in page


def test_page_says_what_has_been_used(client, demo):
    follow(demo["accounts"]["eligible"])
    make_associated(invitation=invitation_at(demo["invitations"]["referral_email"]))
    page = client.get("/demo/").content.decode()
    assert "Some of it has been used" in page
    assert page.count(">Used</span>") == 2


def test_page_writes_nothing_and_does_not_grow(client, django_assert_num_queries, demo):
    before = rows()
    with django_assert_num_queries(5):
        client.get("/demo/")
    follow(demo["accounts"]["eligible"])
    load()
    with django_assert_num_queries(5):
        client.get("/demo/")
    assert rows()[-1] == before[-1]


def test_page_answers_nothing_but_reading(client):
    assert client.post("/demo/").status_code == 405


def test_eligible_sees_numbers_before_it_associates(demo):
    account = account_of(demo["accounts"]["eligible"]["login"])
    assert (account.coupons.count(), Resource.objects.filter(account=account).count()) == (2, 3)


def test_is_partner_belongs_to_another_partner():
    member = PartnerMember.objects.get(user__email="is-partner@demo.example")
    assert member.partner.slug == "kite-and-harbour"
