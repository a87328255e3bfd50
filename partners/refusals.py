"""The sentences for what partners refuses to do, by the code of the refusal."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partners.enums import (
    BulkRefusal,
    InvitationProblem,
    InvitationRequestRefusal,
    ListProblem,
    LogoRefusal,
    MailingRefusal,
    MemberRefusal,
    NameRefusal,
    PartnerRefusal,
    RowProblem,
)
from web.moments import clock_text, next_minute
from web.refused import Refused

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SENTENCES: dict[str, "StrOrPromise"] = {
    InvitationProblem.REVOKED: _("This invitation has been revoked."),
    InvitationProblem.EXPIRED: _("This invitation has expired."),
    InvitationProblem.USED_UP: _("This invitation has been used up."),
    InvitationProblem.PARTNER_UNAVAILABLE: _("The partner is frozen and cannot invite."),
    InvitationProblem.TYPE_NOT_ALLOWED: _("The partner may not invite in this association type."),
    InvitationProblem.EXPIRY_NOT_AHEAD: _("The expiry must be in the future."),
    InvitationProblem.TOO_FEW_USES: _("It must allow at least one use, and all uses so far."),
    InvitationProblem.TOO_MANY_USES: _("It cannot allow so many uses."),
    InvitationProblem.NAME_FOR_SEVERAL: _(
        "A name is for one customer. Allow one use only, or leave the name empty."
    ),
    InvitationProblem.METADATA_NOT_ACCEPTED: _(
        "Metadata is an object of at most 20 texts. A key has 1 to 40 characters, a text at most"
        " 500."
    ),
    InvitationProblem.NOT_BY_EMAIL: _("Only an invitation by e-mail can be sent again."),
    InvitationProblem.RECIPIENT_REMOVED: _(
        "This invitation is so old that its recipient is no longer stored. Make a new one."
    ),
    InvitationProblem.MAILED_TOO_OFTEN: _("This person was sent three invitations within a day."),
    InvitationProblem.DOES_NOT_WANT_EMAIL: _(
        "This person does not want invitations from you by e-mail. You can hand on the link"
        " yourself."
    ),
    InvitationProblem.QUOTA_REACHED: _(
        "These would be more invitations than are allowed within 24 hours."
    ),
    NameRefusal.NAME_OF_PROVIDER: _(
        "Your customers could take this for the provider’s own name. Choose another one."
    ),
    NameRefusal.NAME_TAKEN: _("Another partner has this name. Choose one that differs."),
    NameRefusal.NAME_MIXES_ALPHABETS: _(
        "Some letters of one word belong to different alphabets and only look alike. Type the word"
        " again."
    ),
    LogoRefusal.TOO_LARGE: _("The file is too large: at most 256 kB."),
    LogoRefusal.TOO_MANY_PIXELS: _("The picture is too large: at most 8 million pixels."),
    LogoRefusal.SVG: _(
        "An SVG file cannot be used, because it can contain programs. Save the logo as PNG."
    ),
    LogoRefusal.NOT_A_PICTURE: _(
        "This file is broken, or is not a picture. Choose a PNG, JPEG, WebP or GIF file."
    ),
    LogoRefusal.BLANK: _("On a white page nothing of this picture can be seen."),
    ListProblem.EMPTY: _("The list is empty. Paste it, or choose a file."),
    ListProblem.WORKBOOK: _(
        "This is a workbook of Excel or LibreOffice. Open it there, choose “Save as” and the type"
        " “CSV UTF-8” (in LibreOffice: “Text CSV”), and upload that file."
    ),
    ListProblem.ADDRESS_CARDS: _(
        "This file has address cards (vCard or LDIF). Export the contacts once more as CSV, and"
        " upload that file."
    ),
    ListProblem.HAS_NUL: _(
        "The list contains NUL characters: it is not a text file. Export it as CSV in UTF-8."
    ),
    ListProblem.NOT_CSV: _(
        "The list cannot be divided into rows. Look for quotation marks that are not closed, from"
        " row %(row)s on."
    ),
    ListProblem.TOO_LARGE: _("The file is too large: at most 4 MB."),
    ListProblem.TOO_MANY_ROWS: _("The list is too long: at most 5,000 people."),
    ListProblem.NOTHING_GOOD: _("No row of the list can be used. Nothing has been stored."),
    RowProblem.BROKEN_QUOTES: _(
        "A quotation mark in this row is not closed, or stands in the wrong place."
    ),
    RowProblem.FORMULA: _("A cell begins like a formula (=, +, - or @)."),
    RowProblem.NO_ADDRESS: _("The e-mail address is missing."),
    RowProblem.BAD_ADDRESS: _("This is not an e-mail address like name@example.com."),
    RowProblem.EXAMPLE: _("This is the example of the template."),
    RowProblem.DUPLICATE: _("The address is in the list already."),
    RowProblem.UNKNOWN_COUNTRY: _("The country is neither a code like DE nor an English name."),
    RowProblem.COUNTRY_NOT_OFFERED: _("The country or region is not offered."),
    RowProblem.NAME_TOO_LONG: _("The name is longer than 120 characters."),
    RowProblem.NOTE_TOO_LONG: _("The note is longer than 500 characters."),
    RowProblem.REFERENCE_TOO_LONG: _("The reference is longer than 128 characters."),
    RowProblem.TOO_MANY_CELLS: _(
        "The row has more cells than there are columns. Put text with commas in quotation marks."
    ),
    RowProblem.ALREADY_CUSTOMER: _("This person is your customer already."),
    RowProblem.ALREADY_INVITED: _("This person has an invitation from you that is still live."),
    MailingRefusal.CANCELLED: _("This list has been discarded or cancelled."),
    MailingRefusal.STARTED: _(
        "Somebody has started this list with another subject, note or choice of people. Those"
        " e-mails are on their way; yours are not sent."
    ),
    MailingRefusal.NOBODY_LEFT: _(
        "Everybody on the list is your customer, or has an invitation that is still live. Nothing"
        " has been sent."
    ),
    BulkRefusal.NOTHING_CHOSEN: _("Nothing was chosen. Tick rows of the list, then choose again."),
    BulkRefusal.TOO_MANY: _(
        "More than %(most)s rows match. Narrow the list with its filters, then choose again."
    ),
    BulkRefusal.FILTER_CHANGED: _("The filter has changed; look at the list again."),
    BulkRefusal.STARTED: _(
        "This has been started already, with something else typed. Nothing new was started."
    ),
    BulkRefusal.CANCELLED: _("This has been cancelled. Choose the rows again."),
    BulkRefusal.NOT_VISIBLE: _("This is not yours any more."),
    BulkRefusal.LIVES_LONGER: _("It lives longer already."),
    BulkRefusal.MEMBER_LEFT: _("The member who started this has left."),
    BulkRefusal.FAILED: _("An error of this system stopped it. Try it again on its own page."),
    InvitationRequestRefusal.ANSWERED: _("The online invitation has been sent already."),
    InvitationRequestRefusal.DISMISSED: _("This request has been dismissed."),
    InvitationRequestRefusal.NOT_A_LINK: _(
        "Only a person who follows a link can ask for an online invitation."
    ),
    PartnerRefusal.FROZEN_ALREADY: _(
        "The partner had been frozen already. Nothing has changed, and its members are not told of"
        " this reason."
    ),
    PartnerRefusal.NOT_FROZEN: _("The partner is not frozen."),
    MemberRefusal.LAST_ADMINISTRATOR: _(
        "A partner keeps at least one administrator. Make someone else an administrator first."
    ),
    MemberRefusal.NO_LONGER_MEMBER: _("This person is no longer a member."),
    MemberRefusal.MEMBER_ALREADY: _("This person is a member already."),
    MemberRefusal.MAILED_TOO_OFTEN: _(
        "This person was sent three invitations to become a member within a day."
    ),
    MemberRefusal.TOO_MANY_INVITED: _(
        "Your organisation has invited as many members as it can within a day."
    ),
    MemberRefusal.INVITATION_ACCEPTED: _("This invitation has been accepted already."),
    MemberRefusal.INVITATION_EXPIRED: _(
        "This invitation has expired. Ask the person who invited you to invite you again."
    ),
    MemberRefusal.INVITATION_WITHDRAWN: _("This invitation has been withdrawn."),
    MemberRefusal.ACTS_FOR_A_PARTNER: _(
        "You act for a partner already, and a log-in acts for one partner only."
    ),
    MemberRefusal.IS_YOUR_CUSTOMER: _(
        "This person is your customer, and a customer does not act for a partner. Invite another"
        " e-mail address of theirs."
    ),
    MemberRefusal.IS_A_CUSTOMER: _(
        "Your account is a partner’s customer, and a customer does not act for a partner. Ask to be"
        " invited with another e-mail address."
    ),
}


def sentence_for(refused: Refused) -> str:
    """Return the sentence for the refusal, and from when the action is possible again if known."""
    sentence = str(SENTENCES[refused.code.value])
    return with_moment(sentence % refused.context if refused.context else sentence, refused)


def with_moment(sentence: str, refused: Refused) -> str:
    """Add to the sentence from when the action is possible again, in the reader's zone."""
    if refused.again_at is None:
        return sentence
    again = gettext("Possible again from %(moment)s.")
    return f"{sentence} {again % {'moment': clock_text(next_minute(refused.again_at))}}"
