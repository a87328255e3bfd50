"""I2, I3 and I4: one association in force, complete evidence, frozen until unfrozen."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Subquery

from accounts.enums import FreezeCause
from accounts.models import CustomerAccount, Freeze
from association.models import Association, Budget, Consent, DocumentKind, LegalDocument
from association.services.documents import FALLBACK_LANGUAGE
from association.services.invariants.violations import (
    Violation,
    as_text,
    count_of,
    events_about,
    violations,
)
from outbox.models import OutboxMessage
from partners.enums import AssociationType, PartnerRole
from partners.models import PartnerMember

LABEL = "association.association"


def one_in_force() -> Iterator[Violation]:
    """I2: at most one association in force per account."""
    by_account = Association.objects.in_force().order_by().values("account")
    doubled = by_account.annotate(number=Count("pk")).filter(number__gt=1)
    accounts = CustomerAccount.objects.filter(pk__in=doubled.values("account"))
    yield from violations("I2", accounts, "has more than one association in force")


def evidence_is_complete() -> Iterator[Violation]:
    """I3: one audit event, one consent to the version in force (reseller), snapshot, e-mails."""
    associations = Association.objects
    resellers = associations.filter(association_type=AssociationType.RESELLER)
    made = events_about(LABEL, "pk").filter(action="association.made")
    yield from _not_one(associations.annotate(found=count_of(made)), "audit events say it was made")
    agreed = resellers.annotate(found=count_of(_consents_then_current()))
    yield from _not_one(agreed, "consents to the instructions that were current")
    is_refused = Q(eligibility__is_eligible__isnull=True) | Q(eligibility__is_eligible=False)
    refused = associations.filter(is_refused)
    yield from violations("I3", refused, "its eligibility snapshot is empty, or refuses")
    emailed = associations.annotate(found=count_of(_messages("association.associated")))
    yield from _not_one(emailed, "e-mails to the owner")
    yield from _partner_was_told(associations.all())


def _not_one(rows: QuerySet[Any], what: str) -> Iterator[Violation]:
    yield from violations("I3", rows.exclude(found=1), "{} " + what + ", not one", "found")


def _consents_then_current() -> QuerySet[Any]:
    """Return the outer association's consents to the version in force when it was made.

    A version is in force from its publication in English; see `current_documents()`.
    """
    then = (
        LegalDocument.objects.filter(
            kind=DocumentKind.INSTRUCTIONS,
            language=FALLBACK_LANGUAGE,
            published_at__lte=OuterRef(OuterRef("associated_at")),
        )
        .order_by()
        .values("kind")
        .annotate(newest=Max("version"))
        # One row: grouped by the one kind that the filter lets pass. Django 6.1 wants it sliced.
        .values("newest")[:1]
    )
    consents: QuerySet[Any] = Consent.objects.filter(
        attempt=OuterRef("attempt"),
        account=OuterRef("account"),
        document__kind=DocumentKind.INSTRUCTIONS,
        document__version=Subquery(then),
    )
    return consents


def _messages(kind: str) -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.filter(kind=kind, about_label=LABEL, about_id=as_text("pk"))


def _partner_was_told(associations: QuerySet[Association]) -> Iterator[Violation]:
    """Check the e-mails to the partner's members.

    Members come and go, so their number cannot be recomputed: there is no e-mail twice to the same
    address, none about a referral, and at least one where an administrator is unchanged since then.
    """
    told = _messages("association.customer_waiting")
    twice = told.order_by().values("recipient").annotate(n=Count("pk")).filter(n__gt=1)
    rows = associations.filter(Exists(twice))
    yield from violations("I3", rows, "the same e-mail went twice to a partner member")
    rows = associations.filter(Exists(told), association_type=AssociationType.REFERRAL)
    yield from violations("I3", rows, "the partner got an e-mail that is for reseller only")
    not_told = Exists(_administrators_ever_since()) & ~Exists(told)
    rows = associations.filter(not_told, association_type=AssociationType.RESELLER)
    yield from violations("I3", rows, "the partner got no e-mail")


def _administrators_ever_since() -> QuerySet[PartnerMember]:
    """Return the administrators of the outer row's partner who are unchanged since it was made."""
    changed_member = events_about("partners.partnermember", "pk")
    changed_user = events_about("accounts.user", "user_id").filter(after__has_key="is_active")
    return PartnerMember.objects.filter(
        ~Exists(changed_member.filter(occurred_at__gte=OuterRef(OuterRef("associated_at")))),
        ~Exists(changed_user.filter(occurred_at__gte=OuterRef(OuterRef("associated_at")))),
        partner=OuterRef("partner"),
        role=PartnerRole.ADMINISTRATOR,
        user__is_active=True,
        created_at__lt=OuterRef("associated_at"),
    )


def frozen_until_unfrozen() -> Iterator[Violation]:
    """I4: the association's freeze is open, or was lifted with or after the first budget."""
    budgets = Budget.objects.filter(association=OuterRef(OuterRef("pk")))
    first = budgets.order_by().values("association").annotate(at=Min("set_at")).values("at")
    freezes = Freeze.objects.filter(
        Q(unfrozen_at__isnull=True) | Q(unfrozen_at__gte=Subquery(first)),
        account=OuterRef("account"),
        cause=FreezeCause.ASSOCIATION,
        frozen_at__lte=OuterRef("associated_at"),
    )
    resellers = Association.objects.in_force().filter(association_type=AssociationType.RESELLER)
    detail = "reseller account {} is not frozen since, and no later unfreeze followed a budget"
    yield from violations("I4", resellers.filter(~Exists(freezes)), detail, "account_id")
