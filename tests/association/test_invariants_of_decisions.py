"""What an old page would take back is found: I7 by the audit trail, I11 by the services."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import CustomerAccount, Freeze
from association.models import Association, BudgetPeriod, LegalDocument, OnExhaustion
from association.services.customer_status import refresh_status
from association.services.customers import assign_manager, set_budget
from association.services.documents import publish_document
from association.services.invariants.checking import find_violations
from audit.services import record_audit_event
from partners.models import Invitation, Partner
from partners.services.invitations import edit_invitation
from partners.services.members import change_member
from partners.services.partner_freezes import freeze_partner
from tests import factories as typed_factories
from tests.evidence import unprotected

# The checker takes a factory for what it makes.
factories: Any = typed_factories

pytestmark = pytest.mark.django_db


def found() -> set[tuple[str, str]]:
    return {(violation.invariant, violation.detail) for violation in find_violations()}


def take_back(obj: Any, **old: Any) -> None:
    """Write old values as a page would that saves the whole row."""
    rows = unprotected(LegalDocument) if isinstance(obj, LegalDocument) else QuerySet(type(obj))
    rows.filter(pk=obj.pk).update(**old)
    if isinstance(obj, Freeze):
        refresh_status([obj.account_id])


def audited(obj: Any, **decided: Any) -> Any:
    """Decide something as the admin does."""
    for name, value in decided.items():
        setattr(obj, name, value)
    obj.save(update_fields=list(decided))
    record_audit_event(action="decided", about=obj, by=None, now=timezone.now(), after=decided)
    return obj


def document() -> LegalDocument:
    draft = factories.LegalDocumentFactory(version=99, published_at=None)
    return publish_document(document=draft, by=None, now=timezone.now())


def customer() -> Association:
    member = factories.PartnerMemberFactory(administrator=True)
    invitation = factories.InvitationFactory(partner=member.partner)
    made = typed_factories.make_associated(invitation=invitation)
    assign_manager(association=made, manager=member, by=member.user, now=timezone.now())
    return made


def unfrozen() -> Freeze:
    set_budget(
        association=customer(), amount=5, period=BudgetPeriod.MONTHLY, unfreeze=True,
        on_exhaustion=OnExhaustion.FREEZE, by=None, now=timezone.now(),
    )  # fmt: skip
    return Freeze.objects.get()


def frozen_partner() -> Partner:
    return freeze_partner(
        partner=factories.PartnerFactory(), reason="Complaints",
        by=factories.UserFactory(staff=True), now=timezone.now(),
    )  # fmt: skip


def demoted() -> Any:
    boss = factories.PartnerMemberFactory(administrator=True)
    member = factories.PartnerMemberFactory(administrator=True, partner=boss.partner)
    terms = {"role": "manager", "may_see_addresses": False}
    return change_member(member=member, by=boss.user, now=timezone.now(), **terms)


def edited() -> Invitation:
    invitation = factories.InvitationFactory()
    return edit_invitation(
        invitation=invitation, label="New", note="", expires_at=None, max_uses=7,
        by=invitation.created_by, now=timezone.now(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("decide", "old"),
    [
        (lambda: audited(factories.UserFactory(), is_active=False), {"is_active": True}),
        (
            frozen_partner,
            {"status": "normal", "frozen_at": None, "frozen_by": None, "frozen_reason": ""},
        ),
        (document, {"published_at": None}),
        (customer, {"manager": None}),
        (unfrozen, {"unfrozen_at": None, "unfrozen_by": None, "unfreeze_reason": ""}),
        (demoted, {"role": "administrator"}),
        (edited, {"label": "Old", "max_uses": 3}),
    ],
)
def test_value_that_was_taken_back_is_found(decide: Callable[[], Any], old: dict[str, Any]) -> None:
    decided = decide()
    assert found() == set()

    take_back(decided, **old)

    [(invariant, detail)] = found()
    assert (invariant, detail.startswith("differs from its audit trail in ")) == ("I7", True)
    assert next(iter(old)) in detail


def test_services_that_were_switched_off_are_found_twice() -> None:
    account = factories.CustomerAccountFactory()
    typed_factories.make_associated(account=account)
    assert found() == set()

    take_back(CustomerAccount.objects.get(), services_enabled_at=None)

    assert found() == {
        ("I7", "differs from its audit trail in services_enabled_at"),
        ("I11", f"the services of account {account.pk} are not enabled"),
    }
