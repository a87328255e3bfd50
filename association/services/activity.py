"""What a partner's members did, from the audit trail, and the names of what they did it to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Q, QuerySet, Subquery

from accounts.models import User
from association.services.history import midnight
from audit.models import AuditEvent
from partners.models import BulkAction, Partner, PartnerMember
from partners.services.pages import Order

NEWEST_FIRST = Order("occurred_at")
CUSTOMER = "association.association"
# Digits that every key of the database fits into.
LONGEST_KEY = 18
# What belongs to a customer: by the label of the object, the way from the association to it.
_OF_CUSTOMER = {
    CUSTOMER: "pk",
    "association.authorization": "authorizations",
    "association.budget": "budgets",
    "association.budgetrequest": "budget_requests",
    "association.endrequest": "end_requests",
    "accounts.freeze": "account__freezes",
}
# What is deleted by members, and by which action.
_DELETED = {
    "integration.webhookendpoint": "endpoint.deleted",
    "partners.partnermember": "partner_member.deleted",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What an action was done to: the object that has a page, and what it is called."""

    label: str
    key: str
    name: str
    is_gone: bool = False
    bulk_action: BulkAction | None = None


def find_activity(member: PartnerMember, filters: Mapping[str, Any]) -> QuerySet[AuditEvent]:
    """Return the events of actions that members did for the partner; no order is set.

    Filters: the `member` who acted, the `action`, the days `since` and `until` in the partner's
    time zone, and `about`, the label and key of an object.
    """
    found = AuditEvent.objects.filter(acted_for=member.partner_id).select_related("actor")
    # Inviting a member whose address is new adds a user: that it was new is not told (0012).
    found = found.exclude(object_label=User._meta.label_lower)
    if "member" in filters:
        # One value, so that the index has this member's events in their order.
        users = member.partner.members.filter(pk=filters["member"]).values("user")
        found = found.filter(actor=Subquery(users[:1]))
    if "action" in filters:
        found = found.filter(action=filters["action"])
    if "since" in filters:
        found = found.filter(occurred_at__gte=midnight(filters["since"], member))
    if "until" in filters:
        after = filters["until"] + timedelta(days=1)
        found = found.filter(occurred_at__lt=midnight(after, member))
    if "about" in filters:
        found = found.filter(_about(member.partner, *filters["about"]))
    return found


def _about(partner: Partner, label: str, key: str) -> Q:
    """Return the condition for the object, and for all that belongs to a customer."""
    condition = Q(object_label=label, object_id=key)
    if label != CUSTOMER or not key.isdecimal() or len(key) > LONGEST_KEY:
        return condition
    customer = partner.associations.filter(pk=key)
    for theirs, way in _OF_CUSTOMER.items():
        if theirs != CUSTOMER:
            keys = [str(pk) for pk in customer.values_list(way, flat=True) if pk is not None]
            condition |= Q(object_label=theirs, object_id__in=keys)
    return condition


def subjects_of(events: Iterable[AuditEvent], partner: Partner) -> dict[tuple[str, str], Subject]:
    """Return the subjects by label and key of the events' objects; a statement for each label.

    What was deleted has the name that the trail has recorded. Other objects that are gone, or that
    are another partner's, are left out.
    """
    keys: dict[str, set[str]] = defaultdict(set)
    for event in events:
        keys[event.object_label].add(event.object_id)
    found = {}
    for label in sorted(keys):
        for key, subject in _load(label, keys[label], partner):
            found[label, str(key)] = subject
    gone = [(label, key) for label in _DELETED for key in keys[label] if (label, key) not in found]
    return {**found, **_deleted(gone)} if gone else found


def _deleted(gone: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Subject]:
    """Return what the events of their deletion say of these objects."""
    deletions = AuditEvent.objects.filter(
        object_label__in={label for label, _key in gone},
        object_id__in=[key for _label, key in gone],
        action__in=_DELETED.values(),
    )
    recorded = {(event.object_label, event.object_id): event.before or {} for event in deletions}
    # Who is no member any more is named without the whole address.
    users = User.objects.in_bulk(
        {before["user"] for before in recorded.values() if "user" in before}
    )
    names = {
        about: users[before["user"]].masked_email
        if before.get("user") in users
        else before.get("description") or urlsplit(before.get("url", "")).netloc
        for about, before in recorded.items()
    }
    return {about: Subject(*about, name, is_gone=True) for about, name in names.items()}


def _load(label: str, keys: set[str], partner: Partner) -> Iterable[tuple[Any, Subject]]:
    if label in _OF_CUSTOMER:
        way = _OF_CUSTOMER[label]
        rows = partner.associations.filter(**{f"{way}__in": keys})
        # The last one counts: of an account that joined twice, the later association.
        ordered = rows.order_by("associated_at", "pk")
        return [
            (key, Subject(CUSTOMER, str(pk), name))
            for key, pk, name in ordered.values_list(way, "pk", "shown_name")
        ]
    if label == "partners.partner":
        return [(partner.pk, Subject(label, str(partner.pk), partner.name))]
    if label == BulkAction._meta.label_lower:
        started = partner.bulk_actions.filter(pk__in=keys, started_at__isnull=False)
        return [(row.pk, Subject(label, str(row.pk), "", bulk_action=row)) for row in started]
    if label == "integration.webhookendpoint":
        return [
            (row.pk, Subject(label, str(row.pk), row.name))
            for row in partner.endpoints.filter(pk__in=keys)
        ]
    named = _named(partner).get(label)
    if named is None:
        return []
    rows, name_field = named
    names = rows.filter(pk__in=keys).values_list("pk", name_field)
    return [(pk, Subject(label, str(pk), name or "")) for pk, name in names]


def _named(partner: Partner) -> dict[str, tuple[Any, str]]:
    return {
        "partners.invitation": (partner.invitations, "label"),
        "partners.invitationbatch": (partner.batches, "label"),
        "partners.invitationrequest": (partner.invitation_requests, "address"),
        "partners.partnermember": (partner.members, "user__email"),
        "partners.memberinvitation": (partner.member_invitations, "address"),
        "integration.apikey": (partner.api_keys, "name"),
        "association.attempt": (partner.attempts, "account__owner__account_name"),
    }
