"""I1, I6 and I10: use counts, moments of joining, and rows of one partner only."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.utils.dateparse import parse_datetime

from association.models import Association, Attempt, Authorization
from association.services.invariants.violations import (
    CHUNK,
    Violation,
    count_of,
    events_about,
    violations,
)
from partners.models import BatchRow, Invitation, InvitationBatch, InvitationRequest

# A revocation reads the clock before it waits for the row, and so does an association.
# When both happen at once, the order of their audit events is the true one, and the moments may be
# in the other order by the length of the wait.
LONGEST_WAIT = timedelta(minutes=1)


def used_as_often_as_counted() -> Iterator[Violation]:
    """I1: `used_count` is the number of associations with the invitation, at most `max_uses`."""
    cited = count_of(Association.objects.filter(invitation=OuterRef("pk")))
    rows = Invitation.objects.annotate(cited=cited)
    yield from violations(
        "I1",
        rows.exclude(used_count=F("cited")),
        "counts {} uses, {} associations cite it",
        "used_count",
        "cited",
    )
    yield from violations(
        "I1",
        rows.filter(Q(used_count__gt=F("max_uses")) | Q(cited__gt=F("max_uses"))),
        "{} associations cite it, at most {} may",
        "cited",
        "max_uses",
    )


def made_while_live() -> Iterator[Violation]:
    """I6: no association at or after its invitation's expiry, none decided after its revocation."""
    yield from violations(
        "I6",
        Association.objects.filter(associated_at__gte=F("invitation__expires_at")),
        "associated at or after the expiry of invitation {}",
        "invitation_id",
    )
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
            yield Violation(
                "I6",
                f"association.association:{key}",
                "associated at or after the expiry that the invitation had then",
            )


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
    yield from violations(
        "I6",
        late.exclude(pk__in=late.filter(at_once).values("pk")),
        "associated after invitation {} was revoked",
        "invitation_id",
    )


def partners_kept_apart() -> Iterator[Violation]:
    """I10: related rows belong to one partner, one account and one invitation."""
    associations = Association.objects
    yield from violations(
        "I10",
        associations.exclude(partner=F("invitation__partner")),
        "its partner is not that of its invitation",
    )
    yield from violations(
        "I10",
        associations.filter(manager__isnull=False).exclude(partner=F("manager__partner")),
        "its manager belongs to another partner",
    )
    yield from violations(
        "I10",
        associations.exclude(attempt__invitation=F("invitation"), attempt__account=F("account")),
        "its attempt is of another invitation or account",
    )
    yield from violations(
        "I10",
        Attempt.objects.exclude(
            Q(invited_by=F("invitation__created_by"))
            | Q(invited_by__isnull=True, invitation__created_by__isnull=True),
            partner=F("invitation__partner"),
        ),
        "its partner, or who invited, is not that of its invitation",
    )
    yield from violations(
        "I10",
        Invitation.objects.filter(batch__isnull=False).exclude(partner=F("batch__partner")),
        "its partner is not that of its batch",
    )
    yield from _batches()
    yield from _invitation_requests()
    yield from violations(
        "I10",
        Authorization.objects.filter(consent__isnull=False).exclude(
            consent__account=F("association__account")
        ),
        "its consent was given by another account",
    )


def _invitation_requests() -> Iterator[Violation]:
    requests = InvitationRequest.objects
    yield from violations(
        "I10",
        requests.exclude(partner=F("invitation__partner")),
        "its partner is not that of the invitation that was followed",
    )
    yield from violations(
        "I10",
        requests.filter(sent_invitation__isnull=False).exclude(
            partner=F("sent_invitation__partner")
        ),
        "its partner is not that of the invitation that was sent",
    )


def _batches() -> Iterator[Violation]:
    made = count_of(Invitation.objects.filter(batch=OuterRef("pk")))
    rows = InvitationBatch.objects.annotate(made=made)
    yield from violations(
        "I10",
        rows.exclude(done_count=F("made") + F("refused_count")),
        "has done {}, {} invitations belong to it",
        "done_count",
        "made",
    )
    yield from violations(
        "I10",
        BatchRow.objects.filter(invitation__isnull=False).exclude(invitation__batch=F("batch")),
        "its invitation is not of its batch",
    )
