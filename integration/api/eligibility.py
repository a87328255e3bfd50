"""Whether an account that follows an invitation may join, without consuming anything."""

from datetime import datetime
from typing import Annotated

from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field

from association.services.admission import admit
from integration.api.answers import answer
from integration.api.callers import ApiRequest
from integration.api.fields import Input, Output, as_on_pages
from integration.api.gate import needs
from integration.api.invitations import invitation_of
from integration.enums import Scope
from web.text_fields import LineField

router = Router(tags=["Eligibility"])


class Follower(Input):
    """Whom to check."""

    account: Annotated[
        str,
        Field(min_length=1, max_length=40, description="The account name."),
        as_on_pages(LineField(max_length=40)),
    ]


class EligibilityShown(Output):
    """What the rules say now. The decision is made again when the customer joins."""

    account: str
    invitation_id: str
    is_customer: bool = Field(description="Whether it is your customer already.")
    is_eligible: bool
    refusals: list[str] = Field(description="All codes that refuse it, the invitation's first.")
    checked_at: datetime


@router.get(
    "/{invitation_id}/eligibility",
    response=EligibilityShown,
    summary="Check an account",
    **needs(Scope.ELIGIBILITY_READ),
)
def check(request: ApiRequest, invitation_id: str, query: Query[Follower]) -> HttpResponse:
    """Check an account that has followed this invitation and logged in; any other is a 404."""
    now = timezone.now()
    invitation = invitation_of(request.auth, invitation_id)
    attempts = invitation.attempts.filter(account__owner__account_name=query.account.lower())
    attempt = attempts.select_related("account__owner").order_by("-started_at").first()
    if attempt is None:
        raise Http404
    attempt.invitation = invitation
    admission, refusal = admit(attempt=attempt, now=now), invitation.refusal(now)
    refusals = [*([] if refusal is None else [refusal]), *admission.refusal_codes]
    is_customer = admission.is_already_associated_here
    return answer(
        EligibilityShown(
            account=query.account.lower(),
            invitation_id=str(invitation.pk),
            is_customer=is_customer,
            is_eligible=not refusals and not is_customer,
            refusals=[str(code) for code in refusals],
            checked_at=now,
        )
    )
