"""The people who act for a partner, and invitations to become one of them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.actors import actor_key
from partners.models.partners import Partner


class PartnerRole(models.TextChoices):
    """What a member may see: everything of the partner, or their own."""

    ADMINISTRATOR = "administrator", _("administrator")
    MANAGER = "manager", _("manager")


class PartnerMember(models.Model):
    """A user acting for one partner, as administrator or manager."""

    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="members", verbose_name=_("partner")
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="partner_member",
        verbose_name=_("user"),
    )
    role = models.CharField(
        _("role"), max_length=16, choices=PartnerRole.choices, default=PartnerRole.MANAGER
    )
    may_see_addresses = models.BooleanField(
        _("may read customers’ e-mail addresses in full"),
        default=False,
        help_text=_("Administrators always may."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("partner member")
        verbose_name_plural = _("partner members")
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=PartnerRole.values), name="partner_member_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.partner})"

    @property
    def is_administrator(self) -> bool:
        """Whether the member sees and does everything of the partner."""
        return self.role == PartnerRole.ADMINISTRATOR

    @property
    def sees_addresses(self) -> bool:
        """Whether the member may read customers' addresses in full."""
        return self.is_administrator or self.may_see_addresses


class MemberInvitation(models.Model):
    """Someone was asked by e-mail to act for the partner; open until accepted or withdrawn."""

    partner = models.ForeignKey(
        Partner,
        on_delete=models.PROTECT,
        related_name="member_invitations",
        verbose_name=_("partner"),
    )
    address = models.CharField(_("address"), max_length=254)
    role = models.CharField(_("role"), max_length=16, choices=PartnerRole.choices)
    may_see_addresses = models.BooleanField(
        _("may read customers’ e-mail addresses in full"), default=False
    )
    invited_at = models.DateTimeField(_("invited at"))
    invited_by = actor_key(_("invited by"))
    expires_at = models.DateTimeField(_("expires at"))
    accepted_at = models.DateTimeField(_("accepted at"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)
    withdrawn_by = actor_key(_("withdrawn by"))

    class Meta:
        verbose_name = _("invitation of a member")
        verbose_name_plural = _("invitations of members")
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "address"],
                condition=Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
                name="one_open_member_invitation_per_partner_and_address",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(withdrawn_at__isnull=True),
                name="member_invitation_is_accepted_or_withdrawn",
            ),
            models.CheckConstraint(
                condition=Q(role__in=PartnerRole.values), name="member_invitation_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner} {self.invited_at:%Y-%m-%d}"
