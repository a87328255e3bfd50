"""The mails about invitations: the invitation itself, and someone asking for one."""

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.addresses import mask_address
from accounts.models import OutboxMessage
from accounts.services.mails import Mail, Stale, absolute_url, find_about, render_mail
from partners.models import Invitation, InvitationRequest


def invitation(message: OutboxMessage) -> Mail:
    """Write the online invitation to its recipient. Stale when it can no longer be followed."""
    offer = find_about(message, Invitation.objects.select_related("partner"))
    refusal = offer.refusal(timezone.now())
    if refusal is not None:
        raise Stale(refusal)
    names = {"partner": offer.partner.name, "provider": settings.PROVIDER_NAME}
    return render_mail(
        message,
        template="partners/invitation",
        subject=_("%(partner)s invites you to join on %(provider)s") % names,
        context={
            "invitation": offer,
            "partner": offer.partner,
            "note_lines": offer.note.splitlines(),
        },
    )


def invitation_requested(message: OutboxMessage) -> Mail:
    """Tell a partner member that someone with an account asks for an online invitation.

    The address is masked; the console shows it. Stale when the request has been answered.
    """
    request = find_about(message, InvitationRequest.objects.select_related("partner", "invitation"))
    if request.closed_at is not None:
        raise Stale("already answered")
    return render_mail(
        message,
        template="partners/invitation_requested",
        subject=_("Someone asks for an online invitation"),
        context={
            "partner": request.partner,
            "masked_address": mask_address(request.address),
            "label": request.invitation.label,
            "requested_at": request.requested_at,
            "console_url": absolute_url("console_overview"),
        },
    )
