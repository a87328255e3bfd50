"""Admin pages that were open while something was decided: nothing of it is taken back."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import Bill, CustomerAccount, User
from accounts.services.freezes import freeze_account
from accounts.services.passwords import change_password
from association.models import LegalDocument
from association.services.documents import publish_document
from association.services.invariants.trail import trail_equals_state
from audit.models import AuditEvent
from partners.models import Partner
from partners.services.invitations import edit_invitation, revoke_invitation
from partners.services.partner_freezes import freeze_partner
from tests import factories as typed_factories
from tests.shown_forms import version_of
from web.versioned_forms import NOT_SAVED

# The checker takes a factory for what it makes.
factories: Any = typed_factories

pytestmark = pytest.mark.django_db

UPDATED = re.compile(r'"(\w+)" = ')
OLD, NEW = "Long winded horses 1", "Long winded horses 2"


class Page:
    """A page of the admin that somebody opened, and sends later with what it showed."""

    def __init__(self, obj: Any, page: str = "change") -> None:
        self.client = Client()
        self.client.force_login(factories.UserFactory(staff=True))
        meta = obj._meta
        self.address = reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=[obj.pk])
        self.shown = self.client.get(self.address)

    def send(self, shown: Any = None, **typed: Any) -> Any:
        """Send every field as it was shown, except those that were typed."""
        form = self.shown.context.get("adminform")
        fields = form.form if form else None
        data = {} if fields is None else sent_fields(fields)
        data |= {**version_of(shown or self.shown), **typed}
        return self.client.post(
            self.address, {name: value for name, value in data.items() if value is not None}
        )


def sent_fields(form: Any) -> dict[str, Any]:
    """Return what a browser sends for the form as it was shown."""
    sent: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        if hasattr(bound.field.widget, "widgets"):
            parts = bound.field.widget.decompress(value)
            sent |= {f"{bound.html_name}_{n}": str(p or "") for n, p in enumerate(parts)}
        elif isinstance(value, bool):
            sent |= {bound.html_name: "on"} if value else {}
        elif isinstance(value, list):
            sent[bound.html_name] = [getattr(row, "pk", row) for row in value]
        else:
            sent[bound.html_name] = "" if value is None else str(value)
        if bound.field.show_hidden_initial:
            sent |= {f"initial-{n}": v for n, v in sent.items() if n.startswith(bound.html_name)}
    return sent


def problem(answer: Any) -> str:
    return str(answer.content.decode())


# --- the five cases that were seen


def test_password_that_its_user_has_just_changed_stays() -> None:
    user = factories.UserFactory(password=OLD)
    page = Page(user)
    change_password(user=user, password=NEW, by=user, now=timezone.now())

    assert page.send(language="en").status_code == 302

    user.refresh_from_db()
    assert user.check_password(NEW)


def test_partner_keeps_what_another_page_has_decided() -> None:
    partner = factories.PartnerFactory()
    page, other = Page(partner), Page(partner)
    assert other.send(time_zone="Europe/Paris", allows_referral=None).status_code == 302

    answer = page.send(name="New name")

    partner.refresh_from_db()
    assert (partner.time_zone, partner.allows_referral) == ("Europe/Paris", False)
    changer = AuditEvent.objects.get().actor
    assert changer is not None
    text = problem(answer)
    assert answer.status_code == 409
    assert f"Now it is “Europe/Paris”. {changer.get_username()} changed it on" in text
    assert "it was “UTC”." in text
    assert "Now it is no." in text
    assert 'value="New name"' in text
    assert partner.name != "New name"


def test_conflict_is_told_at_the_top_with_the_names_of_what_changed() -> None:
    """Nothing has to be corrected: the page does not ask for it."""
    partner = factories.PartnerFactory()
    page = Page(partner)
    Page(partner).send(time_zone="Europe/Paris", allows_referral=None)
    text = problem(page.send(name="New name"))
    assert "Please correct" not in text
    box = text[text.index('class="errornote"') :].split("</div>")[0]
    assert str(NOT_SAVED) in box
    assert "Changed: “Time zone”, “" in box
    assert text.count(str(NOT_SAVED)) == 1
    assert "Error:" in text[text.index("<title>") : text.index("</title>")]


def test_conflict_is_saved_on_purpose_by_pressing_again() -> None:
    partner = factories.PartnerFactory()
    page = Page(partner)
    Page(partner).send(time_zone="Europe/Paris")
    answer = page.send(name="New name")

    assert page.send(shown=answer, name="New name").status_code == 302

    partner.refresh_from_db()
    assert (partner.name, partner.time_zone) == ("New name", "UTC")
    assert list(trail_equals_state()) == []


def test_field_that_was_not_touched_shows_what_was_decided_meanwhile() -> None:
    partner = factories.PartnerFactory()
    page = Page(partner)
    Page(partner).send(time_zone="Europe/Paris", name="Theirs")

    form = page.send(name="Mine").context["adminform"].form

    assert (form["time_zone"].value(), form["name"].value()) == ("Europe/Paris", "Mine")


def test_deactivated_user_stays_deactivated() -> None:
    user = factories.UserFactory()
    page = Page(user)
    Page(user).send(is_active=None)

    assert page.send(language="en").status_code == 409

    user.refresh_from_db()
    assert (user.is_active, user.language) == (False, "")


def test_services_of_an_associated_account_stay_enabled() -> None:
    account = factories.CustomerAccountFactory()
    page = Page(account)
    factories.make_associated(account=account)

    assert page.send(country="FR").status_code == 409

    account.refresh_from_db()
    assert account.services_enabled_at is not None


def test_published_document_is_not_made_a_draft_with_another_text() -> None:
    draft = LegalDocument.objects.create(
        kind="instructions", language="en", version=99, title="Draft", body="Text"
    )
    page, deletion = Page(draft), Page(draft, "delete")
    by = factories.UserFactory(staff=True)
    publish_document(document=draft, by=by, now=timezone.now())

    answer = page.send(body="Another <b>\ntext")

    assert answer.status_code == 409
    assert f" now. {by.account_name} changed it on" in problem(answer)
    assert "Another &lt;b&gt;<br>text" in problem(answer)
    assert deletion.send(post="yes").status_code == 409
    draft.refresh_from_db()
    assert (draft.body, draft.published_at is not None) == ("Text", True)


# --- the rest of the kind


def test_what_the_form_does_not_show_never_conflicts() -> None:
    user = factories.UserFactory()
    page = Page(user)
    User.objects.filter(pk=user.pk).update(last_login=timezone.now(), account_name="new-name")

    assert page.send(language="en").status_code == 302

    user.refresh_from_db()
    assert (user.account_name, user.language) == ("new-name", "en")
    assert user.last_login is not None


def test_only_the_changed_fields_are_written() -> None:
    page = Page(factories.PartnerFactory())
    with CaptureQueriesContext(connection) as captured:
        assert page.send(name="New").status_code == 302

    settings = [UPDATED.findall(query["sql"].split(" WHERE ")[0]) for query in captured]
    assert [columns for columns in settings if "name" in columns] == [["name", "updated_at"]]


def test_typing_what_was_decided_meanwhile_is_no_conflict() -> None:
    partner = factories.PartnerFactory()
    page = Page(partner)
    Page(partner).send(time_zone="Europe/Paris")

    assert page.send(time_zone="Europe/Paris").status_code == 302
    assert AuditEvent.objects.count() == 1


def test_groups_and_permissions_conflict_too() -> None:
    user, group = factories.UserFactory(), Group.objects.create(name="Billing")
    page = Page(user)
    Page(user).send(groups=[group.pk])

    answer = page.send(language="en")

    assert answer.status_code == 409
    assert "Now it is Billing." in problem(answer)
    assert f'<option value="{group.pk}" selected>' in problem(answer)
    assert list(user.groups.all()) == [group]


def test_permissions_of_a_group_conflict() -> None:
    group = Group.objects.create(name="Billing")
    page, permission = Page(group), Permission.objects.first()
    assert permission is not None
    Page(group).send(permissions=[permission.pk])

    assert page.send(name="Support").status_code == 409
    assert list(group.permissions.all()) == [permission]


def test_fact_that_was_corrected_meanwhile_is_neither_changed_nor_deleted() -> None:
    bill = factories.BillFactory()
    page, deletion = Page(bill), Page(bill, "delete")
    Page(bill).send(paid_amount="7.00")

    answer = deletion.send(post="yes")

    assert page.send(amount="1.00").status_code == 409
    assert answer.status_code == 409
    assert "Paid amount: Now it is “7.00”." in problem(answer)
    assert deletion.send(shown=answer, post="yes").status_code == 302
    assert not Bill.objects.exists()


def test_invitation_that_the_partner_edited_meanwhile_conflicts() -> None:
    invitation = factories.InvitationFactory(label="Spring")
    page = Page(invitation)
    edit_invitation(
        invitation=invitation, label="Summer", note="", expires_at=None, max_uses=5,
        by=invitation.created_by, now=timezone.now(),
    )  # fmt: skip

    answer = page.send(note="Hello")

    invitation.refresh_from_db()
    assert (answer.status_code, invitation.label, invitation.note) == (409, "Summer", "")
    assert "Now it is “Summer”." in problem(answer)


def test_invitation_that_was_revoked_meanwhile_is_not_said_to_be_saved() -> None:
    invitation = factories.InvitationFactory(label="Spring")
    page = Page(invitation)
    revoke_invitation(invitation=invitation, by=invitation.created_by, now=timezone.now())

    answer = page.send(label="Summer")

    invitation.refresh_from_db()
    assert (answer.status_code, invitation.label) == (409, "Spring")
    assert "“revoked at” is “" in problem(answer)
    assert "The system changed it on" in problem(answer)
    assert "Summer" in problem(answer)


def test_invitation_whose_partner_was_frozen_meanwhile_is_closed() -> None:
    invitation = factories.InvitationFactory(label="Spring")
    page = Page(invitation)
    freeze_partner(
        partner=invitation.partner,
        reason="Complaints",
        by=factories.UserFactory(staff=True),
        now=timezone.now(),
    )

    answer = page.send(label="Summer")

    invitation.refresh_from_db()
    assert (answer.status_code, invitation.label) == (409, "Spring")
    assert f"“{invitation.partner}: status” is “frozen” now." in problem(answer)
    assert "Summer" in problem(answer)


def helper_page(user: User) -> Page:
    """Return the page of a user, opened by staff that may change users but is no superuser."""
    page = Page(user)
    helper = factories.UserFactory(is_staff=True, is_superuser=False)
    helper.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    page.client.force_login(helper)
    page.shown = page.client.get(page.address)
    return page


def test_user_who_became_staff_meanwhile_is_left_to_superusers() -> None:
    user = factories.UserFactory()
    page = helper_page(user)
    assert Page(user).send(is_staff="on").status_code == 302

    answer = page.send(language="en")

    user.refresh_from_db()
    assert (answer.status_code, user.language, user.is_staff) == (409, "", True)
    assert "“may open the admin” is yes now." in problem(answer)
    assert ("language", "en") in answer.context_data["typed"]


def test_administrator_who_is_no_superuser_any_more_is_told_which_fields_are_closed() -> None:
    user, group = factories.UserFactory(), Group.objects.create(name="Support")
    page = Page(user)
    boss = User.objects.get(pk=page.client.session["_auth_user_id"])
    boss.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    User.objects.filter(pk=boss.pk).update(is_superuser=False)

    answer = page.send(groups=[str(group.pk)])

    assert (answer.status_code, user.groups.count()) == (409, 0)
    assert "“groups” cannot be changed any more." in problem(answer)


@pytest.mark.parametrize("page", ["change", "delete"])
def test_what_was_closed_before_the_page_was_opened_is_not_allowed(page: str) -> None:
    document = LegalDocument.objects.published().first()
    assert document is not None
    client = Client()
    client.force_login(factories.UserFactory(staff=True))
    address = reverse(f"admin:association_legaldocument_{page}", args=[document.pk])

    assert client.post(address, {"body": "Another", "post": "yes"}).status_code == 403


def test_strangers_learn_nothing_from_a_closed_object() -> None:
    draft = LegalDocument.objects.create(
        kind="instructions", language="en", version=99, title="Draft", body="Text"
    )
    page = Page(draft)
    publish_document(document=draft, by=None, now=timezone.now())
    page.client.force_login(factories.UserFactory(is_staff=True, is_superuser=False))

    assert page.send(body="Another").status_code == 403


def test_member_who_was_demoted_meanwhile_stays_a_manager() -> None:
    partner = factories.PartnerFactory()
    factories.PartnerMemberFactory(partner=partner, administrator=True)
    member = factories.PartnerMemberFactory(partner=partner, administrator=True)
    page, deletion = Page(member), Page(member, "delete")
    Page(member).send(role="manager")

    assert page.send(may_see_addresses="on").status_code == 409
    assert deletion.send(post="yes", reason="Has left").status_code == 409

    member.refresh_from_db()
    assert (member.role, member.may_see_addresses) == ("manager", False)


@pytest.mark.parametrize("version", [None, "", "status", "status:xyz", "\0", "a:0123456789abcdef"])
def test_without_the_version_that_the_page_showed_nothing_is_saved(version: str | None) -> None:
    partner = factories.PartnerFactory()
    page = Page(partner)

    answer = page.send(name="New", shown_version=version)

    assert answer.status_code == (409 if version in {"", "a:0123456789abcdef"} else 400)
    assert Partner.objects.get().name == partner.name
    assert page.send(shown=answer, name="New").status_code == 302


# --- deleted meanwhile


def test_what_was_typed_about_a_deleted_object_is_shown() -> None:
    bill = factories.BillFactory(external_id="B-1")
    page, deletion = Page(bill), Page(bill, "delete")
    assert deletion.send(post="yes").status_code == 302

    answer = page.send(external_id="B-2 <b>", amount="12.50")

    assert (answer.status_code, Bill.objects.count()) == (409, 0)
    deleter = AuditEvent.objects.get(action="bill.deleted").actor
    assert deleter is not None
    text = problem(answer)
    assert f"{deleter.get_username()} deleted it on" in text
    assert "B-2 &lt;b&gt;" in text
    assert "12.50" in text
    assert f'href="{reverse("admin:accounts_bill_changelist")}"' in text


def test_deletion_that_nothing_records_is_told_without_a_name() -> None:
    group = Group.objects.create(name="Staff")
    page = Page(group)
    group.delete()

    answer = page.send(name="New name")

    assert answer.status_code == 409
    assert "It has been deleted." in problem(answer)
    assert "New name" in problem(answer)


def test_object_is_deleted_once_by_two_pages() -> None:
    bill = factories.BillFactory()
    pages = [Page(bill, "delete"), Page(bill, "delete")]
    assert [page.send(post="yes").status_code for page in pages] == [302, 302]
    assert AuditEvent.objects.filter(action="bill.deleted").count() == 1


def test_deletion_is_told_only_to_those_who_could_change_it() -> None:
    bill = factories.BillFactory()
    page = Page(bill)
    bill.delete()
    page.client.force_login(factories.UserFactory(is_staff=True, is_superuser=False))
    answer = page.send(amount="12.50")
    assert answer.status_code in {302, 403}
    assert "deleted" not in problem(answer)


# --- confirmed actions


def confirm(obj: Any, action: str) -> Any:
    """Open the page that confirms the action; return what presses its button."""
    client, meta = Client(), obj._meta
    client.force_login(factories.UserFactory(staff=True))
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    chosen = {"action": action, "_selected_action": obj.pk}
    shown = [client.post(address, chosen)]

    def press(**typed: Any) -> Any:
        answer = client.post(
            address, {**chosen, **version_of(shown[-1]), "confirmed": "1", **typed}
        )
        shown.append(answer)
        return answer

    return press


def test_action_on_a_deleted_object_does_nothing_and_keeps_what_was_typed() -> None:
    draft = factories.LegalDocumentFactory(draft=True)
    press = confirm(draft, "publish")
    draft.delete()

    answer = press()

    assert answer.status_code == 409
    assert "1 object is no longer in the list you chose from. Nothing was done." in problem(answer)


def frozen(account: CustomerAccount, cause: FreezeCause, reason: str) -> None:
    scope = FreezeScope.ACCOUNT
    now = timezone.now()
    freeze_account(account=account, cause=cause, scope=scope, reason=reason, by=None, now=now)


def test_new_freeze_of_the_provider_is_not_lifted_by_an_old_page() -> None:
    account = factories.CustomerAccountFactory()
    press = confirm(account, "unfreeze_for_provider")
    frozen(account, FreezeCause.ADMINISTRATOR, "Fraud found today")

    answer = press(reason="Paid")

    assert (answer.status_code, account.freezes.open().count()) == (409, 1)
    assert "(“Fraud found today”)" in problem(answer)
    assert press(reason="Paid").status_code == 302
    assert account.freezes.open().count() == 0


def test_freeze_that_someone_else_opened_is_not_said_to_be_done() -> None:
    account = factories.CustomerAccountFactory()
    press = confirm(account, "freeze_for_provider")
    frozen(account, FreezeCause.ADMINISTRATOR, "Theirs")

    assert press(scope="account_and_resources", reason="Mine").status_code == 409
    assert account.freezes.get().reason == "Theirs"


@pytest.mark.parametrize(
    ("action", "typed"),
    [
        ("set_budget", {"amount": "5", "period": "monthly", "on_exhaustion": "freeze"}),
        ("freeze_account", {"scope": "account_and_resources", "reason": "Mine"}),
        ("unfreeze_account", {"reason": "Mine"}),
    ],
)
def test_old_page_about_an_association_takes_nothing_back(
    action: str, typed: dict[str, str]
) -> None:
    association = typed_factories.make_associated()
    terms = {"period": "monthly", "on_exhaustion": "freeze"}
    first = association.budgets.create(amount=1, set_at=timezone.now(), **terms)
    press = confirm(association, action)
    frozen(association.account, FreezeCause.PARTNER, "Fraud found today")
    association.budgets.filter(pk=first.pk).update(replaced_at=timezone.now())
    association.budgets.create(amount=2, set_at=timezone.now(), **terms)

    answer = press(**typed)

    assert answer.status_code == 409
    assert association.budgets.current().get().amount == 2
    assert association.account.freezes.open().get(cause="partner").reason == "Fraud found today"
    shown = "the budget is 2.00" if action == "set_budget" else "Fraud found today"
    assert shown in problem(answer)
    assert press(**typed).status_code == 302


def test_text_that_was_changed_after_the_page_is_not_published() -> None:
    draft = LegalDocument.objects.create(
        kind="instructions", language="en", version=99, title="Draft", body="Text"
    )
    press = confirm(draft, "publish")
    Page(draft).send(body="Another")

    assert press().status_code == 409

    draft.refresh_from_db()
    assert draft.published_at is None


def test_account_that_joined_cannot_be_disabled_by_hand() -> None:
    association = typed_factories.make_associated(now=timezone.now() - timedelta(hours=1))
    page = Page(association.account)

    answer = page.send(services_enabled_at_0="", services_enabled_at_1="")

    assert answer.status_code == 400
    assert "End the association first." in problem(answer)
