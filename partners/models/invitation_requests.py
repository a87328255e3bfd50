"""Requests for an online invitation, by people with an existing account who followed a link."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.models import actor_key
from partners.models.invitations import Invitation
from partners.models.members import PartnerMember
from partners.models.partners import Partner
from web.email_addresses import mask_address
from web.random_ids import RandomIdField


class InvitationRequestQuerySet(models.QuerySet["InvitationRequest"]):
    """Named sets of requests."""

    def open(self) -> "InvitationRequestQuerySet":
        return self.filter(closed_at__isnull=True)

    def visible_to(self, member: PartnerMember) -> "InvitationRequestQuerySet":
        """Requests to the member's partner; a manager sees those of their own invitations."""
        rows = self.filter(partner=member.partner_id)
        return rows if member.is_administrator else rows.filter(invitation__created_by=member.user)


class InvitationRequest(models.Model):
    """Someone with an existing account who followed a link and asks for an online invitation."""

    id = RandomIdField()
    partner = models.ForeignKey(
        Partner,
        on_delete=models.PROTECT,
        related_name="invitation_requests",
        verbose_name=_("partner"),
    )
    invitation = models.ForeignKey(
        Invitation,
        on_delete=models.PROTECT,
        related_name="invitation_requests",
        verbose_name=_("invitation followed"),
    )
    address = models.CharField(_("address"), max_length=254)
    language = models.CharField(_("language"), max_length=16, blank=True)
    requested_at = models.DateTimeField(_("requested at"))
    sent_invitation = models.OneToOneField(
        Invitation,
        on_delete=models.PROTECT,
        related_name="invitation_request",
        null=True,
        blank=True,
        verbose_name=_("invitation sent"),
    )
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    closed_by = actor_key(_("closed by"))
    dismiss_reason = models.CharField(_("reason for dismissing"), max_length=256, blank=True)

    objects = InvitationRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation request")
        verbose_name_plural = _("invitation requests")
        indexes = [
            models.Index(fields=["partner", "requested_at"], name="invitation_request_by_partner"),
            # The order of the provider's list.
            models.Index(fields=["requested_at"], name="invitation_request_by_moment"),
            models.Index(fields=["address", "requested_at"], name="invitation_request_by_address"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "address"],
                condition=Q(closed_at__isnull=True),
                name="one_open_invitation_request_per_partner_and_address",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=False)
                | Q(closed_by__isnull=True, sent_invitation__isnull=True, dismiss_reason=""),
                name="invitation_request_is_answered_only_when_closed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner} {self.requested_at:%Y-%m-%d}"

    @property
    def masked_address(self) -> str:
        return mask_address(self.address)

    @property
    def language_name(self) -> str:
        return str(dict(settings.LANGUAGES).get(self.language, self.language))

    @property
    def state(self) -> str:
        if self.closed_at is None:
            return "open"
        return "dismissed" if self.sent_invitation_id is None else "answered"
