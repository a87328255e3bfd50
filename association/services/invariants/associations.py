"""I1 to I4, I6, I11 and I12: use counts, evidence, freezes, moments, services, endings."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.utils.dateparse import parse_datetime

from accounts.enums import FreezeCause
from accounts.models import CustomerAccount, Freeze
from association.models import (
    Association,
    Authorization,
    Budget,
    Consent,
    DocumentKind,
    EndRequest,
    LegalDocument,
)
from association.services.documents import FALLBACK_LANGUAGE
from association.services.invariants.violations import (
    CHUNK,
    Violation,
    as_text,
    count_of,
    events_about,
    violations,
)
from outbox.models import OutboxMessage
from partners.enums import AssociationType, NotificationKind, PartnerRole
from partners.models import Invitation, PartnerMember

LABEL = "association.association"
INVITATION = "partners.invitation"
# A revocation reads the clock before it waits for the row, and so does an association.
# When both happen at once, the order of their audit events is the true one, and the moments may be
# in the other order by the length of the wait.
LONGEST_WAIT = timedelta(minutes=1)


def used_as_often_as_counted() -> Iterator[Violation]:
    """I1: `used_count` is the number of associations with the invitation, at most `max_uses`."""
    cited = count_of(Association.objects.filter(invitation=OuterRef("pk")))
    rows = Invitation.objects.annotate(cited=cited)
    wrong = rows.exclude(used_count=F("cited"))
    detail = "counts {} uses, {} associations cite it"
    yield from violations("I1", wrong, detail, "used_count", "cited")
    many = rows.filter(Q(used_count__gt=F("max_uses")) | Q(cited__gt=F("max_uses")))
    yield from violations(
        "I1", many, "{} associations cite it, at most {} may", "cited", "max_uses"
    )


def one_in_force() -> Iterator[Violation]:
    """I2: at most one association in force per account."""
    by_account = Association.objects.in_force().order_by().values("account")
    doubled = by_account.annotate(number=Count("pk")).filter(number__gt=1)
    accounts = CustomerAccount.objects.filter(pk__in=doubled.values("account"))
    yield from violations("I2", accounts, "has more than one association in force")


def evidence_is_complete() -> Iterator[Violation]:
    """I3: one audit event, one consent to the version in force (reseller), snapshot, e-mails.

    The texts that were agreed to are unchanged.
    """
    associations = Association.objects
    resellers = associations.filter(association_type=AssociationType.RESELLER)
    made = events_about(LABEL, "pk").filter(action="association.made")
    yield from _not_one(associations.annotate(found=count_of(made)), "audit events say it was made")
    agreed = resellers.annotate(found=count_of(_consents_then_current()))
    yield from _not_one(agreed, "consents to the instructions that were current")
    is_refused = Q(eligibility__is_eligible__isnull=True) | Q(eligibility__is_eligible=False)
    refused = associations.filter(is_refused)
    yield from violations("I3", refused, "its eligibility snapshot is empty, or refuses")
    yield from _texts_are_as_agreed_to()
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


def _texts_are_as_agreed_to() -> Iterator[Violation]:
    """Hash each text that was agreed to once more; many consents share one."""
    stored = Consent.objects.exclude(text_sha256="").order_by()
    texts = stored.values_list("document", "provider_name", "text_sha256").distinct()
    documents = LegalDocument.objects.in_bulk({key for key, _name, _sha256 in texts})
    for key, provider_name, sha256 in texts:
        if documents[key].text_sha256(provider_name) != sha256:
            detail = "its text is not the one whose hash the consents have"
            yield Violation("I3", f"association.legaldocument:{key}", detail)


def _messages(kind: str) -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.filter(kind=kind, about_label=LABEL, about_id=as_text("pk"))


def _partner_was_told(associations: QuerySet[Association]) -> Iterator[Violation]:
    """Check the e-mails to the partner's members.

    Members come and go, so their number cannot be recomputed: there is no e-mail twice to the same
    address, none about a referral, and at least one where an administrator is unchanged since then.
    """
    messages = _messages("association.customer_waiting")
    # Of old e-mails the recipient is no longer stored.
    known = messages.exclude(recipient="").order_by()
    twice = known.values("recipient").annotate(n=Count("pk")).filter(n__gt=1)
    rows = associations.filter(Exists(twice))
    yield from violations("I3", rows, "the same e-mail went twice to a partner member")
    rows = associations.filter(Exists(messages), association_type=AssociationType.REFERRAL)
    yield from violations("I3", rows, "the partner got an e-mail that is for reseller only")
    not_told = Exists(_administrators_ever_since()) & ~Exists(messages)
    rows = associations.filter(not_told, association_type=AssociationType.RESELLER)
    yield from violations("I3", rows, "the partner got no e-mail")


def _administrators_ever_since() -> QuerySet[PartnerMember]:
    """Return the administrators of the outer row's partner who are unchanged since it was made.

    Without those who have chosen how they are told of new customers.
    """
    changed_member = events_about("partners.partnermember", "pk")
    changed_user = events_about("accounts.user", "user_id").filter(after__has_key="is_active")
    return PartnerMember.objects.filter(
        ~Exists(changed_member.filter(occurred_at__gte=OuterRef(OuterRef("associated_at")))),
        ~Exists(changed_user.filter(occurred_at__gte=OuterRef(OuterRef("associated_at")))),
        partner=OuterRef("partner"),
        role=PartnerRole.ADMINISTRATOR,
        user__is_active=True,
        created_at__lt=OuterRef("associated_at"),
    ).exclude(notification_choices__kind=NotificationKind.CUSTOMER_WAITING)


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


def services_are_enabled() -> Iterator[Violation]:
    """I11: an account with an association in force has its services enabled."""
    rows = Association.objects.in_force().filter(account__services_enabled_at__isnull=True)
    yield from violations("I11", rows, "the services of account {} are not enabled", "account_id")


def ended_wholly() -> Iterator[Violation]:
    """I12: what has ended has an actor and a reason, and nothing of it is left in force.

    At most one request to end is open per association, and none on one that has ended.
    """
    ended = Association.objects.filter(ended_at__isnull=False)
    anonymous = ended.filter(Q(ended_by__isnull=True) | Q(end_reason=""))
    yield from violations("I12", anonymous, "has ended without an actor or a reason")
    freezes = Freeze.objects.open().filter(
        account=OuterRef("account"), frozen_at__lt=OuterRef("ended_at")
    )
    left = {
        "an open freeze that is not an administrator's": freezes.exclude(
            cause=FreezeCause.ADMINISTRATOR
        ),
        "an open authorization": Authorization.objects.open().filter(association=OuterRef("pk")),
        "a budget in force": Budget.objects.current().filter(association=OuterRef("pk")),
        "an open request to end": EndRequest.objects.open().filter(association=OuterRef("pk")),
    }
    for what, rows in left.items():
        yield from violations("I12", ended.filter(Exists(rows)), f"has ended and has {what}")
    end_requests = EndRequest.objects.open().order_by().values("association")
    doubled = end_requests.annotate(number=Count("pk")).filter(number__gt=1).values("association")
    several = Association.objects.filter(pk__in=doubled)
    yield from violations("I12", several, "has more than one open request to end")


def made_while_live() -> Iterator[Violation]:
    """I6: no association at or after its invitation's expiry, none decided after its revocation."""
    late = Association.objects.filter(associated_at__gte=F("invitation__expires_at"))
    detail = "associated at or after the expiry of invitation {}"
    yield from violations("I6", late, detail, "invitation_id")
    yield from _made_after_an_earlier_expiry()
    yield from _made_after_the_revocation()


def _made_after_an_earlier_expiry() -> Iterator[Violation]:
    """Check against an expiry that was changed later: it is in the next event's `before`."""
    later = events_about(INVITATION, "invitation_id").filter(
        occurred_at__gt=OuterRef("associated_at"), before__has_key="expires_at"
    )
    edited = Invitation.objects.filter(
        Exists(events_about(INVITATION, "pk").filter(before__has_key="expires_at"))
    )
    rows = Association.objects.filter(invitation__in=edited).annotate(
        then=Subquery(later.order_by("pk").values("before")[:1])
    )
    changed = rows.filter(then__isnull=False).values_list("pk", "associated_at", "then")
    for key, associated_at, before in changed.order_by().iterator(chunk_size=CHUNK):
        expired_at = parse_datetime(before["expires_at"] or "")
        if expired_at is not None and associated_at >= expired_at:
            detail = "associated at or after the expiry that the invitation had then"
            yield Violation("I6", f"{LABEL}:{key}", detail)


def _made_after_the_revocation() -> Iterator[Violation]:
    made = events_about(LABEL, "pk").filter(action="association.made")
    revoked = events_about(INVITATION, "invitation_id").filter(action="invitation.revoked")
    late = Association.objects.filter(associated_at__gte=F("invitation__revoked_at")).annotate(
        made_event=Subquery(made.order_by("pk").values("pk")[:1]),
        revoked_event=Subquery(revoked.order_by("pk").values("pk")[:1]),
    )
    at_once = Q(
        made_event__lt=F("revoked_event"),
        associated_at__lt=F("invitation__revoked_at") + LONGEST_WAIT,
    )
    wrong = late.exclude(pk__in=late.filter(at_once).values("pk"))
    yield from violations(
        "I6", wrong, "associated after invitation {} was revoked", "invitation_id"
    )
