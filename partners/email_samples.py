"""An example of each e-mail of partners, and the partner whom the examples are about."""

from datetime import datetime, timedelta
from functools import partial

from django.utils.translation import gettext_lazy as _

from accounts.email_samples import ADDRESS, sample_user
from outbox.services.samples import NO_KEY, EmailSample
from partners.enums import AssociationType, Channel, NotificationKind, PartnerRole, PartnerStatus
from partners.models import (
    Invitation,
    InvitationRequest,
    MemberDigest,
    MemberInvitation,
    Partner,
    PartnerMember,
)

MEMBER_ADDRESS = "grace@nimbus.example"


def sample_partner() -> Partner:
    return Partner(
        pk=NO_KEY,
        name="Nimbus",
        legal_name="Nimbus Services Ltd.",
        country="IE",
        support_email="support@nimbus.example",
        support_phone="+353 1 555 0100",
        time_zone="Europe/Dublin",
        allows_referral=True,
    )


def sample_invitation(now: datetime) -> Invitation:
    return Invitation(
        pk=NO_KEY,
        partner=sample_partner(),
        channel=Channel.EMAIL,
        association_type=AssociationType.RESELLER,
        token="0" * 26,  # no stored invitation has it
        label="Spring",
        note=str(_("It was good to meet you. Here is the offer that we talked about.")),
        recipient=ADDRESS,
        recipient_name="Ada",
        is_bound=True,
        max_uses=1,
        expires_at=now + timedelta(days=7),
    )


def frozen_partner(now: datetime) -> Partner:
    partner = sample_partner()
    partner.status, partner.frozen_at = PartnerStatus.FROZEN, now
    partner.frozen_reason = str(_("Customers complain about invitations that they did not ask for"))
    return partner


def samples(*, now: datetime) -> list[EmailSample]:
    """Return an example of each kind."""
    offer = sample_invitation(now)
    to_member = partial(EmailSample, reader=_("partner member"), recipient=MEMBER_ADDRESS)
    return [
        EmailSample(
            kind="partners.invitation",
            reader=_("invited person"),
            occasion=_("A partner invites by e-mail, or sends the invitation again."),
            about=offer,
            recipient=ADDRESS,
        ),
        to_member(
            kind="partners.invitation_requested",
            occasion=_("Somebody with an account follows a link and asks for an invitation."),
            about=InvitationRequest(
                pk=NO_KEY,
                partner=offer.partner,
                invitation=offer,
                address=ADDRESS,
                requested_at=now,
            ),
        ),
        to_member(
            kind="partners.digest",
            occasion=_("Once a day, for a member who wants one e-mail about some kinds of things."),
            about=MemberDigest(
                pk=NO_KEY,
                member=PartnerMember(pk=NO_KEY, partner=offer.partner, user=sample_user()),
                sent_on=now.date(),
            ),
            data={"counts": {NotificationKind.CUSTOMER_WAITING.value: 3}},
        ),
        EmailSample(
            kind="partners.member_invitation",
            reader=_("invited partner member"),
            occasion=_(
                "An administrator of the partner, or the provider, invites somebody to the console."
            ),
            about=MemberInvitation(
                pk=NO_KEY,
                partner=offer.partner,
                address=MEMBER_ADDRESS,
                role=PartnerRole.MANAGER,
                invited_at=now,
                invited_by=sample_user(),
                expires_at=now + timedelta(days=7),
            ),
            recipient=MEMBER_ADDRESS,
        ),
        to_member(
            kind="partners.frozen",
            occasion=_("The provider freezes a partner; every member gets it."),
            about=frozen_partner(now),
            data={"frozen_at": now.isoformat()},
        ),
        to_member(
            kind="partners.unfrozen",
            occasion=_("The provider unfreezes a partner; every member gets it."),
            about=sample_partner(),
            data={
                "unfrozen_at": now.isoformat(),
                "reason": str(_("You have told us how you will invite from now on")),
            },
        ),
    ]
