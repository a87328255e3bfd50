"""What a partner knows of the people of a list before it mails them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from partners.enums import Channel, InvitationProblem, RowProblem, RowRemark
from partners.models import BatchRow, Invitation, Partner
from partners.models.invitations import InvitationQuerySet
from partners.services.quotas import recipients_at_limit
from partners.services.unsubscribe_links import unsubscribed


@dataclass(frozen=True, slots=True)
class KnownPeople:
    """Canonical addresses: customers of the partner, and people with a live e-mail invitation."""

    customers: frozenset[str]
    invited: frozenset[str]


def find_known_people(
    *, addresses: Collection[str], partner: Partner, now: datetime
) -> KnownPeople:
    """Return which of these canonical addresses the partner knows; two statements."""
    invitations = Invitation.objects.live(now).filter(partner=partner, channel=Channel.EMAIL)
    invited = invitations.filter(recipient__in=addresses)
    return KnownPeople(
        customers=customers_among(addresses, partner=partner),
        invited=frozenset(invited.values_list("recipient", flat=True)),
    )


def customers_among(addresses: Collection[str], *, partner: Partner) -> frozenset[str]:
    """Return those of the canonical addresses whose owner has an account with the partner."""
    customers = partner.associations.in_force().filter(account__owner__email__in=addresses)
    return frozenset(customers.values_list("account__owner__email", flat=True))


def problem_of_known(address: str, *, partner: Partner, now: datetime) -> RowProblem | None:
    """Return why this canonical address is not invited without a question, if it is known."""
    known = find_known_people(addresses=[address], partner=partner, now=now)
    if known.customers:
        return RowProblem.ALREADY_CUSTOMER
    return RowProblem.ALREADY_INVITED if known.invited else None


def without_customers(rows: InvitationQuerySet, *, partner: Partner) -> InvitationQuerySet:
    """Return the partner's invitations except those of people who are its customers already."""
    customers = partner.associations.in_force()
    return rows.exclude(Exists(customers.filter(account__owner__email=OuterRef("recipient"))))


def mark_known_people(people: Sequence[BatchRow], *, partner: Partner, now: datetime) -> None:
    """Give the good rows of known people their problem, or a remark where the partner may choose.

    Customers and people who do not want e-mail are not invited. That somebody has a live
    invitation, or got three within a day, is a remark: both can be otherwise when it is sent.
    """
    good = {person.email: person for person in people if not person.problem}
    known = find_known_people(addresses=good.keys(), partner=partner, now=now)
    marks = (
        ("remark", RowRemark.ALREADY_INVITED, known.invited),
        ("remark", RowRemark.MAILED_TOO_OFTEN, recipients_at_limit(good.keys(), now=now)),
        ("problem", RowProblem.ALREADY_CUSTOMER, known.customers),
        (
            "problem",
            InvitationProblem.DOES_NOT_WANT_EMAIL,
            unsubscribed(good.keys(), partner=partner),
        ),
    )
    for field, code, addresses in marks:
        for address in addresses:
            setattr(good[address], field, code.value)
