"""What members do in their console, in words: the actions of the audit trail, by their group."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

GROUPS: dict["StrOrPromise", dict[str, "StrOrPromise"]] = {
    _("Invitations"): {
        "invitation.created": _("Invitation made"),
        "invitation.edited": _("Invitation changed"),
        "invitation.resent": _("Invitation sent again"),
        "invitation.revoked": _("Invitation revoked"),
        "batch.drafted": _("List of people uploaded"),
        "batch.started": _("Batch started"),
        "batch.cancelled": _("Batch cancelled"),
        "batch.stopped": _("Batch stopped"),
        "batch.renamed": _("Batch renamed"),
        "bulk_action.started": _("Action on many rows started"),
        "bulk_action.cancelled": _("Action on many rows cancelled"),
        "invitation_request.answered": _("Invitation request answered"),
        "invitation_request.dismissed": _("Invitation request dismissed"),
    },
    _("Customers"): {
        "budget.set": _("Budget set"),
        "budget.ended": _("Budget ended"),
        "freeze.opened": _("Customer frozen"),
        "freeze.widened": _("Freeze extended to resources"),
        "freeze.replaced": _("Freeze replaced"),
        "freeze.closed": _("Freeze ended"),
        "authorization.requested": _("Authorization requested"),
        "authorization.revoked": _("Authorization revoked"),
        "association.renamed": _("Customer’s name, reference or note changed"),
        "association.manager_changed": _("Manager changed"),
        "association.address_revealed": _("Customer’s address revealed"),
        "attempt.address_revealed": _("Visitor’s address revealed"),
        "attempt.reminded": _("Visitor reminded to finish"),
        "attempt.advised": _("Refused visitor written to"),
        "end_request.made": _("Asked to end"),
        "end_request.agreed": _("Agreed to end"),
        "end_request.declined": _("Declined to end"),
        "end_request.withdrawn": _("Request to end withdrawn"),
        "association.ended": _("Association ended"),
    },
    _("Members and settings"): {
        "member_invitation.made": _("Member invited"),
        "member_invitation.renewed": _("Member invited again"),
        "member_invitation.withdrawn": _("Invitation of a member withdrawn"),
        "partner_member.changed": _("Member’s role or rights changed"),
        "partner_member.deleted": _("Member removed"),
        "partner_member.notifications_changed": _("Own notifications changed"),
        "partner.settings_changed": _("Settings changed"),
        "partner.logo_changed": _("Logo changed"),
        "api_key.created": _("API key made"),
        "api_key.revoked": _("API key revoked"),
        "endpoint.created": _("Webhook endpoint made"),
        "endpoint.changed": _("Webhook endpoint changed"),
        "endpoint.secret_rotated": _("Secret of a webhook endpoint rotated"),
        "endpoint.turned_on": _("Webhook endpoint turned on"),
        "endpoint.turned_off": _("Webhook endpoint turned off"),
        "endpoint.deleted": _("Webhook endpoint deleted"),
    },
}
WORDS = {action: text for group in GROUPS.values() for action, text in group.items()}


def words_of(action: str) -> "StrOrPromise":
    """Return what an action is called; an action that a later version records has a plain word."""
    return WORDS.get(action, _("Another action"))
