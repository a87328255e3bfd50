"""Partners: the provider's programs add, change, freeze and unfreeze them."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Self

from django.db import IntegrityError
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field

from accounts.fields import EmailField
from integration.api.answers import Listed, Paging, answer, answer_once, answer_page
from integration.api.callers import ProviderRequest
from integration.api.fields import (
    COUNTRY,
    Changes,
    Input,
    Output,
    Reason,
    Recipient,
    as_country,
    as_on_pages,
)
from integration.api.gate import provider_needs
from integration.api.problems import FieldProblem, Problem, not_found
from integration.enums import CallProblem, ProviderScope
from partners.enums import AssociationType, PartnerStatus
from partners.forms.short_names import ShortNameField
from partners.forms.time_zones import TimeZoneField
from partners.models import Partner
from partners.services.new_partners import add_partner, administrator_problem
from partners.services.pages import Order
from partners.services.partner_freezes import freeze_partner, unfreeze_partner
from partners.services.settings import edit_settings
from web.random_ids import key_or_404
from web.text_fields import LineField

router = Router(tags=["Provider: partners"])
# By the key, which is a sequence.
_OLDEST_FIRST = Order("id", descending=False)
_COUNTRY: Any = Partner._meta.get_field("country")

Slug = Annotated[
    str,
    Field(min_length=1, max_length=50, description="Small ASCII letters, digits, - and _."),
    as_on_pages(ShortNameField(max_length=50)),
]
Name = Annotated[str, Field(min_length=1, max_length=80), as_on_pages(LineField(max_length=80))]
LegalName = Annotated[
    str, Field(min_length=1, max_length=160), as_on_pages(LineField(max_length=160))
]
Country = Annotated[str, COUNTRY, as_country(_COUNTRY.formfield())]
SupportEmail = Annotated[str, Field(max_length=254), as_on_pages(EmailField(max_length=254))]
SupportPhone = Annotated[
    str, Field(max_length=40), as_on_pages(LineField(max_length=40, required=False))
]
TimeZone = Annotated[
    str, Field(max_length=64, description="Like Europe/Dublin."), as_on_pages(TimeZoneField())
]
Types = Annotated[
    list[AssociationType], Field(min_length=1, max_length=2, description="How it may invite.")
]


class PartnerFilters(Paging):
    """Which partners."""

    slug: Slug | None = None
    status: PartnerStatus | None = None


class NewPartner(Input):
    """A partner, and the person who is its first administrator."""

    slug: Slug
    name: Name
    legal_name: LegalName
    country: Country
    support_email: SupportEmail
    support_phone: SupportPhone = ""
    time_zone: TimeZone = "UTC"
    association_types: Types = Field([AssociationType.RESELLER])
    administrator: Recipient = Field(
        description="This person is asked by e-mail to act for the partner, and has seven days."
    )


class PartnerChanges(Changes):
    """What to change; a field that is missing stays as it is. The short name stays always."""

    name: Name = ""
    legal_name: LegalName = ""
    country: Country = ""
    support_email: SupportEmail = ""
    support_phone: SupportPhone = ""
    time_zone: TimeZone = ""
    association_types: Types = Field([])


class PartnerFreeze(Input):
    """Why you freeze the partner."""

    reason: Reason = Field(description="The members of the partner read it; its customers do not.")


class PartnerUnfreeze(Input):
    """Why you unfreeze the partner."""

    reason: Reason = Field(description="The members of the partner read it; its customers do not.")


class PartnerShown(Output):
    """An organisation that invites customers."""

    id: str
    slug: str = Field(description="The short name, which no other partner has.")
    name: str
    legal_name: str
    country: str
    support_email: str
    support_phone: str
    time_zone: str
    association_types: list[AssociationType] = Field(description="How it may invite.")
    status: PartnerStatus
    frozen_at: datetime | None
    frozen_reason: str
    created_at: datetime

    @classmethod
    def of(cls, row: Partner) -> Self:
        return cls(
            id=str(row.pk),
            slug=row.slug,
            name=row.name,
            legal_name=row.legal_name,
            country=str(row.country),
            support_email=row.support_email,
            support_phone=row.support_phone,
            time_zone=row.time_zone,
            association_types=[one for one in AssociationType if row.allows(one)],
            status=PartnerStatus(row.status),
            frozen_at=row.frozen_at,
            frozen_reason=row.frozen_reason,
            created_at=row.created_at,
        )


@router.get(
    "",
    response=Listed[PartnerShown],
    summary="List partners",
    **provider_needs(ProviderScope.PARTNERS_READ),
)
def list_partners(request: ProviderRequest, query: Query[PartnerFilters]) -> HttpResponse:
    """List the partners, the oldest first."""
    filters = query.model_dump(include={"slug", "status"}, exclude_none=True)
    return answer_page(
        request, Partner.objects.filter(**filters), query, order=_OLDEST_FIRST, show=PartnerShown.of
    )


@router.get(
    "/{partner_id}",
    response=PartnerShown,
    summary="Get a partner",
    **provider_needs(ProviderScope.PARTNERS_READ),
)
def get(request: ProviderRequest, partner_id: str) -> HttpResponse:
    """Get one partner by its id."""
    return answer(PartnerShown.of(partner_of(partner_id)))


def partner_of(key: str) -> Partner:
    """Return the partner with this id. Raises Problem (404) for any other text."""
    try:
        return Partner.objects.get(pk=key_or_404(key))
    except (Http404, Partner.DoesNotExist) as error:
        raise not_found("There is no partner with this id.") from error


@router.post(
    "",
    response={201: PartnerShown},
    summary="Add a partner",
    **provider_needs(ProviderScope.PARTNERS_WRITE),
)
def add(request: ProviderRequest, body: NewPartner) -> HttpResponse:
    """Add a partner, and ask its first administrator by e-mail.

    A name that customers could take for another partner's or the provider's is refused.
    """

    def act() -> PartnerShown:
        _check_administrator(body.administrator)
        fields = body.model_dump(exclude={"administrator", "association_types"})
        partner = Partner(**fields, **_allowed(body.association_types))
        try:
            add_partner(
                partner=partner,
                administrator=body.administrator,
                by=request.auth.user,
                now=timezone.now(),
            )
        except IntegrityError as error:
            if not Partner.objects.filter(slug=body.slug).exists():
                raise
            raise _wrong("slug", "unique", "Another partner has this short name.") from error
        return PartnerShown.of(partner)

    return answer_once(request, act, status=201)


@router.patch(
    "/{partner_id}",
    response=PartnerShown,
    summary="Change a partner",
    **provider_needs(ProviderScope.PARTNERS_WRITE),
)
def change(request: ProviderRequest, partner_id: str, body: PartnerChanges) -> HttpResponse:
    """Change what is shown of the partner, and how it may invite from now on.

    A name that customers could take for another partner's or the provider's is refused.
    """
    changes = body.model_dump(exclude_unset=True)
    types = changes.pop("association_types", None)
    changes |= {} if types is None else _allowed(types)
    return _act(request, partner_id, partial(edit_settings, changes=changes))


@router.post(
    "/{partner_id}/freeze",
    response=PartnerShown,
    summary="Freeze a partner",
    **provider_needs(ProviderScope.PARTNERS_WRITE),
)
def freeze(request: ProviderRequest, partner_id: str, body: PartnerFreeze) -> HttpResponse:
    """Keep the partner from inviting, freezing and requesting authorizations.

    Its members are told by e-mail, with the reason. Its customers stay its customers.
    """
    return _act(request, partner_id, partial(freeze_partner, reason=body.reason))


@router.post(
    "/{partner_id}/unfreeze",
    response=PartnerShown,
    summary="Unfreeze a partner",
    **provider_needs(ProviderScope.PARTNERS_WRITE),
)
def unfreeze(request: ProviderRequest, partner_id: str, body: PartnerUnfreeze) -> HttpResponse:
    """Let the partner do everything again. Its members are told by e-mail, with the reason."""
    return _act(request, partner_id, partial(unfreeze_partner, reason=body.reason))


def _act(
    request: ProviderRequest, partner_id: str, service: Callable[..., Partner]
) -> HttpResponse:
    """Call the service for the partner once, and answer what it returns."""

    def act() -> PartnerShown:
        by, now = request.auth.user, timezone.now()
        return PartnerShown.of(service(partner=partner_of(partner_id), by=by, now=now))

    return answer_once(request, act)


def _allowed(types: list[AssociationType]) -> dict[str, bool]:
    return {
        "allows_reseller": AssociationType.RESELLER in types,
        "allows_referral": AssociationType.REFERRAL in types,
    }


def _check_administrator(address: str) -> None:
    """Raise Problem for somebody who cannot act for a partner."""
    problem = administrator_problem(address)
    if problem is not None:
        text = "This person acts for a partner already, or is a partner’s customer."
        raise _wrong("administrator", problem, text)


def _wrong(field: str, code: str, text: str) -> Problem:
    fields = [FieldProblem(field, code, text)]
    return Problem(422, CallProblem.FIELDS_INVALID, f"Look at: {field}.", fields=fields)
