"""The choices and codes of association: documents, steps, refusals, budgets, authorizations."""

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from partners.enums import InvitationRefusal


class Side(TextChoices):
    """Who acts on an association: one of its two sides, or the provider."""

    CUSTOMER = "customer", _("the customer")
    PARTNER = "partner", _("the partner")
    PROVIDER = "provider", _("the provider")


class EndAnswer(TextChoices):
    """What became of a request to end. Closed: the provider ended the association meanwhile."""

    AGREED = "agreed", _("agreed")
    DECLINED = "declined", _("declined")
    WITHDRAWN = "withdrawn", _("withdrawn")
    CLOSED = "closed", _("closed")


class EndAction(TextChoices):
    """What a side can do about ending an association."""

    ASK = "ask", _("Ask to end")
    WITHDRAW = "withdraw", _("Withdraw the request")
    AGREE = "agree", _("Agree and end the association")
    DECLINE = "decline", _("Decline")


class EndObstacle(StrEnum):
    """What has to be settled before a side may ask to end, or agree to it."""

    UNPAID_BILLS = "unpaid_bills"
    RESERVED_INSTANCES = "reserved_instances"
    ADMINISTRATOR_FREEZE = "administrator_freeze"


class AssociationRefusal(StrEnum):
    """Why an action on an association, its account or its attempt is refused."""

    ENDED = "ended"
    NOT_OWNER = "not_owner"
    NOT_RESELLER = "not_reseller"
    NOT_A_MEMBER = "not_a_member"
    NOT_AN_ADMINISTRATOR = "not_an_administrator"
    NOTHING_TO_LIFT = "nothing_to_lift"
    USED_UP_AT_ONCE = "used_up_at_once"
    BUDGET_SET_MEANWHILE = "budget_set_meanwhile"
    NO_BUDGET = "no_budget"
    # The provider has frozen the partner, whose members then may neither freeze nor request.
    PARTNER_FROZEN = "partner_frozen"
    FROZEN_TOO_OFTEN = "frozen_too_often"
    # The partner's freeze is open, with another reason than the one that is given now.
    FROZEN_FOR_OTHER_REASON = "frozen_for_other_reason"
    FROZEN_ALREADY = "frozen_already"
    # The customer asks the partner for something, and no freeze is open.
    NOT_FROZEN = "not_frozen"
    # The first of the open freezes is not lifted by asking the partner.
    ASKING_DOES_NOT_HELP = "asking_does_not_help"
    # The page showed another question than the one that helps now.
    OTHER_ASK = "other_ask"

    # The authorization is in another state than the action needs.
    AUTHORIZATION_LETTER_CHANGED = "authorization_letter_changed"
    ALREADY_GRANTED = "already_granted"
    ALREADY_DECLINED = "already_declined"
    ALREADY_REVOKED = "already_revoked"
    NOT_GRANTED = "not_granted"
    NOT_REQUESTED = "not_requested"
    GRANTED_TOO_OFTEN = "granted_too_often"

    # A request to end is open already.
    END_REQUEST_OPEN = "end_request_open"
    END_ASKED_TOO_OFTEN = "end_asked_too_often"
    # `context["obstacles"]` has to be settled before the association can end.
    END_OBSTRUCTED = "end_obstructed"
    # The request to end was answered or withdrawn meanwhile.
    END_REQUEST_ANSWERED = "end_request_answered"
    # The asking side withdraws, the other one answers.
    WRONG_SIDE = "wrong_side"
    # The provider answers only when the other side has had its time.
    END_REQUEST_NOT_DUE = "end_request_not_due"

    # A partner's action on an attempt.
    NOT_POSSIBLE = "not_possible"
    # The partner has written to this account within the last 24 hours.
    WRITTEN_TOO_OFTEN = "written_too_often"
    # Somebody who has unsubscribed from the partner's e-mails.
    EMAIL_UNWANTED = "email_unwanted"
    ADDRESS_UNKNOWN = "address_unknown"


class PartnerStop(StrEnum):
    """Why a partner may not do something for an account, though the account may."""

    NO_PARTNER = "no_partner"
    CUSTOMER_ONLY = "customer_only"
    NOT_AUTHORIZED = "not_authorized"
    PARTNER_FROZEN = "partner_frozen"


class CouponStop(StrEnum):
    """Why a coupon may not pay a charge."""

    UNKNOWN = "coupon_unknown"
    EMPTY = "coupon_empty"
    EXPIRED = "coupon_expired"
    INCURRED_AS_CUSTOMER = "incurred_since_joining"


class FrozenAction(TextChoices):
    """The one thing that a frozen customer is offered; `ASKS` of them ask the partner."""

    SET_BUDGET = "set_budget", _("ask for a budget")
    UNFREEZE = "unfreeze", _("ask to unfreeze")
    RAISE_BUDGET = "raise_budget", _("ask to raise the budget")
    CONTACT_PARTNER = "contact_partner", _("contact the partner")
    CONTACT_PROVIDER = "contact_provider", _("contact the provider")


ASKS = (FrozenAction.SET_BUDGET, FrozenAction.UNFREEZE, FrozenAction.RAISE_BUDGET)


class AuthorizationState(StrEnum):
    REQUESTED = "requested"
    GRANTED = "granted"
    DECLINED = "declined"
    REVOKED = "revoked"


class CustomerStatus(TextChoices):
    """Whether a customer can use the account; without a budget a reseller's customer waits."""

    WAITING = "waiting", _("waiting for a budget")
    FROZEN = "frozen", _("frozen")
    FREE = "free", _("not frozen")
    ENDED = "ended", _("ended")


class AuthorizationAnswer(TextChoices):
    AGREE = "agree", _("Agree to the letter")
    DECLINE = "decline", _("Decline")
    REVOKE = "revoke", _("Revoke")


class Outcome(TextChoices):
    ASSOCIATED = "associated", _("Associated")
    REFUSED = "refused", _("Refused")
    UNDER_WAY = "under_way", _("Under way")


class LastStep(TextChoices):
    INSTRUCTIONS = "instructions", _("Reads the instructions")
    ACCOUNT = "account", _("Chooses an account")
    REGISTER = "register", _("Registers")
    CHECK = "check", _("Refused at the check")
    FINISH = "finish", _("Enables or confirms")
    PUT_OFF = "put_off", _("Put off until later")
    DONE = "done", _("Done")


class DocumentKind(TextChoices):
    INSTRUCTIONS = "instructions", _("Instructions for Associating")
    LETTER_OF_AUTHORIZATION = "letter_of_authorization", _("Letter of Authorization")
    CUSTOMER_AGREEMENT = "customer_agreement", _("Customer Agreement")
    PRIVACY_STATEMENT = "privacy_statement", _("Privacy Statement")


class Step(StrEnum):
    INSTRUCTIONS = "instructions"
    ACCOUNT = "account"
    REGISTER = "register"
    ASK = "ask"
    SWITCH = "switch"
    CHECK = "check"
    ENABLE = "enable"
    CONFIRM = "confirm"
    DONE = "done"


class RefusalCode(StrEnum):
    """Why an account, an invitation or a partner is refused; stored, so a code never changes."""

    CHINESE_MAINLAND_SITE = "chinese_mainland_site"
    OTHER_PARTNER = "other_partner"
    SPECIAL_CONTRACT = "special_contract"
    REGISTERED_TOO_LONG = "registered_too_long"
    CASH_EXPENDITURE = "cash_expenditure"
    UNPAID_BILLS = "unpaid_bills"
    UNIFIED_ACCOUNTING_MEMBER = "unified_accounting_member"
    PROFESSIONAL_SERVICES_CONTRACT = "professional_services_contract"
    RESERVED_INSTANCES = "reserved_instances"
    ENTERPRISE_MEMBER = "enterprise_member"
    MASTER_WITH_INDEPENDENT_MEMBERS = "master_with_independent_members"
    IS_PARTNER = "is_partner"
    INTERNAL_ACCOUNT = "internal_account"

    # Not about the account: decided where the invitation and its partner are loaded.
    INVITATION_UNKNOWN = InvitationRefusal.UNKNOWN.value
    INVITATION_EXPIRED = InvitationRefusal.EXPIRED.value
    INVITATION_USED_UP = InvitationRefusal.USED_UP.value
    INVITATION_REVOKED = InvitationRefusal.REVOKED.value
    PARTNER_UNAVAILABLE = InvitationRefusal.PARTNER_UNAVAILABLE.value
    TYPE_NOT_ALLOWED = InvitationRefusal.TYPE_NOT_ALLOWED.value
    EXISTING_ACCOUNT_NOT_ALLOWED = "existing_account_not_allowed"
    WRONG_RECIPIENT = "wrong_recipient"
    EMAIL_DOMAIN_NOT_ALLOWED = "email_domain_not_allowed"


# What refuses an account in every invitation, and never ends: only another account can join.
FOR_GOOD = frozenset(
    {
        RefusalCode.CHINESE_MAINLAND_SITE,
        RefusalCode.REGISTERED_TOO_LONG,
        RefusalCode.CASH_EXPENDITURE,
        RefusalCode.IS_PARTNER,
        RefusalCode.INTERNAL_ACCOUNT,
    }
)
# What ends by itself, maybe only after the account may join.
MAY_END_TOO_LATE = frozenset(
    {
        RefusalCode.SPECIAL_CONTRACT,
        RefusalCode.PROFESSIONAL_SERVICES_CONTRACT,
        RefusalCode.RESERVED_INSTANCES,
    }
)


class Operation(StrEnum):
    """What a partner can do about a refusal; the keys are stable."""

    RESEND = "resend"
    OFFER_REFERRAL = "offer_referral"
    SEND_ONLINE_INVITATION = "send_online_invitation"
    # By the form for a new e-mail, which begins with what this invitation has.
    SEND_TO_OTHER_ADDRESS = "send_to_other_address"
    MESSAGE_CUSTOMER = "message_customer"


class CountedMoment(TextChoices):
    """Which moment of an attempt the days of the history are about; columns end in `_at`."""

    STARTED = "started", _("started")
    REGISTERED = "registered", _("registered")
    ASSOCIATED = "associated", _("associated")
    REFUSED = "refused", _("refused")


class MessageKind(TextChoices):
    """What a partner's member has e-mailed to somebody who is no customer yet."""

    REMINDER = "reminder", _("reminder to finish")
    ADVICE = "advice", _("advice after a refusal")


class JourneyRefusal(StrEnum):
    """Why a step of the journey was not done."""

    # The attempt has led to an association; it is not written any more.
    FINISHED = "finished"
    # The attempt already belongs to another account.
    OTHER_ACCOUNT = "other_account"
    # There is nothing to tell the partner: the account may join.
    NOTHING_REFUSED = "nothing_refused"
    # A rule refuses; `context["admission"]` says which ones and why.
    NOT_ADMITTED = "not_admitted"
    # The account is this partner's customer already.
    ALREADY_ASSOCIATED = "already_associated"
    # `context["step"]` is undone: missing, or agreed to in an older version.
    STEP_UNDONE = "step_undone"
    # A document that the last page named is not the version in force any more, or was not named.
    DOCUMENT_CHANGED = "document_changed"


class DocumentRefusal(StrEnum):
    ALREADY_PUBLISHED = "already_published"


class ErasureRefusal(StrEnum):
    """Why an account cannot be erased."""

    UNKNOWN = "erasure_of_unknown_account"
    ASSOCIATED = "erasure_while_associated"
    IS_MEMBER = "erasure_of_member"
    IS_STAFF = "erasure_of_staff"
    IS_SUPPORT = "erasure_of_support_address"
