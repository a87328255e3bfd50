"""The e-mails about invitations of customers and members, requests for one, and a frozen partner.

Each function is named after its kind, and raises Stale when its e-mail is no longer useful.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.models import User, acts_for_provider
from accounts.services.connected_logins import needs_password
from outbox.models import OutboxMessage
from outbox.services.rendering import (
    Email,
    Speaker,
    Stale,
    absolute_url,
    find_about,
    find_about_quickly,
    render_email,
)
from outbox.services.suppression import is_suppressed
from partners.enums import NotificationKind
from partners.models import (
    Invitation,
    InvitationRequest,
    MemberDigest,
    MemberInvitation,
    Partner,
)
from partners.services import unsubscribe_links
from web.email_addresses import mask_address, mask_addresses
from web.fixed_queries import KEY, fixed_query

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# In the link of a preview, where the token will be.
PLACEHOLDER = "…"
# Where a member reads more about what a digest counts.
_DIGEST_PAGES = {
    NotificationKind.CUSTOMER_WAITING: "console_customers",
    NotificationKind.CUSTOMER_REFUSED: "console_history",
    NotificationKind.INVITATION_REQUESTED: "console_invitation_requests",
    NotificationKind.AUTHORIZATION_DECIDED: "console_customers",
    NotificationKind.CUSTOMER_BUDGET_ALERT: "console_customers",
}


def invitation(message: OutboxMessage) -> Email:
    offer = find_about_quickly(message, Invitation, _offers)
    refusal = offer.refusal(timezone.now())
    if refusal is not None:
        raise Stale(refusal)
    url = wanted_until_unsubscribed(address=offer.recipient, partner=offer.partner)
    return _write_invitation(message, offer, link=offer.link, unsubscribe_url=url)


@fixed_query(KEY)
def _offers(key: int) -> QuerySet[Invitation]:
    return Invitation.objects.select_related("partner").filter(pk=key)


def preview_invitation(offer: Invitation) -> Email:
    """Write what the worker would send now, but with `PLACEHOLDER` in the recipient's links."""
    message = OutboxMessage(
        recipient=offer.recipient, language=offer.language or settings.LANGUAGE_CODE
    )
    link = f"{settings.PUBLIC_BASE_URL}/i/{PLACEHOLDER}"
    unsubscribe_url = unsubscribe_links.url_with(PLACEHOLDER)
    with translation.override(message.language):
        return _write_invitation(message, offer, link=link, unsubscribe_url=unsubscribe_url)


def default_subject(partner: Partner) -> str:
    names = {"partner": partner.name, "provider": settings.PROVIDER_NAME}
    return _("%(partner)s invites you to become its customer on %(provider)s") % names


def _write_invitation(
    message: OutboxMessage, offer: Invitation, *, link: str, unsubscribe_url: str
) -> Email:
    with timezone.override(offer.partner.zone):
        return render_as_partner(
            message,
            partner=offer.partner,
            template="partners/invitation",
            subject=offer.subject or default_subject(offer.partner),
            context={
                "invitation": offer,
                "link": link,
                "note_lines": offer.note.splitlines(),
                "unsubscribe_url": unsubscribe_url,
            },
            headers=unsubscribe_headers(unsubscribe_url),
        )


def unsubscribe_headers(url: str) -> dict[str, str]:
    """Return the headers by which mail programs unsubscribe the reader with one click."""
    return {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def wanted_until_unsubscribed(*, address: str, partner: Partner) -> str:
    """Return the address that ends e-mails of the partner; Stale for a reader who has ended them.

    For e-mails that members of the partner send to people who have not asked for them.
    """
    if is_suppressed(address=address, sender=partner):
        raise Stale("does not want e-mail")
    return unsubscribe_links.unsubscribe_url(partner=partner, address=address)


def render_to_invited(
    message: OutboxMessage,
    *,
    partner: Partner,
    subject: str,
    context: Mapping[str, Any],
    unsubscribe_url: str,
) -> Email:
    """Render an e-mail of a partner that can be unsubscribed from, like its invitations.

    Moments are in the partner's zone, as in its invitations and on its print sheets.
    """
    with timezone.override(partner.zone):
        return render_as_partner(
            message,
            partner=partner,
            template=message.kind.replace(".", "/"),
            subject=subject % {"partner": partner.name},
            context={**context, "unsubscribe_url": unsubscribe_url},
            headers=unsubscribe_headers(unsubscribe_url),
        )


def render_as_partner(
    message: OutboxMessage,
    *,
    partner: Partner,
    template: str,
    subject: "StrOrPromise",
    context: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
) -> Email:
    """Render an e-mail in which the partner speaks, with the partner's logo and support address."""
    return render_email(
        message,
        template=template,
        subject=subject,
        context={"partner": partner, **context},
        speaker=Speaker(
            partner.name,
            partner.support_email,
            logo_url=partner.logo_url,
            logo_width=partner.logo_width,
            logo_height=partner.logo_height,
        ),
        headers=headers,
    )


def render_for_partner(
    message: OutboxMessage,
    *,
    partner: Partner,
    template: str,
    subject: "StrOrPromise",
    context: Mapping[str, Any],
) -> Email:
    """Render an e-mail of the provider to a partner's member, with moments in the partner's zone.

    Raises Stale for a recipient who is no member any more.
    """
    members = User.objects.filter(partner_member__partner=partner, is_active=True)
    if message.example is None and not members.filter(email=message.recipient).exists():
        raise Stale("no member any more")
    with timezone.override(partner.zone):
        return render_email(
            message, template=template, subject=subject, context={"partner": partner, **context}
        )


def invitation_requested(message: OutboxMessage) -> Email:
    invitation_request = find_about(
        message, InvitationRequest.objects.select_related("partner", "invitation")
    )
    if invitation_request.closed_at is not None:
        raise Stale("already answered")
    return render_for_partner(
        message,
        partner=invitation_request.partner,
        template="partners/invitation_requested",
        subject=_("Someone asks for an online invitation"),
        context={
            "masked_address": mask_address(invitation_request.address),
            "label": mask_addresses(invitation_request.invitation.label),
            "requested_at": invitation_request.requested_at,
            "console_url": absolute_url("console_invitation_requests"),
        },
    )


def digest(message: OutboxMessage) -> Email:
    """Tell a member what happened in a day; `data["counts"]` has the number by kind."""
    sent = find_about(message, MemberDigest.objects.select_related("member__partner"))
    counts = message.data["counts"]
    lines = [
        {"label": kind.label, "number": counts[kind], "url": absolute_url(_DIGEST_PAGES[kind])}
        for kind in NotificationKind
        if kind in counts
    ]
    return render_for_partner(
        message,
        partner=sent.member.partner,
        template="partners/digest",
        subject=_("Your daily e-mail: %(partner)s") % {"partner": sent.member.partner.name},
        context={"lines": lines, "settings_url": absolute_url("console_notifications")},
    )


def member_invitation(message: OutboxMessage) -> Email:
    offer = find_about(message, MemberInvitation.objects.select_related("partner", "invited_by"))
    if offer.accepted_at is not None or offer.withdrawn_at is not None:
        raise Stale("already answered or withdrawn")
    if offer.is_expired(timezone.now()):
        raise Stale("expired")
    user = User.objects.filter(email=offer.address).first()
    names = {"partner": offer.partner.name, "provider": settings.PROVIDER_NAME}
    with timezone.override(offer.partner.zone):
        return render_as_partner(
            message,
            partner=offer.partner,
            template="partners/member_invitation",
            subject=_("%(partner)s invites you to its console on %(provider)s") % names,
            context={
                "invitation": offer,
                "inviter": _name_of(offer.invited_by),
                "needs_password": user is not None and needs_password(user),
                "membership_url": absolute_url("membership"),
                "reset_url": absolute_url("account_reset_password"),
            },
        )


def frozen(message: OutboxMessage) -> Email:
    """Tell a member that the provider has frozen the partner. Stale when that freeze is over."""
    partner = find_about(message, Partner.objects.all())
    if partner.frozen_at != parse_datetime(message.data["frozen_at"]):
        raise Stale("no longer frozen")
    return _about_freeze(
        message,
        partner,
        _("%(provider)s has frozen %(partner)s"),
        moment=partner.frozen_at,
        reason=partner.frozen_reason,
    )


def unfrozen(message: OutboxMessage) -> Email:
    """Tell a member that the partner is not frozen any more. Stale when it is frozen again."""
    partner = find_about(message, Partner.objects.all())
    if partner.is_frozen:
        raise Stale("frozen again")
    return _about_freeze(
        message,
        partner,
        _("%(provider)s has unfrozen %(partner)s"),
        moment=parse_datetime(message.data["unfrozen_at"]),
        reason=message.data["reason"],
    )


def _about_freeze(
    message: OutboxMessage, partner: Partner, subject: str, *, moment: Any, reason: str
) -> Email:
    names = {"partner": partner.name, "provider": settings.PROVIDER_NAME}
    return render_for_partner(
        message,
        partner=partner,
        template=message.kind.replace(".", "/"),
        subject=subject % names,
        context={
            "at": moment,
            "reason": reason,
            "console_url": absolute_url("console_overview"),
        },
    )


def _name_of(inviter: User | None) -> str:
    """Return whom the invited person knows: a colleague's address, or the provider."""
    if inviter is None:
        return ""
    return settings.PROVIDER_NAME if acts_for_provider(inviter) else inviter.email
