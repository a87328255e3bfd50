"""Erasing an account: a pseudonym takes the person's place, and the evidence stays."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Model, Q, TextField
from django.db.models.functions import Cast

from accounts.models import CustomerAccount, User, VerificationCode
from association.enums import ErasureRefusal
from association.models import Association, Attempt
from association.services.customer_names import refresh_names_of
from association.services.free_texts import replace_free_texts
from association.services.pseudonyms import (
    Changed,
    Pseudonym,
    new_pseudonym,
    replace_everywhere,
)
from audit.models import AuditEvent
from audit.retention import erase_from_events, erasure
from audit.services import record_audit_event
from outbox.models import OutboxMessage
from partners.models import (
    Invitation,
    InvitationRequest,
    MemberInvitation,
    Partner,
    PartnerMember,
)
from partners.services.invitation_requests import dismiss_invitation_request
from partners.services.invitations import revoke_invitation
from partners.services.member_invitations import withdraw_member_invitation
from web.email_addresses import InvalidAddress, canonical_address, spellings
from web.models import FormKey
from web.refused import Refused
from web.transactions import whole_transaction

REASON = "The account was erased."


@dataclass(frozen=True, slots=True)
class Erased:
    """The pseudonym, and how many rows were changed or deleted, by what they are."""

    pseudonym: str
    counts: dict[str, int]


@whole_transaction
def erase_account(
    *, login: str, by: User | None, now: datetime, is_dry_run: bool = False
) -> Erased:
    """Erase the person behind an account name or e-mail address, in one transaction.

    Log-in becomes impossible; the address is in no table any more and may register again.
    Associations, consents and audit events stay, about the pseudonym. Reads every table once. A dry
    run changes nothing and returns the same counts. Raises Refused: UNKNOWN, ASSOCIATED, IS_MEMBER,
    IS_STAFF, IS_SUPPORT.
    """
    with transaction.atomic():
        user = _lock(login)
        _refuse_if_needed(user)
        pseudonym = Pseudonym(
            name=new_pseudonym(),
            addresses={*spellings(user.email), user.email_original.strip().lower()},
            names={user.account_name, *_former_names(user)},
        )
        with erasure(pseudonym.name):
            counts = _erase(user, pseudonym, by, now)
        transaction.set_rollback(is_dry_run)
    return Erased(pseudonym.name, dict(sorted(counts.items())))


def _lock(login: str) -> User:
    """Lock the person's attempts, account and user, in the order in which `associate()` locks."""
    typed = login.strip().lower()
    try:
        wanted = Q(email=canonical_address(typed))
    except InvalidAddress:
        wanted = Q(account_name=typed)
    user = User.objects.filter(wanted).first()
    if user is None:
        raise Refused(ErasureRefusal.UNKNOWN)
    attempts = Attempt.objects.filter(account__owner=user).order_by("pk")
    list(attempts.select_for_update(of=("self",)).values_list("pk"))
    list(CustomerAccount.objects.filter(owner=user).select_for_update(of=("self",)))
    return User.objects.select_for_update().get(pk=user.pk)


def _refuse_if_needed(user: User) -> None:
    in_force = Association.objects.in_force().filter(account__owner=user).first()
    if in_force is not None:
        raise Refused(ErasureRefusal.ASSOCIATED, partner=in_force.partner)
    member = PartnerMember.objects.filter(user=user).first()
    if member is not None:
        raise Refused(ErasureRefusal.IS_MEMBER, partner=member.partner)
    if user.is_staff:
        raise Refused(ErasureRefusal.IS_STAFF)
    supported = Partner.objects.filter(support_email__iexact=user.email).first()
    if supported is not None:
        raise Refused(ErasureRefusal.IS_SUPPORT, partner=supported)


def _former_names(user: User) -> list[str]:
    events = AuditEvent.objects.filter(object_label=user._meta.label_lower, object_id=str(user.pk))
    return [event.before["account_name"] for event in events.filter(before__has_key="account_name")]


def _erase(user: User, pseudonym: Pseudonym, by: User | None, now: datetime) -> Counter[str]:
    counts = replace_free_texts(user, pseudonym)
    counts += _end_what_waits(user, by, now)
    counts += _close_log_in(user, pseudonym)
    changed = replace_everywhere(pseudonym)
    for model, rows in changed.items():
        counts[str(model._meta.verbose_name_plural)] = len(rows)
    refresh_names_of(user)
    account = CustomerAccount.objects.filter(owner=user).first()
    if account is not None:
        changed.setdefault(CustomerAccount, {}).setdefault(account.pk, frozenset())
    counts[str(AuditEvent._meta.verbose_name_plural)] = _erase_trail(changed, pseudonym)
    record_audit_event(
        action="user.erased",
        about=user,
        by=by,
        now=now,
        after={"account_name": pseudonym.name, "is_active": False},
    )
    return +counts


def _end_what_waits(user: User, by: User | None, now: datetime) -> Counter[str]:
    """Revoke open invitations, close open requests, and drop e-mails that are not sent yet."""
    for invitation in Invitation.objects.live(now).filter(recipient=user.email):
        revoke_invitation(invitation=invitation, by=by, now=now)
    for open_request in InvitationRequest.objects.open().filter(address=user.email):
        dismiss_invitation_request(invitation_request=open_request, reason=REASON, by=by, now=now)
    for member_invitation in MemberInvitation.objects.open().filter(address=user.email):
        withdraw_member_invitation(invitation=member_invitation, by=by, now=now)
    waiting = OutboxMessage.objects.waiting().filter(recipient=user.email)
    return Counter({"e-mails dropped": waiting.update(dropped_at=now, drop_reason=REASON)})


def _close_log_in(user: User, pseudonym: Pseudonym) -> Counter[str]:
    """Delete all with which the person could log in, and make the user inactive."""
    codes = VerificationCode.objects.filter(email=user.email)
    deleted = Counter(
        {
            "sessions deleted": _delete_sessions(user, pseudonym),
            "verification codes deleted": codes.delete()[0],
            "proven addresses deleted": EmailAddress.objects.filter(user=user).delete()[0],
            "form keys deleted": FormKey.objects.filter(user=user).delete()[0],
            "connected log-ins deleted": user.connected_logins.all().delete()[0],
            "second factors deleted": Authenticator.objects.filter(user=user).delete()[0],
        }
    )
    user.groups.clear()
    user.user_permissions.clear()
    user.account_name, user.is_active = pseudonym.name, False
    user.set_unusable_password()
    user.save(update_fields=["account_name", "is_active", "password"])
    return deleted


def _delete_sessions(user: User, pseudonym: Pseudonym) -> int:
    """Delete the sessions of the user, and those in which the address was typed."""
    keys = []
    for session in Session.objects.iterator():
        data = session.get_decoded()
        text = json.dumps(data, default=str, ensure_ascii=False).lower()
        if data.get("_auth_user_id") == str(user.pk) or any(a in text for a in pseudonym.addresses):
            keys.append(session.pk)
    return Session.objects.filter(pk__in=keys).delete()[0]


def _erase_trail(objects: dict[type[Model], Changed], pseudonym: Pseudonym) -> int:
    """Erase the person from the events about these objects, and the address from all events."""
    texts = {name: Cast(name, TextField()) for name in ("before", "after")}
    named = AuditEvent.objects.annotate(before_text=texts["before"], after_text=texts["after"])
    changed = erase_from_events(
        named.filter(pseudonym.occurs_in("before_text", "after_text")), pseudonym.erase_addresses
    )
    for model, rows in objects.items():
        for columns in set(rows.values()):
            about = AuditEvent.objects.filter(
                object_label=model._meta.label_lower,
                object_id__in=[str(key) for key, found in rows.items() if found == columns],
            )
            changed += erase_from_events(about, partial(pseudonym.erase_values, columns))
    return changed
