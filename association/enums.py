"""The choices and refusal codes of associations; no module here reads the database."""

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class BudgetPeriod(TextChoices):
    """Whether the budget is restored on the first of each month in the partner's time zone."""

    MONTHLY = "monthly", _("monthly")
    ONE_TIME = "one_time", _("one-time")


class OnExhaustion(TextChoices):
    """What happens when the budget is used up."""

    FREEZE = "freeze", _("freeze the account")
    NOTIFY = "notify", _("only tell the partner")


class CustomerProblem(StrEnum):
    """Why a partner's action on a customer is refused."""

    ENDED = "ended"
    NOT_RESELLER = "not_reseller"
    NO_BUDGET = "no_budget"
    NOT_A_MEMBER = "not_a_member"
    FROZEN_TOO_OFTEN = "frozen_too_often"


class AuthorizationProblem(StrEnum):
    """Why an authorization is not requested, granted, declined or revoked."""

    ENDED = "ended"
    NOT_OWNER = "not_owner"
    LETTER_CHANGED = "letter_changed"
    ALREADY_GRANTED = "already_granted"
    ALREADY_DECLINED = "already_declined"
    ALREADY_REVOKED = "already_revoked"
    NOT_GRANTED = "not_granted"
    NOT_REQUESTED = "not_requested"


class BudgetRequestProblem(StrEnum):
    """Why the customer cannot ask the partner for a budget."""

    ENDED = "ended"
    NOT_OWNER = "not_owner"
    NOT_RESELLER = "not_reseller"
    NOT_FROZEN = "not_frozen"


class AttemptActionProblem(StrEnum):
    """Why a partner's action on an attempt is refused."""

    NOT_POSSIBLE = "not_possible"
    ADDRESS_UNKNOWN = "address_unknown"


class PartnerActionKind(StrEnum):
    """What a partner can do to a customer's account."""

    BUDGET = "budget"
    FREEZE = "freeze"
    BUDGET_USED_UP = "budget_used_up"
    UNFREEZE = "unfreeze"
    AUTHORIZATION_REQUEST = "authorization_request"


class AuthorizationAnswer(TextChoices):
    """What a customer can do about the letter of authorization."""

    AGREE = "agree", _("Agree to the letter")
    DECLINE = "decline", _("Decline")
    REVOKE = "revoke", _("Revoke")


class Outcome(TextChoices):
    """The outcome of an attempt so far."""

    ASSOCIATED = "associated", _("Associated")
    REFUSED = "refused", _("Refused")
    UNDER_WAY = "under_way", _("Under way")


class LastStep(TextChoices):
    """The last step that an attempt reached, as the partner reads it."""

    INSTRUCTIONS = "instructions", _("Reads the instructions")
    ACCOUNT = "account", _("Chooses an account")
    REGISTER = "register", _("Registers")
    CHECK = "check", _("Refused at the check")
    FINISH = "finish", _("Enables or confirms")
    PUT_OFF = "put_off", _("Put off until later")
    DONE = "done", _("Done")
