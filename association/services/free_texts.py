"""What people typed about a person: an erasure replaces the whole text, without reading it.

A name, a nickname or a telephone number in a reason or note cannot be told from other words.
`docs/retention.md` lists every column of text; a test compares the list with the models.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import models
from django.db.models import Q

from accounts.models import CustomerAccount, Freeze, Resource, User
from association.models import Association, Authorization, EndRequest
from association.services.customer_names import DERIVED, EDITABLE
from association.services.pseudonyms import Pseudonym
from audit.models import AuditEvent
from audit.retention import erase_from_events
from outbox.models import Event, OutboxMessage
from partners.models import (
    BatchRow,
    Invitation,
    InvitationRequest,
    MemberInvitation,
    PartnerMember,
)

# The columns with such texts, and where the rows name the user or the address.
_BY_USER: Sequence[tuple[Any, str, tuple[str, ...]]] = (
    (Freeze, "account__owner", ("reason", "unfreeze_reason")),
    (CustomerAccount, "owner", ("name", "tax_id", "external_id")),
    (Association, "account__owner", ("end_reason", *EDITABLE, *DERIVED)),
    (Authorization, "association__account__owner", ("reason",)),
    (EndRequest, "association__account__owner", ("reason", "answer_reason")),
    (Resource, "account__owner", ("name",)),
)
_OF_INVITATIONS = (
    *("label", "note", "subject", "recipient_name", "customer_name", "reference"),
    "metadata",
)
_BY_ADDRESS: Sequence[tuple[Any, str, tuple[str, ...]]] = (
    (Invitation, "recipient", _OF_INVITATIONS),
    (InvitationRequest, "address", ("dismiss_reason",)),
    (MemberInvitation, "address", ()),
    (BatchRow, "email", ("name", "country", "note", "reference")),
)
# The columns that name a person: these names are replaced wherever else they are the whole text.
_NAMES = {
    Invitation: ("recipient_name", "customer_name"),
    BatchRow: ("name",),
    CustomerAccount: ("name",),
    Association: ("customer_name",),
}
# By which value of an event its rows are found, and what the event repeats of them.
_IN_EVENTS = {Invitation: "invitation_id", Association: "customer_id"}
_KEYS_OF_THE_PARTNER = ("reference", "metadata")
# The name of a value of e-mails, and of events about rows that store no reason themselves.
_REASON = "reason"


@dataclass(frozen=True, slots=True)
class _Found:
    model: Any
    columns: tuple[str, ...]
    keys: list[Any]

    @property
    def label(self) -> str:
        return str(self.model._meta.label_lower)


def replace_free_texts(user: User, pseudonym: Pseudonym) -> Counter[str]:
    """Replace the texts about this person in rows, audit events, events and e-mails.

    Returns how many rows changed. Call it within `erasure()`, while the rows still have
    the person's address. The names beside the address are added to the pseudonym's.
    """
    counts: Counter[str] = Counter()
    for found in _find(user, pseudonym):
        for name in _NAMES.get(found.model, ()):
            rows = found.model.objects.filter(pk__in=found.keys).exclude(**{name: ""})
            pseudonym.names.update(rows.values_list(name, flat=True))
        counts[f"texts in {found.model._meta.verbose_name_plural}"] = _replace(found, pseudonym)
        events = AuditEvent.objects.filter(
            object_label=found.label, object_id__in=[str(key) for key in found.keys]
        )
        names = (*found.columns, _REASON)
        erase_from_events(events, partial(_replace_values, names, pseudonym))
        _replace_reasons(found, pseudonym)
        _replace_in_events(found, pseudonym)
    _replace_reasons_about(user, pseudonym)
    _empty_emails(pseudonym)
    return counts


def _find(user: User, pseudonym: Pseudonym) -> list[_Found]:
    found = [
        _Found(model, columns, _keys(model.objects.filter(**{path: user})))
        for model, path, columns in _BY_USER
    ]
    for model, path, columns in _BY_ADDRESS:
        found.append(_Found(model, columns, _keys(model.objects.filter(_named(path, pseudonym)))))
    return [one for one in found if one.keys]


def _named(column: str, pseudonym: Pseudonym) -> Q:
    named = Q()
    for address in pseudonym.addresses:
        named |= Q(**{f"{column}__iexact": address})
    return named


def _keys(rows: models.QuerySet[Any]) -> list[Any]:
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _replace(found: _Found, pseudonym: Pseudonym) -> int:
    changed: set[Any] = set()
    for column in found.columns:
        rows = found.model._base_manager.filter(pk__in=found.keys)
        for key, value in rows.values_list("pk", column):
            if value:
                rows.filter(pk=key).update(**{column: _replaced(value, pseudonym)})
                changed.add(key)
    return len(changed)


def _replaced(value: Any, pseudonym: Pseudonym) -> Any:
    """Replace a text, or each text of a mapping, by the pseudonym."""
    if isinstance(value, Mapping):
        return {name: _replaced(inner, pseudonym) for name, inner in value.items()}
    return pseudonym.name if value else value


def _replace_values(names: Sequence[str], pseudonym: Pseudonym, values: Any) -> Any:
    if not isinstance(values, Mapping):
        return values
    return {
        name: _replaced(value, pseudonym) if name in names else value
        for name, value in values.items()
    }


def _replace_reasons(found: _Found, pseudonym: Pseudonym) -> None:
    """Replace the reasons in e-mails about these rows, also those that others got or will get."""
    about = [str(key) for key in found.keys]
    messages = OutboxMessage.objects.filter(about_label=found.label, about_id__in=about)
    for message in messages.filter(data__has_key=_REASON):
        message.data = _replace_values((_REASON,), pseudonym, message.data)
        message.save(update_fields=["data"])


def _replace_reasons_about(user: User, pseudonym: Pseudonym) -> None:
    """Replace why the user's second factor was reset, or the user was removed as a member."""
    own = Q(object_label=User._meta.label_lower, object_id=str(user.pk))
    membership = Q(object_label=PartnerMember._meta.label_lower, before__user=user.pk)
    events = AuditEvent.objects.filter(own | membership)
    erase_from_events(events, partial(_replace_values, (_REASON,), pseudonym))


def _replace_in_events(found: _Found, pseudonym: Pseudonym) -> None:
    """Replace what events repeat of these rows: the keys in the partner's systems."""
    name = _IN_EVENTS.get(found.model)
    if name is None:
        return
    about = {f"data__{name}__in": [str(key) for key in found.keys]}
    for event in Event.objects.filter(**about):
        data = _replace_values(_KEYS_OF_THE_PARTNER, pseudonym, event.data)
        Event._base_manager.filter(pk=event.pk).update(data=data)


def _empty_emails(pseudonym: Pseudonym) -> None:
    """Empty what e-mails to the person said, and what mail servers answered."""
    messages = OutboxMessage.objects.filter(_named("recipient", pseudonym))
    messages.update(data={}, last_error="")
