"""The mails about invitations, of customers and of members, and someone asking for one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import User
from outbox.models import OutboxMessage
from outbox.services.rendering import Mail, Stale, absolute_url, find_about, render_mail
from partners.models import Invitation, InvitationRequest, MemberInvitation, Partner
from web.email_addresses import mask_address

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# Stands for a token where there is none yet.
STAND_IN = "…"


def invitation(message: OutboxMessage) -> Mail:
    """Write the online invitation to its recipient. Stale when it can no longer be followed."""
    offer = find_about(message, Invitation.objects.select_related("partner"))
    refusal = offer.refusal(timezone.now())
    if refusal is not None:
        raise Stale(refusal)
    return _write_invitation(message, offer, link=offer.link)


def preview_invitation(offer: Invitation) -> Mail:
    """Write the mail of an invitation that is not made yet; `STAND_IN` is where its link will be.

    All else is what the worker would send now: the same text, in the same language and zone.
    """
    message = OutboxMessage(
        recipient=offer.recipient, language=offer.language or settings.LANGUAGE_CODE
    )
    with translation.override(message.language):
        return _write_invitation(message, offer, link=f"{settings.PUBLIC_BASE_URL}/i/{STAND_IN}")


def default_subject(partner: Partner) -> str:
    """Return the subject of an invitation's mail unless another was chosen."""
    names = {"partner": partner.name, "provider": settings.PROVIDER_NAME}
    return _("%(partner)s invites you to join on %(provider)s") % names


def _write_invitation(message: OutboxMessage, offer: Invitation, *, link: str) -> Mail:
    """Write the mail, with its moments in the site's own zone, whatever zone is active."""
    with timezone.override(None):
        return render_mail(
            message,
            template="partners/invitation",
            subject=offer.subject or default_subject(offer.partner),
            context={
                "invitation": offer,
                "link": link,
                "partner": offer.partner,
                "note_lines": offer.note.splitlines(),
            },
        )


def render_for_partner(
    message: OutboxMessage,
    *,
    partner: Partner,
    template: str,
    subject: "StrOrPromise",
    context: Mapping[str, Any],
) -> Mail:
    """Render a mail to people of a partner: moments as in their console, in the partner's zone."""
    with timezone.override(partner.zone):
        return render_mail(
            message,
            template=template,
            subject=subject,
            context={"partner": partner, **context},
        )


def invitation_requested(message: OutboxMessage) -> Mail:
    """Tell a partner member that someone with an account asks for an online invitation.

    The address is masked; the console shows it. Stale when the request has been answered.
    """
    request = find_about(message, InvitationRequest.objects.select_related("partner", "invitation"))
    if request.closed_at is not None:
        raise Stale("already answered")
    return render_for_partner(
        message,
        partner=request.partner,
        template="partners/invitation_requested",
        subject=_("Someone asks for an online invitation"),
        context={
            "masked_address": mask_address(request.address),
            "label": request.invitation.label,
            "requested_at": request.requested_at,
            "console_url": absolute_url("console_requests"),
        },
    )


def member_invitation(message: OutboxMessage) -> Mail:
    """Ask someone to act for a partner. Stale when it can no longer be accepted."""
    offer = find_about(message, MemberInvitation.objects.select_related("partner", "invited_by"))
    if offer.accepted_at is not None or offer.withdrawn_at is not None:
        raise Stale("already answered or withdrawn")
    if offer.is_expired(timezone.now()):
        raise Stale("expired")
    user = User.objects.filter(email=offer.address).first()
    names = {"partner": offer.partner.name, "provider": settings.PROVIDER_NAME}
    return render_for_partner(
        message,
        partner=offer.partner,
        template="partners/member_invitation",
        subject=_("%(partner)s invites you to its console on %(provider)s") % names,
        context={
            "invitation": offer,
            "inviter": offer.invited_by.email if offer.invited_by else "",
            "needs_password": user is not None and not user.has_usable_password(),
            "membership_url": absolute_url("membership"),
            "reset_url": absolute_url("account_reset_password"),
        },
    )
