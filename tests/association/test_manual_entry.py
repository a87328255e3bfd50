"""A token typed by hand: forgiving about how it is typed, and never about what it is."""

import pytest

from partners.tokens import grouped_token
from tests.factories import InvitationFactory
from tests.tables import tables

pytestmark = pytest.mark.django_db

TOKEN = "01k9mzp4x0vd8hj2ns6wt5ybr7"


@pytest.mark.parametrize(
    "typed",
    [
        TOKEN,
        TOKEN.upper(),
        grouped_token(TOKEN),
        grouped_token(TOKEN).replace(" ", "-"),
        grouped_token(TOKEN).replace(" ", "\N{EN DASH}"),
        f"  {grouped_token(TOKEN).lower()}\t",
        TOKEN.replace("0", "O").replace("1", "l"),
        TOKEN.replace("0", "o").replace("1", "I"),
        f"https://cloud.example/i/{TOKEN}",
        f"HTTPS://CLOUD.EXAMPLE/I/{TOKEN.upper()}/",
        f"“https://cloud.example/i/{TOKEN}?utm_source=x#top”.",
        f"https://eur02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fcloud.example%2Fi%2F{TOKEN}"
        "&data=05%7C02",
        f"\u200b{TOKEN[:9]}\u2060{TOKEN[9:]}\u200e",
    ],
)
def test_token_is_understood_however_it_is_typed(client, typed):
    InvitationFactory.create(token=TOKEN)
    response = client.post("/join/", {"token": typed})
    assert (response.status_code, response["Location"]) == (303, f"/i/{TOKEN}")
    assert client.get(response["Location"]).status_code == 200


@pytest.mark.parametrize(
    "typed",
    ["", " ", TOKEN[:-1], TOKEN + "0", "u" * 26, "é" * 26, "\x00" * 26, "<b>" * 9, "0" * 5000],
)
def test_what_cannot_be_a_token_is_a_form_error(client, typed):
    before = tables()
    response = client.post("/join/", {"token": typed})
    assert response.status_code == 400
    assert 'aria-invalid="true"' in response.content.decode()
    assert "<b><b>" not in response.content.decode()
    assert tables() == before


def test_typed_values_are_shown_again(client):
    response = client.post("/join/", {"token": "not a token & more"})
    assert 'value="not a token &amp; more"' in response.content.decode()


def test_nothing_posted_is_a_form_error(client):
    assert client.post("/join/").status_code == 400


def test_well_formed_unknown_token_leads_to_the_page_of_unknown_ones(client):
    response = client.post("/join/", {"token": "0" * 26}, follow=True)
    assert response.redirect_chain == [(f"/i/{'0' * 26}", 303)]
    assert response.status_code == 404


def test_looking_changes_nothing(client):
    before = tables()
    assert client.get("/join/").status_code == 200
    assert client.head("/join/").status_code == 200
    assert client.get("/")["Location"] == "/join/"
    assert tables() == before
