"""E-mails about customers: to the partner's members who look after them, and to the customers."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Model, Q, QuerySet

from accounts.models import CustomerAccount, Freeze, User
from association.models import Association
from outbox.services.queue import OutgoingMessage, enqueue_messages
from partners.enums import PartnerRole
from partners.services.notifications import messages_to_members, with_choice


def email_partner(
    kind: str, about: Model, association: Association, *, now: datetime, **data: str
) -> None:
    """Enqueue an e-mail to each of `customer_recipients()`."""
    email_members(kind, about, customer_recipients(association, email_kind=kind), now=now, **data)


def email_members(
    kind: str, about: Model, members: Iterable[User], *, now: datetime, **data: object
) -> None:
    """Enqueue an e-mail to each member who wants this kind at once; note it for the digests."""
    messages = messages_to_members(kind, about, members, now=now, data=data)
    enqueue_messages(messages=messages, now=now)


def email_customer(kind: str, about: Model, association: Association, *, now: datetime) -> None:
    """Enqueue an e-mail to the owner of the account, in the owner's language."""
    owner, partner_id = association.account.owner, association.partner_id
    message = OutgoingMessage(kind, owner.email, about, owner.language, partner_id=partner_id)
    enqueue_messages(messages=[message], now=now)


def email_customers(
    kind: str, associations: Collection[Association], *, now: datetime, **data: str
) -> None:
    """Enqueue an e-mail about each association to the owner of its account, unless erased."""
    messages = [
        OutgoingMessage(kind, owner.email, association, owner.language, data)
        for association in associations
        for owner in [association.account.owner]
        if owner.is_active
    ]
    enqueue_messages(messages=messages, now=now)


def tell_frozen(
    freeze: Freeze, account: CustomerAccount, association: Association | None, *, now: datetime
) -> None:
    """Enqueue the e-mail about a freeze to the account's owner and, if given, to the partner."""
    email_owners("association.frozen", [(freeze, account, association)], now=now)
    if association is not None:
        email_partner("association.customer_frozen", freeze, association, now=now)


def tell_unfrozen(
    freeze: Freeze, account: CustomerAccount, association: Association | None, *, now: datetime
) -> None:
    """Do as `tell_frozen()` for a freeze that was lifted."""
    email_owners("association.unfrozen", [(freeze, account, association)], now=now)
    if association is not None:
        email_partner("association.customer_unfrozen", freeze, association, now=now)


def email_owners(
    kind: str,
    freezes: Iterable[tuple[Freeze, CustomerAccount, Association | None]],
    *,
    now: datetime,
) -> None:
    """Enqueue an e-mail about each freeze to the owner of its account, unless erased."""
    messages = [
        OutgoingMessage(
            kind,
            account.owner.email,
            freeze,
            account.owner.language,
            partner_id=None if association is None else association.partner_id,
        )
        for freeze, account, association in freezes
        if account.owner.is_active
    ]
    enqueue_messages(messages=messages, now=now)


def recipients_of_many(
    associations: Collection[Association], *, email_kind: str
) -> dict[int, list[User]]:
    """Return the recipients for many associations, by the association's key; one statement."""
    by_partner: dict[int, list[User]] = defaultdict(list)
    for user in customer_recipients(*associations, email_kind=email_kind):
        by_partner[user.partner_member.partner_id].append(user)
    return {
        association.pk: [
            user
            for user in by_partner[association.partner_id]
            if user.partner_member.is_administrator
            or user.partner_member.pk == association.manager_id
        ]
        for association in associations
    }


def customer_recipients(*associations: Association, email_kind: str) -> QuerySet[User]:
    """Return the partners' administrators and the customers' managers, with `partner_member`.

    Each has its choice about this kind of e-mail (`with_choice()`). Users whose log-in is not
    active are left out.
    """
    managers = {association.manager_id for association in associations} - {None}
    members = User.objects.select_related("partner_member").filter(
        Q(partner_member__role=PartnerRole.ADMINISTRATOR) | Q(partner_member__in=managers),
        partner_member__partner__in={association.partner_id for association in associations},
        is_active=True,
    )
    return with_choice(members, email_kind).order_by("pk")
