"""Invitations: the offer a partner makes, by link or by e-mail."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from audit.models import actor_key
from partners.enums import (
    AssociationType,
    Channel,
    InvitationRefusal,
    InvitationState,
    PartnerStatus,
)
from partners.models.members import PartnerMember
from partners.models.partners import Partner
from partners.models.terms import TermsModel, terms_constraints
from partners.tokens import LENGTH, grouped_token, new_token
from web.email_addresses import mask_address
from web.random_ids import RandomIdField

# Takes the place of an address that is no longer stored (RFC 2606: it receives no e-mail).
REMOVED_ADDRESS = "removed@address.invalid"
# How long after its expiry an invitation that was not delivered is still shown as that.
TIME_TO_SEND_AGAIN = timedelta(days=30)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Named sets of invitations."""

    def live(self, now: datetime) -> "InvitationQuerySet":
        """Invitations that can be followed at `now`; the same rule as `Invitation.refusal()`.

        Without a join, so that an UPDATE that waited for the row decides on what it has become.
        """
        partner = Partner.objects.filter(pk=OuterRef("partner_id"), status=PartnerStatus.NORMAL)
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=now),
            Q(max_uses__isnull=True) | Q(used_count__lt=F("max_uses")),
            Q(
                Exists(partner.filter(allows_reseller=True)),
                association_type=AssociationType.RESELLER,
            )
            | Q(
                Exists(partner.filter(allows_referral=True)),
                association_type=AssociationType.REFERRAL,
            ),
            revoked_at__isnull=True,
        )

    def in_state(self, state: str, now: datetime) -> "InvitationQuerySet":
        """Invitations in this state at `now`; the first reason counts, as in `refusal()`.

        One whose partner may not invite now can be in none of the four states.
        """
        if state == InvitationState.LIVE:
            return self.live(now)
        if state == InvitationState.REVOKED:
            return self.filter(revoked_at__isnull=False)
        unrevoked = self.filter(revoked_at__isnull=True)
        if state == InvitationState.USED_UP:
            return unrevoked.filter(used_count__gte=F("max_uses"))
        return unrevoked.filter(
            Q(max_uses__isnull=True) | Q(used_count__lt=F("max_uses")), expires_at__lte=now
        )

    def undelivered(self, now: datetime) -> "InvitationQuerySet":
        """Invitations whose newest e-mail will never arrive; the rule of `is_undelivered()`."""
        expired_long_ago = Q(expires_at__lte=now - TIME_TO_SEND_AGAIN)
        return self.filter(undelivered_at__isnull=False).unfinished().exclude(expired_long_ago)

    def unfinished(self) -> "InvitationQuerySet":
        """Invitations that are neither used up nor revoked, expired ones among them."""
        uses_left = Q(max_uses__isnull=True) | Q(used_count__lt=F("max_uses"))
        return self.filter(uses_left, revoked_at__isnull=True)

    def visible_to(self, member: PartnerMember) -> "InvitationQuerySet":
        """Invitations of the member's partner that the member may see: a manager their own."""
        rows = self.filter(partner=member.partner_id)
        return rows if member.is_administrator else rows.filter(created_by=member.user_id)


class Invitation(TermsModel):
    """A partner's offer to become its customer. Whether it is live follows from its moments."""

    id = RandomIdField()
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="invitations", verbose_name=_("partner")
    )
    channel = models.CharField(_("channel"), max_length=8, choices=Channel.choices)
    association_type = models.CharField(
        _("association type"), max_length=16, choices=AssociationType.choices
    )
    token = models.CharField(
        _("token"), max_length=LENGTH, unique=True, default=new_token, editable=False
    )
    label = models.CharField(_("label"), max_length=120)
    note = models.CharField(_("note to the customer"), max_length=500, blank=True)
    subject = models.CharField(_("subject of the mail"), max_length=150, blank=True)
    language = models.CharField(_("language"), max_length=16, blank=True)
    country = CountryField(_("preselected country or region"), blank=True)
    recipient = models.CharField(_("recipient"), max_length=254, blank=True)
    recipient_name = models.CharField(_("recipient's name"), max_length=120, blank=True)
    customer_name = models.CharField(
        _("customer name"), max_length=120, blank=True, default="", db_default=""
    )
    reference = models.CharField(
        _("reference"), max_length=128, blank=True, default="", db_default=""
    )
    # Keys and values of the partner's own system, given by the API: see `check_metadata()`.
    metadata = models.JSONField(_("metadata"), default=dict, db_default={}, blank=True)
    is_bound = models.BooleanField(_("only for the recipient"), default=False)
    max_uses = models.PositiveIntegerField(_("most uses"), null=True, blank=True)
    used_count = models.PositiveIntegerField(_("used"), default=0, editable=False)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    mailed_at = models.DateTimeField(_("last mailed at"), null=True, blank=True, editable=False)
    # Since when its newest e-mail will never arrive; kept for the lists by `keep_undelivered()`.
    undelivered_at = models.DateTimeField(
        _("undelivered since"), null=True, blank=True, editable=False
    )
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    revoked_by = actor_key(_("revoked by"))
    created_at = models.DateTimeField(_("created at"))
    created_by = actor_key(_("created by"))
    batch = models.ForeignKey(
        "partners.InvitationBatch",
        on_delete=models.PROTECT,
        related_name="invitations",
        null=True,
        blank=True,
        editable=False,
        verbose_name=_("batch"),
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        # The orders of the console's list, in which a page follows the one before by its key.
        indexes = [
            models.Index(fields=["partner", "-created_at", "-id"], name="invitation_by_partner"),
            models.Index(fields=["partner", "-used_count", "-id"], name="invitation_by_uses"),
            # Partial where it can be: a batch of 10,000 links writes all others.
            models.Index(
                fields=["partner", "-created_at", "-id"],
                condition=Q(association_type=AssociationType.REFERRAL),
                name="invitation_referral",
            ),
            models.Index(
                fields=["partner", "channel", "-created_at", "-id"], name="invitation_by_channel"
            ),
            models.Index(
                fields=["partner", "-created_at", "-id"],
                condition=Q(revoked_at__isnull=False),
                name="invitation_revoked",
            ),
            models.Index(
                fields=["partner", "-created_at", "-id"],
                condition=Q(used_count__gte=F("max_uses"), revoked_at__isnull=True),
                name="invitation_used_up",
            ),
            # Most used first: of some kinds all are used seldom, behind all others.
            models.Index(
                fields=["partner", "-used_count", "-id"],
                condition=Q(association_type=AssociationType.REFERRAL),
                name="invitation_referral_by_uses",
            ),
            models.Index(
                fields=["partner", "-used_count", "-id"],
                condition=Q(channel=Channel.EMAIL),
                name="invitation_by_email_and_uses",
            ),
            models.Index(
                fields=["partner", "-used_count", "-id"],
                condition=Q(revoked_at__isnull=False),
                name="invitation_revoked_by_uses",
            ),
            models.Index(
                fields=["partner", "-used_count", "-id"],
                condition=Q(used_count__gte=F("max_uses"), revoked_at__isnull=True),
                name="invitation_used_up_by_uses",
            ),
            models.Index(
                fields=["partner", "expires_at", "id"],
                condition=Q(expires_at__isnull=False),
                name="invitation_by_expiry",
            ),
            models.Index(fields=["created_by", "-created_at", "-id"], name="invitation_by_creator"),
            # Those that the list shows beside the lines of batches.
            models.Index(
                fields=["partner", "-created_at", "-id"],
                condition=Q(batch__isnull=True),
                name="invitation_single_by_partner",
            ),
            models.Index(
                fields=["created_by", "-created_at", "-id"],
                condition=Q(batch__isnull=True),
                name="invitation_single_by_creator",
            ),
            models.Index(
                fields=["batch", "-created_at", "-id"],
                condition=Q(batch__isnull=False),
                name="invitation_of_batch",
            ),
            # How many have joined by a batch.
            models.Index(
                fields=["batch", "used_count"],
                condition=Q(batch__isnull=False, used_count__gt=0),
                name="invitation_used_of_batch",
            ),
            # What quotas count.
            # The order of the provider's list of the expired ones.
            models.Index(
                fields=["expires_at"],
                condition=Q(expires_at__isnull=False),
                name="expiring_invitation",
            ),
            models.Index(fields=["created_at"], name="invitation_by_moment"),
            models.Index(
                fields=["mailed_at", "partner"],
                condition=Q(mailed_at__isnull=False),
                name="invitation_by_mailing",
            ),
            models.Index(
                fields=["recipient"], condition=~Q(recipient=""), name="invitation_by_recipient"
            ),
            models.Index(
                fields=["partner", "-created_at", "-id"],
                condition=Q(undelivered_at__isnull=False),
                name="invitation_undelivered",
            ),
            # What `forget_invited_people()` looks for.
            models.Index(
                fields=["expires_at"],
                condition=~Q(recipient="") & ~Q(recipient=REMOVED_ADDRESS),
                name="invitation_with_recipient",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(max_uses__isnull=True) | Q(used_count__lte=F("max_uses")),
                name="invitation_is_used_at_most_max_uses_times",
            ),
            models.CheckConstraint(
                condition=Q(max_uses__isnull=True) | Q(max_uses__gte=1),
                name="invitation_allows_at_least_one_use",
            ),
            models.CheckConstraint(
                condition=Q(channel=Channel.LINK, recipient="", is_bound=False)
                | (Q(channel=Channel.EMAIL, max_uses=1) & ~Q(recipient="")),
                name="invitation_by_email_is_for_one_recipient",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=False) | Q(revoked_by__isnull=True),
                name="invitation_is_revoked_by_someone_only_when_revoked",
            ),
            models.CheckConstraint(
                condition=Q(mailed_at__isnull=True) | Q(channel=Channel.EMAIL),
                name="invitation_is_mailed_only_by_email",
            ),
            models.CheckConstraint(
                condition=Q(undelivered_at__isnull=True) | Q(channel=Channel.EMAIL),
                name="invitation_is_undelivered_only_by_email",
            ),
            models.CheckConstraint(
                condition=Q(association_type__in=AssociationType.values),
                name="invitation_association_type_is_known",
            ),
            models.CheckConstraint(
                condition=Q(customer_name="") | Q(max_uses=1),
                name="invitation_names_a_customer_only_for_one_use",
            ),
            *terms_constraints("invitation"),
        ]

    def __str__(self) -> str:
        return self.label

    def refusal(self, now: datetime) -> InvitationRefusal | None:
        """Return why the invitation cannot be followed at `now`, or None while it is live."""
        return refusal_of(self, now)

    def is_undelivered(self, now: datetime) -> bool:
        """Return whether its newest e-mail will never arrive, which somebody can still mend.

        By then it was refused for good, could not be written, or was not sent in time. It ends when
        the invitation is sent again, used or revoked, or 30 days after it expired.
        """
        refusal = self.refusal(now)
        if self.undelivered_at is None or refusal in {
            InvitationRefusal.REVOKED,
            InvitationRefusal.USED_UP,
        }:
            return False
        return self.expires_at is None or self.expires_at > now - TIME_TO_SEND_AGAIN

    @property
    def link(self) -> str:
        """The address a customer opens; built from the configured base, never from a request."""
        return f"{settings.PUBLIC_BASE_URL}/i/{self.token}"

    @property
    def grouped_token(self) -> str:
        return grouped_token(self.token)

    @property
    def masked_recipient(self) -> str:
        return mask_address(self.recipient)

    def allows_address(self, address: str) -> bool:
        """Return whether somebody with this canonical address may join by the invitation."""
        domain = address.rpartition("@")[2]
        return not self.allowed_domains or domain in self.allowed_domains.split()

    @property
    def is_withheld(self) -> bool:
        """Whether its e-mail was not sent, because the recipient does not want e-mail."""
        return self.channel == Channel.EMAIL and self.mailed_at is None

    @property
    def remaining_uses(self) -> int | None:
        return None if self.max_uses is None else self.max_uses - self.used_count

    @property
    def is_reseller(self) -> bool:
        return self.association_type == AssociationType.RESELLER


def refusal_of(invitation: Any, now: datetime) -> InvitationRefusal | None:
    """Return why it cannot be followed; the same rule as `live()`, for models and plain rows."""
    if invitation.revoked_at is not None:
        return InvitationRefusal.REVOKED
    if invitation.max_uses is not None and invitation.used_count >= invitation.max_uses:
        return InvitationRefusal.USED_UP
    if invitation.expires_at is not None and now >= invitation.expires_at:
        return InvitationRefusal.EXPIRED
    partner = invitation.partner
    if partner.status != PartnerStatus.NORMAL:
        return InvitationRefusal.PARTNER_UNAVAILABLE
    if not (partner.allows_reseller if invitation.is_reseller else partner.allows_referral):
        return InvitationRefusal.TYPE_NOT_ALLOWED
    return None
