"""The codes of what partners refuses; stored and shown by name, so a code never changes."""

from enum import StrEnum


class InvitationRefusal(StrEnum):
    """Why an invitation cannot be followed now."""

    UNKNOWN = "invitation_unknown"
    REVOKED = "invitation_revoked"
    EXPIRED = "invitation_expired"
    USED_UP = "invitation_used_up"
    PARTNER_UNAVAILABLE = "partner_unavailable"
    TYPE_NOT_ALLOWED = "type_not_allowed"


class InvitationProblem(StrEnum):
    """Why an invitation cannot be made, changed or sent again as asked.

    What nobody could follow is not made, and what cannot be followed any more is not changed.
    """

    REVOKED = InvitationRefusal.REVOKED.value
    EXPIRED = InvitationRefusal.EXPIRED.value
    USED_UP = InvitationRefusal.USED_UP.value
    PARTNER_UNAVAILABLE = InvitationRefusal.PARTNER_UNAVAILABLE.value
    TYPE_NOT_ALLOWED = InvitationRefusal.TYPE_NOT_ALLOWED.value
    EXPIRY_NOT_AHEAD = "expiry_not_ahead"
    TOO_FEW_USES = "too_few_uses"
    TOO_MANY_USES = "too_many_uses"
    NOT_BY_EMAIL = "not_by_email"
    MAILED_TOO_OFTEN = "mailed_too_often"
    QUOTA_REACHED = "quota_reached"


class RequestProblem(StrEnum):
    """Why a request for an online invitation cannot be opened or closed as asked."""

    ANSWERED = "request_answered"
    DISMISSED = "request_dismissed"
    NOT_A_LINK = "request_not_by_link"


class MemberProblem(StrEnum):
    """Why someone cannot become, stay or cease to be a partner member as asked."""

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


class ListProblem(StrEnum):
    """Why a list of people cannot be read at all."""

    EMPTY = "list_empty"
    NOT_UTF8 = "list_not_utf8"
    HAS_NUL = "list_has_nul"
    NOT_CSV = "list_not_csv"
    TOO_LARGE = "list_too_large"
    TOO_MANY_ROWS = "list_too_many_rows"
    NOTHING_GOOD = "list_nothing_good"


class RowProblem(StrEnum):
    """Why a row of a list cannot be used; beside it those of `InvitationProblem`."""

    FORMULA = "row_formula"
    NO_ADDRESS = "row_no_address"
    BAD_ADDRESS = "row_bad_address"
    DUPLICATE = "row_duplicate"
    UNKNOWN_COUNTRY = "row_unknown_country"
    COUNTRY_NOT_OFFERED = "row_country_not_offered"
    NAME_TOO_LONG = "row_name_too_long"
    NAME_NOT_ONE_LINE = "row_name_not_one_line"
    NOTE_TOO_LONG = "row_note_too_long"
    TOO_MANY_CELLS = "row_too_many_cells"


class MailingProblem(StrEnum):
    """Why a batch of e-mails cannot be started."""

    CANCELLED = "batch_cancelled"
