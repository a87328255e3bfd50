"""Every form that changes something carries the version that its page showed.

The pages of console, account area and admin are visited. A form without the version fails, unless
its action means the same whatever was decided meanwhile: then it is listed here with the reason.
"""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone

from accounts.models import CustomerAccount
from tests import factories
from tests.conventions.routes import Route, routes
from tests.integration.calls import make_key
from tests.integration.webhooks import make_delivery
from tests.worlds import module_world
from web.admin.base import SafeModelAdmin
from web.admin.confirmation import ConfirmedAction
from web.versioned_forms import SHOWN_VERSION

pytestmark = pytest.mark.django_db

FORM = re.compile(r"<form\b(?P<attributes>[^>]*)>(?P<content>.*?)</form>", re.DOTALL)
ACTION = re.compile(r'\baction="([^"]*)"')

NEW = "makes something new"
FINAL = "ends something for good, whatever it is by then"
SAME = "a second time, or in another state, the service refuses or does nothing"
SHOWN = "carries what it showed under names of its own"
OWN = "the user's own, and proven by the password or a code"

MEANS_THE_SAME = {
    "account_change_password": OWN,
    "account_reauthenticate": OWN,
    "account_reset_password": OWN,
    "second_factor": OWN,
    "account_disconnect_login": FINAL,
    "account_logout": FINAL,
    "issuer_start": "leads to another system, and changes nothing",
    "account_settings": SAME,
    "ask_partner": SAME,
    "console_answer_invitation_request": SAME,
    "console_bulk_customers": "its rows never change, and each is checked again",
    "console_bulk_invitations": "its rows never change, and each is checked again",
    "console_cancel_batch": FINAL,
    "console_choose_customers": NEW,
    "console_choose_invitations": NEW,
    "console_choose_of_batch": NEW,
    "console_dismiss_invitation_request": SAME,
    "console_end": SHOWN,
    "console_follow_up": SAME,
    "console_invite_member": NEW,
    "console_many_emails": NEW,
    "console_mailing": SAME,
    "console_new_batch": NEW,
    "console_new_email": NEW,
    "console_new_key": NEW,
    "console_new_webhook": NEW,
    "console_new_link": NEW,
    "console_remove_member": FINAL,
    "console_request_authorization": SAME,
    "console_resend_invitation": SAME,
    "console_reveal_address": "shows an address, and changes nothing",
    "console_reveal_customer": "shows an address, and changes nothing",
    "console_revoke_invitation": FINAL,
    "console_revoke_key": FINAL,
    "console_delete_webhook": FINAL,
    "console_replay_webhook": NEW,
    "console_rotate_webhook": NEW,
    "console_test_webhook": NEW,
    "console_turn_off_webhook": SAME,
    "console_turn_on_webhook": SAME,
    "console_send_member_invitation": SAME,
    "console_withdraw_member_invitation": FINAL,
    "decline_membership": FINAL,
    "my_authorization": SHOWN,
    "my_end": SHOWN,
    "set_language": "the reader's language",
}
# Actions of the admin whose page needs no version, for the same reasons.
ACTIONS_MEAN_THE_SAME = {
    "agree": SAME,
    "decline": SAME,
    "dismiss": SAME,
    "end": FINAL,
    "invite_administrator": SAME,
    "revoke": FINAL,
    "send_again": SAME,
    "send_invitation": SAME,
    "send_reset_links": SAME,
    "withdraw": FINAL,
}


@dataclass
class World:
    ids: dict[str, Any]
    clients: list[Client]


def client_of(user: Any) -> Client:
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


@module_world
def world() -> World:
    make: Any = factories
    boss = make.PartnerMemberFactory(administrator=True)
    invitation = make.InvitationFactory(partner=boss.partner, created_by=boss.user)
    association = make.make_associated(invitation=invitation)
    association.budgets.create(
        amount=5, period="monthly", on_exhaustion="freeze", set_at=timezone.now()
    )
    mailing = make.BatchRowFactory(batch__partner=boss.partner, batch__created_by=boss.user).batch
    bulk_customers = make.BulkActionFactory(
        kind="freeze", partner=boss.partner, created_by=boss.user
    )
    make.BulkActionRowFactory(action=bulk_customers, object_id=association.pk)
    bulk = make.BulkActionRowFactory(
        invitation=invitation, action__partner=boss.partner, action__created_by=boss.user
    ).action
    invited = make.UserFactory()
    make.MemberInvitationFactory(address=invited.email)
    make.BillFactory()
    refused = make.make_attempt(
        invitation=make.InvitationFactory(partner=boss.partner, created_by=boss.user),
        account=make.CustomerAccountFactory(internal=True),
    )
    delivery = make_delivery(boss.partner)
    return World(
        ids={
            "association_id": association.pk,
            "attempt_id": refused.pk,
            "batch_id": make.InvitationBatchFactory(partner=boss.partner).pk,
            "bulk_action_id": bulk.pk,
            "console_bulk_customers": bulk_customers.pk,
            "console_bulk_customers_csv": bulk_customers.pk,
            "console_mailing": mailing.pk,
            "console_bad_rows": mailing.pk,
            "console_list_remarks": mailing.pk,
            "invitation_id": invitation.pk,
            "invitation_request_id": make.InvitationRequestFactory(invitation=invitation).pk,
            "member_id": make.PartnerMemberFactory(partner=boss.partner).pk,
            "key_id": make_key(boss.partner)[0].pk,
            "endpoint_id": delivery.endpoint_id,
            "delivery_id": delivery.pk,
            "issuer_id": "cloud",
            "login_id": make.ConnectedLoginFactory(user=association.account.owner).pk,
            "member_invitation_id": make.MemberInvitationFactory(partner=boss.partner).pk,
            "consent_id": association.account.consents.get().pk,
        },
        clients=[client_of(user) for user in (boss.user, association.account.owner, invited)],
    )


def pages(world: World) -> list[str]:
    """Return the address of every page of console and account area."""
    return [
        address(route, world)
        for route in routes()
        if route.pattern.startswith(("partner/", "account/"))
    ]


def address(route: Route, world: World) -> str:
    parameters = {name: world.ids.get(route.name, world.ids[name]) for name in route.parameters}
    return reverse(route.name, kwargs=parameters)


def post_forms(page: str, content: str) -> list[tuple[str, str]]:
    """Return the name of the action, and the content, of each form that posts."""
    found = []
    for form in FORM.finditer(content):
        if 'method="post"' not in form["attributes"]:
            continue
        action = ACTION.search(form["attributes"])
        path = (action[1] if action else "") or page
        try:
            found.append((resolve(path.split("?")[0]).url_name or path, form["content"]))
        except Resolver404:
            found.append((path, form["content"]))
    return found


def without_version(forms: list[tuple[str, str]]) -> set[str]:
    return {name for name, content in forms if f'name="{SHOWN_VERSION}"' not in content}


def visited_forms(world: World) -> list[tuple[str, str]]:
    forms = []
    for client in world.clients:
        for page in pages(world):
            answer = client.get(page)
            if answer.status_code == 200 and "html" in answer["Content-Type"]:
                forms += post_forms(page, b"".join(answer).decode())
    return forms


@pytest.mark.slow
def test_every_editing_form_carries_the_version_that_its_page_showed(world):
    forms = visited_forms(world)

    assert without_version(forms) - MEANS_THE_SAME.keys() == set()
    # The visit has seen the forms that matter.
    assert {name for name, _content in forms} - without_version(forms) == {
        "accept_membership",
        "console_assign_manager",
        "console_edit_contact",
        "console_edit_default_budget",
        "console_edit_invitation",
        "console_edit_logo",
        "console_edit_member",
        "console_edit_webhook",
        "console_edit_files",
        "console_edit_zone",
        "console_freeze",
        "console_notifications",
        "console_rename_batch",
        "console_rename_customer",
        "console_set_budget",
        "console_unfreeze",
    }


def test_no_exception_is_left_over(world):
    names = {route.name for route in routes()} | {"set_language"}

    assert MEANS_THE_SAME.keys() - names == set()


def test_form_without_a_version_is_found():
    page = '<form method="post"><input name="label"></form>'
    get = '<form method="get"><input name="q"></form>'
    good = f'<form method="post" action="/x"><input type="hidden" name="{SHOWN_VERSION}"></form>'

    forms = post_forms(reverse("console_customers"), page + get + good)

    assert forms[1][0] == "/x"
    assert without_version(forms) == {"console_customers"}


# --- the admin


def admin_pages() -> list[Any]:
    return list(admin.site._registry.values())


def test_admin_pages_change_rows_by_their_one_base(world):
    wrong = [
        str(page)
        for page in admin_pages()
        if not isinstance(page, SafeModelAdmin) or page.list_editable or page.inlines
    ]

    assert wrong == []


def test_admin_forms_carry_the_version(world):
    boss = factories.UserFactory.create(staff=True)
    request, client, seen, wrong = RequestFactory().get("/"), client_of(boss), set(), set()
    request.user = boss
    for page in admin_pages():
        row = page.model._base_manager.order_by("-pk").first()
        for name in ("change", "delete"):
            if row is None or not getattr(page, f"has_{name}_permission")(request, row):
                continue
            label = f"{page.opts.app_label}_{page.opts.model_name}_{name}"
            content = client.get(reverse(f"admin:{label}", args=[row.pk])).content.decode()
            # A button of an action leads to its confirmation page, which carries the version.
            others = ("logout", "_changelist")
            forms = [form for form in post_forms("/", content) if not form[0].endswith(others)]
            seen.add(label)
            if without_version(forms):
                wrong.add(label)

    assert wrong == set()
    assert {"accounts_user_change", "partners_partner_change", "accounts_bill_delete"} <= seen


def test_admin_actions_carry_the_version():
    without = {
        name
        for page in admin_pages()
        for name in page.actions or ()
        if (definition := definition_of(getattr(type(page), name))) and definition.shows is None
    }

    assert without == ACTIONS_MEAN_THE_SAME.keys()


def definition_of(action: Any) -> ConfirmedAction | None:
    cells = [cell.cell_contents for cell in action.__closure__ or ()]
    return next((cell for cell in cells if isinstance(cell, ConfirmedAction)), None)


def test_action_of_the_admin_has_a_definition_that_is_found():
    page: Any = admin.site._registry[CustomerAccount]
    found = definition_of(type(page).freeze_for_provider)

    assert found is not None
    assert found.shows is not None
