"""I1 and I6: use counts, and moments of joining."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.utils.dateparse import parse_datetime

from association.models import Association
from association.services.invariants.violations import (
    CHUNK,
    Violation,
    count_of,
    events_about,
    violations,
)
from partners.models import Invitation

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


def made_while_live() -> Iterator[Violation]:
    """I6: no association at or after its invitation's expiry, none decided after its revocation."""
    late = Association.objects.filter(associated_at__gte=F("invitation__expires_at"))
    detail = "associated at or after the expiry of invitation {}"
    yield from violations("I6", late, detail, "invitation_id")
    yield from _made_after_an_earlier_expiry()
    yield from _made_after_the_revocation()


def _made_after_an_earlier_expiry() -> Iterator[Violation]:
    """Check against an expiry that was changed later: it is in the next event's `before`."""
    later = events_about("partners.invitation", "invitation_id").filter(
        occurred_at__gt=OuterRef("associated_at"), before__has_key="expires_at"
    )
    edited = Invitation.objects.filter(
        Exists(events_about("partners.invitation", "pk").filter(before__has_key="expires_at"))
    )
    rows = Association.objects.filter(invitation__in=edited).annotate(
        then=Subquery(later.order_by("pk").values("before")[:1])
    )
    changed = rows.filter(then__isnull=False).values_list("pk", "associated_at", "then")
    for key, associated_at, before in changed.order_by().iterator(chunk_size=CHUNK):
        expired_at = parse_datetime(before["expires_at"] or "")
        if expired_at is not None and associated_at >= expired_at:
            detail = "associated at or after the expiry that the invitation had then"
            yield Violation("I6", f"association.association:{key}", detail)


def _made_after_the_revocation() -> Iterator[Violation]:
    made = events_about("association.association", "pk").filter(action="association.made")
    revoked = events_about("partners.invitation", "invitation_id").filter(
        action="invitation.revoked"
    )
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
