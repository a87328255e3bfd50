"""The choices and codes of partners; stored and shown by value, so a value never changes."""

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class AssociationType(TextChoices):
    """What an association means: the partner resells, or refers."""

    RESELLER = "reseller", _("reseller")
    REFERRAL = "referral", _("referral")


class BudgetPeriod(TextChoices):
    """Whether the budget is restored on the first of each month in the partner's time zone."""

    MONTHLY = "monthly", _("monthly")
    ONE_TIME = "one_time", _("one-time")


class OnExhaustion(TextChoices):
    FREEZE = "freeze", _("freeze the account")
    NOTIFY = "notify", _("only tell the partner")


class PartnerStatus(TextChoices):
    NORMAL = "normal", _("normal")
    FROZEN = "frozen", _("frozen")


class CsvSeparator(TextChoices):
    """What stands between the cells of the partner's CSV files; the value is its stored name."""

    COMMA = "comma", _("comma")
    SEMICOLON = "semicolon", _("semicolon, as Excel expects in much of Europe")
    TAB = "tab", _("tab")


class PartnerRole(TextChoices):
    """What a member may see: everything of the partner, or their own."""

    ADMINISTRATOR = "administrator", _("administrator")
    MANAGER = "manager", _("manager")


class NotificationKind(TextChoices):
    """What a member chooses to be told of; the value is the name of the kind of e-mail."""

    CUSTOMER_WAITING = "customer_waiting", _("A new customer waits for a budget")
    CUSTOMER_REFUSED = "customer_refused", _("A customer could not join, and tells you")
    INVITATION_REQUESTED = "invitation_requested", _("Someone asks for an online invitation")
    AUTHORIZATION_DECIDED = "authorization_decided", _("A customer decides on the authorization")
    CUSTOMER_BUDGET_ALERT = "customer_budget_alert", _("Much of a customer’s budget is used")


class EventKind(TextChoices):
    """The kinds of events that other systems read."""

    INVITATION_CREATED = "invitation.created", _("invitation made")
    INVITATION_REVOKED = "invitation.revoked", _("invitation revoked")
    INVITATION_DELIVERY_FAILED = "invitation.delivery_failed", _("invitation not delivered")
    INVITATION_REQUEST_CREATED = "invitation_request.created", _("online invitation asked for")
    ATTEMPT_REFUSED = "attempt.refused", _("refused customer told the partner")
    ASSOCIATION_CREATED = "association.created", _("association made")
    ASSOCIATION_ENDED = "association.ended", _("association ended")
    ACCOUNT_FROZEN = "account.frozen", _("account frozen")
    ACCOUNT_UNFROZEN = "account.unfrozen", _("account unfrozen")
    BUDGET_SET = "budget.set", _("budget set")
    BUDGET_THRESHOLD_REACHED = "budget.threshold_reached", _("much of a budget used")
    BUDGET_REQUEST_CREATED = "budget_request.created", _("budget or unfreezing asked for")
    AUTHORIZATION_CHANGED = "authorization.changed", _("authorization changed")
    END_REQUEST_CHANGED = "end_request.changed", _("request to end changed")
    ENDPOINT_TEST = "endpoint.test", _("test of a webhook")


class NotificationDelivery(TextChoices):
    EACH = "each", _("at once")
    DAILY = "daily", _("in one e-mail a day")
    NONE = "none", _("not at all")


class Channel(TextChoices):
    """How the offer travels: a link for many (and its QR code), or an e-mail for one."""

    LINK = "link", _("link and QR code")
    EMAIL = "email", _("e-mail")


class InvitationState(TextChoices):
    LIVE = "live", _("live")
    EXPIRED = "expired", _("expired")
    USED_UP = "used_up", _("used up")
    REVOKED = "revoked", _("revoked")


class DeliveryState(StrEnum):
    ON_ITS_WAY = "on_its_way"
    RETRIED = "retried"
    SENT = "sent"
    REFUSED = "refused"
    FAILED = "failed"
    LATE = "late"
    DROPPED = "dropped"
    UNSUBSCRIBED = "unsubscribed"


class BatchState(StrEnum):
    DRAFT = "draft"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class BulkKind(TextChoices):
    """What is done with many rows at once: three with invitations, the others with customers."""

    REVOKE = "revoke", _("revoke")
    RESEND = "resend", _("send again")
    EXTEND = "extend", _("extend")
    SET_BUDGET = "set_budget", _("set a budget")
    FREEZE = "freeze", _("freeze")
    UNFREEZE = "unfreeze", _("unfreeze")
    ASSIGN_MANAGER = "assign_manager", _("assign a manager")


class BulkRefusal(StrEnum):
    """Why an action on many rows cannot be chosen or started, or why it leaves a row alone."""

    NOTHING_CHOSEN = "bulk_nothing_chosen"
    TOO_MANY = "bulk_too_many"
    FILTER_CHANGED = "bulk_filter_changed"
    STARTED = "bulk_started"
    CANCELLED = "bulk_cancelled"
    NOT_VISIBLE = "bulk_not_visible"
    LIVES_LONGER = "bulk_lives_longer"
    MEMBER_LEFT = "bulk_member_left"
    FAILED = "bulk_failed"


class InvitationRefusal(StrEnum):
    UNKNOWN = "invitation_unknown"
    REVOKED = "invitation_revoked"
    EXPIRED = "invitation_expired"
    USED_UP = "invitation_used_up"
    PARTNER_UNAVAILABLE = "partner_unavailable"
    TYPE_NOT_ALLOWED = "type_not_allowed"


class InvitationProblem(StrEnum):
    """Why an invitation cannot be made, changed or sent again.

    An invitation that cannot be followed is neither made nor changed, so it has those codes too.
    """

    REVOKED = InvitationRefusal.REVOKED.value
    EXPIRED = InvitationRefusal.EXPIRED.value
    USED_UP = InvitationRefusal.USED_UP.value
    PARTNER_UNAVAILABLE = InvitationRefusal.PARTNER_UNAVAILABLE.value
    TYPE_NOT_ALLOWED = InvitationRefusal.TYPE_NOT_ALLOWED.value
    EXPIRY_NOT_AHEAD = "expiry_not_ahead"
    TOO_FEW_USES = "too_few_uses"
    TOO_MANY_USES = "too_many_uses"
    NAME_FOR_SEVERAL = "name_for_several"
    METADATA_NOT_ACCEPTED = "metadata_not_accepted"
    NOT_BY_EMAIL = "not_by_email"
    RECIPIENT_REMOVED = "recipient_removed"
    MAILED_TOO_OFTEN = "mailed_too_often"
    DOES_NOT_WANT_EMAIL = "does_not_want_email"
    QUOTA_REACHED = "quota_reached"


class InvitationRequestRefusal(StrEnum):
    ANSWERED = "request_answered"
    DISMISSED = "request_dismissed"
    NOT_A_LINK = "request_not_by_link"


class PartnerRefusal(StrEnum):
    """Why the provider cannot freeze a partner, or unfreeze it."""

    FROZEN_ALREADY = "partner_frozen_already"
    NOT_FROZEN = "partner_not_frozen"


class MemberRefusal(StrEnum):
    LAST_ADMINISTRATOR = "last_administrator"
    NO_LONGER_MEMBER = "no_longer_member"
    MEMBER_ALREADY = "member_already"
    MAILED_TOO_OFTEN = "member_mailed_too_often"
    TOO_MANY_INVITED = "too_many_members_invited"
    INVITATION_ACCEPTED = "member_invitation_accepted"
    INVITATION_EXPIRED = "member_invitation_expired"
    INVITATION_WITHDRAWN = "member_invitation_withdrawn"
    ACTS_FOR_A_PARTNER = "acts_for_a_partner"
    IS_A_CUSTOMER = "is_a_customer"
    IS_YOUR_CUSTOMER = "is_your_customer"


class NameRefusal(StrEnum):
    """Why a partner cannot have this name, unless an administrator of the provider gives it."""

    NAME_OF_PROVIDER = "name_of_provider"
    NAME_TAKEN = "name_taken"
    NAME_MIXES_ALPHABETS = "name_mixes_alphabets"


class LogoRefusal(StrEnum):
    """Why a file is not taken as a partner's logo."""

    TOO_LARGE = "logo_too_large"
    TOO_MANY_PIXELS = "logo_too_many_pixels"
    SVG = "logo_is_svg"
    NOT_A_PICTURE = "logo_not_a_picture"
    BLANK = "logo_is_blank"


class ListProblem(StrEnum):
    """Why a list of people cannot be read at all."""

    EMPTY = "list_empty"
    WORKBOOK = "list_is_workbook"
    ADDRESS_CARDS = "list_is_address_cards"
    HAS_NUL = "list_has_nul"
    NOT_CSV = "list_not_csv"
    TOO_LARGE = "list_too_large"
    TOO_MANY_ROWS = "list_too_many_rows"
    NOTHING_GOOD = "list_nothing_good"


class ListRemark(StrEnum):
    """What the reader should know of a list that was read."""

    WINDOWS_1252 = "list_windows_1252"
    BEFORE_HEADING = "list_before_heading"
    FOOTER = "list_footer"


class ListColumn(StrEnum):
    """What a column of a list contains."""

    EMAIL = "email"
    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    COUNTRY = "country"
    REFERENCE = "reference"
    NOTE = "note"
    PRIVATE_NOTE = "private_note"


class RowProblem(StrEnum):
    """Why a row of a list cannot be used; a row can also have an `InvitationProblem`."""

    BROKEN_QUOTES = "row_broken_quotes"
    FORMULA = "row_formula"
    NO_ADDRESS = "row_no_address"
    BAD_ADDRESS = "row_bad_address"
    EXAMPLE = "row_example"
    DUPLICATE = "row_duplicate"
    NAME_TOO_LONG = "row_name_too_long"
    NOTE_TOO_LONG = "row_note_too_long"
    REFERENCE_TOO_LONG = "row_reference_too_long"
    TOO_MANY_CELLS = "row_too_many_cells"
    # Of lists that were read before an unknown country became a remark.
    UNKNOWN_COUNTRY = "row_unknown_country"
    COUNTRY_NOT_OFFERED = "row_country_not_offered"
    ALREADY_CUSTOMER = "row_already_customer"
    ALREADY_INVITED = "row_already_invited"


class RowRemark(StrEnum):
    """What the reader should know of a row that can be used."""

    UNKNOWN_COUNTRY = "remark_unknown_country"
    COUNTRY_NOT_OFFERED = "remark_country_not_offered"
    NAME_IS_ADDRESS = "remark_name_is_address"
    UNREADABLE_LETTER = "remark_unreadable_letter"
    SEVERAL_ADDRESSES = "remark_several_addresses"
    ALREADY_INVITED = "remark_already_invited"
    MAILED_TOO_OFTEN = "remark_mailed_too_often"


class MailingRefusal(StrEnum):
    CANCELLED = "batch_cancelled"
    STARTED = "mailing_started"
    NOBODY_LEFT = "mailing_nobody_left"
