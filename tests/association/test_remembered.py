"""Unknown visitors' pages are cached by what they show: cheap, fresh, never another's."""

import cProfile
import html
import pstats
import re
import threading
from datetime import timedelta

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client, RequestFactory
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from association.views import remembered
from partners.models import Invitation, Partner
from tests.factories import FROZEN, InvitationFactory, PartnerFactory

pytestmark = pytest.mark.django_db

IN_A_WEEK = timezone.now() + timedelta(days=7)
KINDS = {
    "plain": {},
    "referral": {"referral": True},
    "with a note": {"note": "Hello & welcome\n<b>friend</b>"},
    "limited": {"max_uses": 3, "expires_at": IN_A_WEEK},
    "by e-mail": {"email": True, "note": "Hi"},
    "expired": {"expired": True},
    "revoked": {"revoked": True},
    "used up": {"used_up": True},
}
# Everything between the server and the page, both signals of Django's handler excepted: they are
# up to 280 more with everything that the server calls. An answer that is logged takes most;
# PostgreSQL's driver takes 30 more than SQLite's, and measuring coverage takes a few.
MOST_CALLS = 1_020
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60)
HOSTILE = ["</script><script>alert(1)</script>", '"><img src=x>', "{{ token }}", "%(left)s", "\\1"]


@pytest.fixture(autouse=True)
def _nothing_remembered():
    remembered.forget_pages()


def link(invitation):
    return f"/i/{invitation.token}"


def calls_of(address):
    request = WSGIHandler.request_class(RequestFactory().get(address).environ)
    handler = WSGIHandler()
    profile = cProfile.Profile()
    response = profile.runcall(handler.get_response, request)
    return response, pstats.Stats(profile).total_calls  # type: ignore[attr-defined]


@pytest.mark.parametrize("traits", KINDS.values(), ids=KINDS)
def test_remembered_page_is_the_page_that_a_known_visitor_gets(client, traits):
    known = Client()
    known.cookies["browser"] = "0" * 32
    invitation = InvitationFactory.create(**traits)
    for query in ["", "?lang=en", "?utm_source=a%26b&x=<y>", "?lang=en&x=1"]:
        first = client.get(link(invitation) + query)
        again = client.get(link(invitation) + query)
        drawn = known.get(link(invitation) + query)
        assert first.content == again.content == drawn.content
        assert first.status_code == drawn.status_code


@pytest.mark.parametrize("traits", KINDS.values(), ids=KINDS)
def test_page_of_a_new_token_is_one_statement_and_few_calls(traits, django_assert_num_queries):
    partner = PartnerFactory.create()
    first, second, third = InvitationFactory.create_batch(3, partner=partner, **traits)
    calls_of(link(first))
    with django_assert_num_queries(1):
        calls_of(link(second))
    response, calls = calls_of(link(third))
    assert not response.cookies
    assert calls <= MOST_CALLS
    assert remembered.remembered_page.cache_info().misses == 1


def test_pages_differ_where_the_invitations_do(client):
    partner = PartnerFactory.create()
    one = InvitationFactory.create(partner=partner, note="For Ann", max_uses=1)
    two = InvitationFactory.create(partner=partner, note="For Ben", max_uses=2)
    page_one, page_two = (client.get(link(each)).content.decode() for each in (one, two))
    assert "For Ann" in page_one
    assert "1 place is left." in page_one
    assert f"/i/{one.token}/instructions" in page_one
    swapped = page_one.replace("Ann", "Ben").replace("1 place is", "2 places are")
    assert swapped.replace(one.token, two.token) == page_two


@pytest.mark.parametrize(
    ("model", "change", "status"),
    [
        (Partner, {"name": "Renamed"}, 200),
        (Partner, {"legal_name": "Renamed Ltd."}, 200),
        (Partner, {"country": "FR"}, 200),
        (Partner, {"support_email": "new@partner.example"}, 200),
        (Partner, FROZEN, 410),
        (Partner, {"allows_reseller": False}, 410),
        (Invitation, {"note": "New"}, 200),
        (Invitation, {"used_count": 1}, 200),
        (Invitation, {"used_count": 2}, 410),
        (Invitation, {"revoked_at": timezone.now()}, 410),
        (Invitation, {"expires_at": timezone.now()}, 410),
        (Invitation, {"language": "xx"}, 200),
    ],
)
def test_change_without_a_signal_is_seen_at_once(client, model, change, status):
    invitation = InvitationFactory.create(max_uses=2)
    before = client.get(link(invitation)).content
    # update() sends no signal, and leaves `updated_at` as it is.
    model.objects.update(**change)
    response = client.get(link(invitation))
    known = Client()
    known.cookies["browser"] = "0" * 32
    assert response.status_code == status
    assert response.content == known.get(link(invitation)).content
    assert (response.content == before) is ("language" in change)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=TEXTS, note=TEXTS)
@example(name=HOSTILE[0], note=HOSTILE[1])
@example(name=HOSTILE[2], note=HOSTILE[3])
@example(name=HOSTILE[4], note=HOSTILE[0])
def test_texts_are_put_in_once_and_escaped(client, name, note):
    partner = PartnerFactory.create(name=name, legal_name=name)
    invitation = InvitationFactory.create(partner=partner, note=note, max_uses=7)
    for _ in range(2):
        page = client.get(link(invitation)).content.decode()
        quoted = re.search(r'<blockquote dir="auto">\s*(.*?)\s*</blockquote>', page, re.DOTALL)
        named = re.search(r'<p class="muted">\s*<bdi>(.*?)</bdi>, Ireland', page, re.DOTALL)
        assert html.unescape(quoted[1]).strip() == note.strip()
        assert html.unescape(named[1]) == name
        assert page.count("<script") == 0
        assert page.count("<img") == 0
        assert page.count(invitation.token) == 1


def test_note_of_an_earlier_token_is_no_hole(client):
    partner = PartnerFactory.create()
    first = InvitationFactory.create(partner=partner, note="first")
    client.get(link(first))
    page = remembered.remembered_page.cache_info()
    second = InvitationFactory.create(partner=partner, note=first.token)
    body = client.get(link(second)).content.decode()
    assert body.count(first.token) == 1
    assert body.count(second.token) == 1
    assert remembered.remembered_page.cache_info().misses == page.misses


def test_unknown_and_dead_pages_depend_on_reason_and_name_only(client):
    partner = PartnerFactory.create()
    dead = InvitationFactory.create_batch(2, partner=partner, revoked=True, note="secret")
    assert client.get(link(dead[0])).content == client.get(link(dead[1])).content
    assert client.get("/i/" + "z" * 26).content == client.get("/i/x").content
    assert remembered.remembered_page.cache_info().currsize == 2


def test_memory_is_bounded(client):
    for number in range(remembered.MOST_REMEMBERED + 20):
        shown = (("refusal", "invitation_revoked"), ("partner_name", f"Partner {number}"))
        remembered.remembered_page("association/dead_link.html", "en", shown, ())
    info = remembered.remembered_page.cache_info()
    assert info.currsize == info.maxsize == remembered.MOST_REMEMBERED


def test_message_for_one_visitor_is_shown_to_no_other(client):
    invitation = InvitationFactory.create()
    plain = client.get(link(invitation)).content
    told = Client()
    told.cookies["messages"] = "anything"
    assert told.get(link(invitation)).status_code == 200
    assert client.get(link(invitation)).content == plain


def test_threads_that_draw_and_fill_at_once_never_mix(client):
    request = RequestFactory().get("/")
    shown = {"refusal": "invitation_revoked"}
    mixed = []

    def fill(number):
        for turn in range(20):
            own = {"partner_name": f"({number}-{turn})"}
            page = remembered.answer_alike(
                request, "association/dead_link.html", shown=shown, own=own
            )
            text = page.content.decode()
            if set(re.findall(r"\(\d+-\d+\)", text)) != {f"({number}-{turn})"}:
                mixed.append(text)

    threads = [threading.Thread(target=fill, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mixed == []
