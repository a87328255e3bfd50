"""An example of each e-mail of association, most of them about one reseller customer."""

from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.email_samples import ADDRESS, sample_account
from accounts.enums import FreezeCause, FreezeScope
from accounts.models import Freeze
from association.emails.freezes import (
    Situation,
    write_customer_frozen,
    write_customer_unfrozen,
    write_frozen,
    write_unfrozen,
)
from association.emails.joining import write_associated
from association.emails.terms import write_budget_requested
from association.enums import (
    EndAnswer,
    FrozenAction,
    RefusalCode,
    Side,
)
from association.models import (
    Association,
    Attempt,
    Authorization,
    Budget,
    BudgetAlert,
    BudgetRequest,
    EndRequest,
)
from association.services.customer_names import fill_names
from association.services.freeze_advice import FreezeRow, advise
from outbox.services.samples import NO_KEY, EmailSample
from partners.email_samples import MEMBER_ADDRESS, sample_invitation
from partners.enums import BudgetPeriod, OnExhaustion

_to_customer = partial(EmailSample, reader=_("customer"), recipient=ADDRESS)
_to_partner = partial(EmailSample, reader=_("partner member"), recipient=MEMBER_ADDRESS)


def samples(*, now: datetime) -> list[EmailSample]:
    """Return an example of each kind."""
    return [*_joining(now), *_freezes(now), *_terms(now), *_endings(now)]


def sample_attempt(now: datetime) -> Attempt:
    account = sample_account(now)
    invitation = sample_invitation(now)
    return Attempt(pk=UUID(int=NO_KEY), invitation=invitation, account=account, language="en")


def sample_association(now: datetime, **values: Any) -> Association:
    attempt = sample_attempt(now)
    association = Association(
        pk=NO_KEY,
        account=attempt.account,
        partner=attempt.invitation.partner,
        invitation=attempt.invitation,
        association_type=attempt.invitation.association_type,
        attempt=attempt,
        associated_at=now - timedelta(days=5),
        **values,
    )
    fill_names(association)
    return association


def _joining(now: datetime) -> list[EmailSample]:
    attempt, association = sample_attempt(now), sample_association(now)
    refused = sample_attempt(now)
    refused.refusal_codes, refused.refused_at = [RefusalCode.UNPAID_BILLS.value], now
    return [
        _to_customer(
            kind="association.associated",
            occasion=_("An account has joined."),
            about=association,
            write=partial(
                write_associated,
                association=association,
                is_frozen=True,
                holdings={"coupon_count": 1, "running_resources": 2},
            ),
        ),
        _to_customer(
            kind="association.resume",
            occasion=_("A customer chooses “Enable later”."),
            about=attempt,
        ),
        _to_customer(
            kind="association.resume_reminder",
            occasion=_("The last day has begun for a customer who enables later."),
            about=attempt,
        ),
        _to_customer(
            kind="association.reminder",
            occasion=_("A member of the partner reminds a customer who enables later."),
            about=attempt,
        ),
        _to_customer(
            kind="association.advice",
            occasion=_("A member of the partner writes to a customer who was refused."),
            about=refused,
        ),
        _to_partner(
            kind="association.customer_waiting",
            occasion=_("A reseller's customer has joined."),
            about=association,
        ),
        _to_partner(
            kind="association.customer_refused",
            occasion=_("A customer who cannot join presses “Tell the partner”."),
            about=attempt,
            data={"codes": [RefusalCode.UNPAID_BILLS.value]},
        ),
    ]


def _freezes(now: datetime) -> list[EmailSample]:
    association = sample_association(now)
    freeze = partial(
        Freeze,
        pk=NO_KEY,
        account=association.account,
        scope=FreezeScope.ACCOUNT,
        reason=gettext("Two invoices are unpaid."),
        frozen_at=now,
    )
    lifted = partial(freeze, unfrozen_at=now, unfreeze_reason=gettext("Both are paid."))
    by_partner, by_provider = FreezeCause.PARTNER, FreezeCause.ADMINISTRATOR
    own, providers = freeze(cause=by_partner), freeze(cause=by_provider)
    frozen = partial(Situation, association, has_resources=True, has_running=True)
    free = frozen([], budget=_budget(association, now))
    own_lifted, providers_lifted = lifted(cause=by_partner), lifted(cause=by_provider)
    return [
        _to_customer(
            kind="association.frozen",
            occasion=_(
                "The partner or the provider freezes the account, or the budget is used up."
            ),
            about=own,
            write=partial(write_frozen, freeze=own, situation=frozen(_advice(own))),
        ),
        _to_partner(
            kind="association.customer_frozen",
            occasion=_("The provider freezes a customer's account."),
            about=providers,
            write=partial(
                write_customer_frozen, freeze=providers, situation=frozen(_advice(providers))
            ),
        ),
        _to_customer(
            kind="association.unfrozen",
            occasion=_("A freeze is lifted."),
            about=own_lifted,
            write=partial(write_unfrozen, freeze=own_lifted, situation=free),
        ),
        _to_partner(
            kind="association.customer_unfrozen",
            occasion=_("The provider lifts a freeze of a customer's account."),
            about=providers_lifted,
            write=partial(write_customer_unfrozen, freeze=providers_lifted, situation=free),
        ),
    ]


def _advice(freeze: Freeze) -> list[FreezeRow]:
    return advise([freeze], budget=None, used=None)


def _budget(association: Association, now: datetime) -> Budget:
    return Budget(
        pk=NO_KEY,
        association=association,
        amount=Decimal("1000.00"),
        period=BudgetPeriod.ONE_TIME,
        on_exhaustion=OnExhaustion.FREEZE,
        set_at=now - timedelta(days=4),
    )


def _terms(now: datetime) -> list[EmailSample]:
    association = sample_association(now)
    budget = _budget(association, now)
    alert = BudgetAlert(pk=NO_KEY, budget=budget, threshold=75, alerted_at=now)
    requested = Authorization(pk=NO_KEY, association=association, requested_at=now)
    granted = Authorization(pk=NO_KEY, association=association, granted_at=now)
    budget_request = BudgetRequest(
        pk=NO_KEY, association=association, asked_at=now, asked_for=FrozenAction.SET_BUDGET
    )
    return [
        _to_partner(
            kind="association.customer_budget_alert",
            occasion=_("75, 90 or 100 % of a budget is used."),
            about=alert,
            data={"used": "760.00"},
        ),
        _to_customer(
            kind="association.budget_alert",
            occasion=_("75, 90 or 100 % of the budget is used."),
            about=alert,
            data={"used": "760.00"},
        ),
        _to_partner(
            kind="association.budget_requested",
            occasion=_("A frozen customer asks for a budget, at most once a day."),
            about=budget_request,
            write=partial(write_budget_requested, budget_request=budget_request),
        ),
        _to_customer(
            kind="association.authorization_requested",
            occasion=_("The partner asks for the authorization."),
            about=requested,
        ),
        _to_partner(
            kind="association.authorization_decided",
            occasion=_("A customer gives, declines or revokes the authorization."),
            about=granted,
        ),
    ]


def _endings(now: datetime) -> list[EmailSample]:
    association = sample_association(now)
    reason = gettext("We close this office.")
    ended = sample_association(now, ended_at=now, end_reason=reason)
    end_request = partial(
        EndRequest,
        pk=NO_KEY,
        association=association,
        reason=reason,
        asked_at=now - timedelta(days=2),
    )
    declined = partial(
        end_request,
        answer=EndAnswer.DECLINED,
        answer_reason=gettext("The contract runs until June."),
        answered_at=now,
    )
    withdrawn = partial(end_request, answer=EndAnswer.WITHDRAWN, answered_at=now)
    by_partner, by_customer = (
        end_request(asking_side=Side.PARTNER),
        end_request(asking_side=Side.CUSTOMER),
    )
    return [
        _to_customer(
            kind="association.end_requested",
            occasion=_("The partner asks to end the association."),
            about=by_partner,
        ),
        _to_partner(
            kind="association.customer_end_requested",
            occasion=_("The customer asks to end the association."),
            about=by_customer,
        ),
        _to_customer(
            kind="association.end_withdrawn",
            occasion=_("The partner withdraws its request."),
            about=withdrawn(asking_side=Side.PARTNER, answering_side=Side.PARTNER),
        ),
        _to_partner(
            kind="association.customer_end_withdrawn",
            occasion=_("The customer withdraws the request."),
            about=withdrawn(asking_side=Side.CUSTOMER, answering_side=Side.CUSTOMER),
        ),
        _to_customer(
            kind="association.end_declined",
            occasion=_("The customer's request to end is declined."),
            about=declined(asking_side=Side.CUSTOMER, answering_side=Side.PARTNER),
        ),
        _to_partner(
            kind="association.customer_end_declined",
            occasion=_("The partner's request to end is declined."),
            about=declined(asking_side=Side.PARTNER, answering_side=Side.CUSTOMER),
        ),
        _to_customer(
            kind="association.ended",
            occasion=_("The association has ended."),
            about=ended,
        ),
        _to_partner(
            kind="association.customer_ended",
            occasion=_("The association has ended."),
            about=ended,
        ),
    ]
