"""Invitations: making one or many, reading, changing, revoking, sending again, and QR codes."""

from datetime import datetime
from typing import Any, Literal, Self

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field, StrictBool, model_validator

from integration.api.answers import Listed, Paging, answer, answer_once, answer_page
from integration.api.callers import ApiRequest, Caller
from integration.api.fields import (
    Changes,
    Country,
    Domains,
    End,
    Input,
    Label,
    Language,
    Metadata,
    Money,
    MoneyShown,
    Name,
    Note,
    Output,
    Recipient,
    Reference,
    ReferenceFilter,
    Uses,
    misplaced,
)
from integration.api.gate import needs
from integration.api.problems import FieldProblem, Problem
from integration.enums import CallProblem, Scope
from partners.enums import (
    AssociationType,
    BudgetPeriod,
    Channel,
    InvitationRefusal,
    InvitationState,
    OnExhaustion,
)
from partners.models import Invitation
from partners.services.invitation_search import find_invitations
from partners.services.invitations import (
    create_invitation,
    create_invitations,
    edit_invitation,
    resend_invitation,
    revoke_invitation,
)
from partners.services.pages import Order
from web.fixed_queries import KEY, repeated_query
from web.random_ids import key_or_404

router = Router(tags=["Invitations"])
MOST_AT_ONCE = 1_000
NEWEST_FIRST = Order("created_at")
State = Literal["live", "expired", "used_up", "revoked", "unavailable"]
# The partner is frozen, or may not invite in this association type: unavailable.
_STATES: dict[InvitationRefusal | None, State] = {
    None: "live",
    InvitationRefusal.REVOKED: "revoked",
    InvitationRefusal.USED_UP: "used_up",
    InvitationRefusal.EXPIRED: "expired",
}


# The fields that an invitation of the other channel lacks.
_OF_LINKS = "max_uses", "allowed_domains"
_OF_EMAILS = "recipient", "recipient_name", "is_bound"


class BudgetPreset(Input):
    """The budget that the console's form begins with once the customer has joined."""

    limit: Money
    period: BudgetPeriod = BudgetPeriod.MONTHLY
    on_exhaustion: OnExhaustion = OnExhaustion.FREEZE


class NewInvitation(Input):
    """An offer to become your customer, as a link for many or by e-mail to one person."""

    channel: Channel
    association_type: AssociationType
    label: Label
    customer_name: Name = ""
    reference: Reference = ""
    metadata: Metadata = Field(default_factory=dict)
    note: Note = ""
    language: Language = ""
    country: Country = ""
    recipient: Recipient | None = Field(None, description="Of `email` only, and required there.")
    recipient_name: Name = ""
    is_bound: StrictBool | None = Field(
        None, description="Of `email`: only the recipient can join; null: true."
    )
    max_uses: Uses | None = Field(None, description="Of `link`; null: no limit.")
    expires_at: End | None = Field(
        None, description="Null: a link never expires, an e-mail after seven days."
    )
    budget: BudgetPreset | None = Field(None, description="Of `reseller` only.")
    allowed_domains: Domains = Field(
        default_factory=list, description="Of `link`; empty: every address."
    )

    @model_validator(mode="after")
    def check_together(self) -> Self:
        by_email = self.channel == Channel.EMAIL
        if by_email and self.recipient is None:
            raise misplaced("recipient", "An invitation by e-mail has a recipient.")
        for field in _OF_LINKS if by_email else _OF_EMAILS:
            if getattr(self, field) not in (None, "", []):
                other = "a link" if by_email else "an invitation by e-mail"
                raise misplaced(field, f"Only {other} has this field.")
        if self.budget is not None and self.association_type != AssociationType.RESELLER:
            raise misplaced("budget", "Only an invitation of a reseller has this field.")
        return self

    def terms(self) -> dict[str, Any]:
        """Return the arguments of `create_invitation()`."""
        terms = self.model_dump(exclude={"budget", "recipient", "is_bound", "allowed_domains"})
        terms["is_bound"] = self.is_bound is not False
        terms["allowed_domains"] = " ".join(self.allowed_domains)
        if self.budget is not None:
            terms |= {
                "budget_amount": self.budget.limit.value,
                "budget_period": self.budget.period,
                "budget_on_exhaustion": self.budget.on_exhaustion,
            }
        return {**terms, "recipient": self.recipient or ""}


class NewInvitations(Input):
    """Up to 1,000 invitations, of which all are made or none."""

    items: list[NewInvitation] = Field(min_length=1, max_length=MOST_AT_ONCE)


class InvitationChanges(Changes):
    """What may change later; a field that is missing stays as it is."""

    label: Label = ""
    customer_name: Name = ""
    reference: Reference = ""
    note: Note = ""
    expires_at: End | None = Field(None, description="Null: never; an e-mail: in seven days.")
    max_uses: Uses | None = Field(None, description="Null: no limit. Of a link only.")


_ONE_USE = FieldProblem("max_uses", "misplaced", "An invitation by e-mail is for one use.")


class InvitationFilters(Paging):
    """Which invitations."""

    state: InvitationState | None = None
    channel: Channel | None = None
    association_type: AssociationType | None = None
    reference: ReferenceFilter | None = None


class BudgetPresetShown(Output):
    """The budget that the console's form begins with once the customer has joined."""

    limit: MoneyShown
    period: BudgetPeriod
    on_exhaustion: OnExhaustion

    @classmethod
    def of(cls, row: Invitation) -> Self | None:
        if row.budget_amount is None:
            return None
        return cls(
            limit=MoneyShown.of(row.budget_amount),
            period=BudgetPeriod(row.budget_period),
            on_exhaustion=OnExhaustion(row.budget_on_exhaustion),
        )


class InvitationShown(Output):
    """An invitation, with the link that its customer opens."""

    id: str
    channel: Channel
    association_type: AssociationType
    state: State
    link: str
    label: str
    customer_name: str
    reference: str
    metadata: dict[str, str]
    note: str
    language: str
    country: str
    recipient: str | None
    recipient_name: str
    is_bound: bool
    max_uses: int | None
    used_count: int
    expires_at: datetime | None
    budget: BudgetPresetShown | None
    allowed_domains: list[str]
    created_at: datetime
    mailed_at: datetime | None = Field(
        description="When its e-mail was last handed to the queue; null if it never was."
    )
    undelivered_at: datetime | None = Field(
        description="Since when its last e-mail is known not to arrive."
    )
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: Invitation, now: datetime) -> Self:
        return cls(
            id=str(row.pk),
            state=_STATES.get(row.refusal(now), "unavailable"),
            link=row.link,
            country=str(row.country),
            recipient=row.recipient or None,
            allowed_domains=row.allowed_domains.split(),
            budget=BudgetPresetShown.of(row),
            **{name: getattr(row, name) for name in _SAME},
        )


_SAME = (
    *("channel", "association_type", "label", "customer_name", "reference", "metadata", "note"),
    *("language", "recipient_name", "is_bound", "max_uses", "used_count", "expires_at"),
    *("created_at", "mailed_at", "undelivered_at", "revoked_at"),
)


class InvitationsShown(Output):
    """The invitations that were made, in the order of the call."""

    items: list[InvitationShown]


def invitation_of(caller: Caller, key: str, *, locked: bool = False) -> Invitation:
    """Return the partner's invitation. Raises Http404 for any other key."""
    number = key_or_404(key)
    if locked:
        return get_object_or_404(caller.partner.invitations.select_for_update(), pk=number)
    found = _invitations.first(caller.partner.pk, number)
    if found is None:
        raise Http404
    found.partner = caller.partner
    return found


# What programs read most; `benchmarks/README.md` has what that saves.
@repeated_query(KEY, KEY - 1)
def _invitations(partner: int, key: int) -> "QuerySet[Invitation, Invitation]":
    return Invitation.objects.filter(partner=partner, pk=key)


@router.post(
    "",
    response={201: InvitationShown},
    summary="Make an invitation",
    **needs(Scope.INVITATIONS_WRITE),
)
def create(request: ApiRequest, body: NewInvitation) -> HttpResponse:
    """Make an invitation; one by e-mail is sent at once.

    If the recipient does not want invitations from you, it is made but not sent: `mailed_at` is
    null, and you can hand on the link yourself.
    """
    caller = request.auth

    def act() -> InvitationShown:
        now = timezone.now()
        made = create_invitation(partner=caller.partner, by=caller.user, now=now, **body.terms())
        return InvitationShown.of(made, now)

    return answer_once(request, act, status=201)


@router.post(
    "/many",
    response={201: InvitationsShown},
    summary="Make many invitations",
    **needs(Scope.INVITATIONS_WRITE),
)
def create_many(request: ApiRequest, body: NewInvitations) -> HttpResponse:
    """Make up to 1,000 invitations, or 2 MB of them, all or none.

    A problem names the `item` that it is about, counted from 0. E-mails are sent after all others.
    """
    caller = request.auth

    def act() -> InvitationsShown:
        now = timezone.now()
        made = create_invitations(
            partner=caller.partner,
            terms=[item.terms() for item in body.items],
            by=caller.user,
            now=now,
        )
        return InvitationsShown(items=[InvitationShown.of(row, now) for row in made])

    return answer_once(request, act, status=201)


@router.get(
    "",
    response=Listed[InvitationShown],
    summary="List invitations",
    **needs(Scope.INVITATIONS_READ),
)
def list_invitations(request: ApiRequest, query: Query[InvitationFilters]) -> HttpResponse:
    """List your invitations, the newest first."""
    now = timezone.now()
    filters = query.model_dump(include={"state", "channel", "association_type"}, exclude_none=True)
    rows = find_invitations(request.auth.member, filters, now=now)
    if query.reference is not None:
        rows = rows.filter(reference=query.reference)
    return answer_page(
        request, rows, query, order=NEWEST_FIRST, show=lambda row: InvitationShown.of(row, now)
    )


@router.get(
    "/{invitation_id}",
    response=InvitationShown,
    summary="Get an invitation",
    **needs(Scope.INVITATIONS_READ),
)
def get(request: ApiRequest, invitation_id: str) -> HttpResponse:
    """Get one of your invitations."""
    return answer(InvitationShown.of(invitation_of(request.auth, invitation_id), timezone.now()))


@router.patch(
    "/{invitation_id}",
    response=InvitationShown,
    summary="Change an invitation",
    **needs(Scope.INVITATIONS_WRITE),
)
def change(request: ApiRequest, invitation_id: str, body: InvitationChanges) -> HttpResponse:
    """Change what may change of a live invitation; its link stays the same."""
    caller = request.auth

    def act() -> InvitationShown:
        now = timezone.now()
        # Locked first: what the call does not name stays as it is at this moment.
        row = invitation_of(caller, invitation_id, locked=True)
        terms = {name: getattr(row, name) for name in InvitationChanges.model_fields}
        terms |= body.model_dump(exclude_unset=True)
        if row.channel == Channel.EMAIL and terms["max_uses"] != row.max_uses:
            raise Problem(422, CallProblem.FIELDS_INVALID, "Look at: max_uses.", fields=[_ONE_USE])
        changed = edit_invitation(invitation=row, by=caller.user, now=now, **terms)
        return InvitationShown.of(changed, now)

    return answer_once(request, act)


@router.post(
    "/{invitation_id}/revoke",
    response=InvitationShown,
    summary="Revoke an invitation",
    **needs(Scope.INVITATIONS_WRITE),
)
def revoke(request: ApiRequest, invitation_id: str) -> HttpResponse:
    """Revoke an invitation for good; a second time changes nothing."""
    caller = request.auth

    def act() -> InvitationShown:
        now = timezone.now()
        row = invitation_of(caller, invitation_id)
        return InvitationShown.of(revoke_invitation(invitation=row, by=caller.user, now=now), now)

    return answer_once(request, act)


@router.post(
    "/{invitation_id}/resend",
    response=InvitationShown,
    summary="Send an e-mail invitation again",
    **needs(Scope.INVITATIONS_WRITE),
)
def resend(request: ApiRequest, invitation_id: str) -> HttpResponse:
    """Mail the same link again. It lives at least seven more days, even if it had expired."""
    caller = request.auth

    def act() -> InvitationShown:
        now = timezone.now()
        row = invitation_of(caller, invitation_id)
        return InvitationShown.of(resend_invitation(invitation=row, by=caller.user, now=now), now)

    return answer_once(request, act)
