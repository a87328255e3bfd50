"""The people who act for a partner, and invitations to become one of them."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.models import actor_key
from partners.enums import PartnerRole
from partners.models.partners import Partner
from web.email_addresses import mask_addresses
from web.random_ids import RandomIdField


class PartnerMemberQuerySet(models.QuerySet["PartnerMember"]):
    """Named sets of members."""

    def search(self, q: str = "", role: str = "") -> "PartnerMemberQuerySet":
        """Members whose account name begins so or whose address is this, in this role."""
        found = self.filter(role=role) if role else self
        if q:
            typed = q.lower()
            found = found.filter(Q(user__account_name__startswith=typed) | Q(user__email=typed))
        return found


class PartnerMember(models.Model):
    """A user acting for one partner, as administrator or manager."""

    id = RandomIdField()
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

    objects = PartnerMemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("partner member")
        verbose_name_plural = _("partner members")
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=PartnerRole.values), name="partner_member_role_is_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.partner})"

    @property
    def is_administrator(self) -> bool:
        return self.role == PartnerRole.ADMINISTRATOR

    @property
    def sees_addresses(self) -> bool:
        """Whether lists and pages show customers' addresses in full."""
        return self.is_administrator

    @property
    def may_reveal_addresses(self) -> bool:
        """Whether the member may see one customer's address in full, which is recorded."""
        return self.is_administrator or self.may_see_addresses

    def readable(self, text: str) -> str:
        """Return a text as the member may read it: each e-mail address in it masked, if need be.

        The label of an invitation by e-mail is often its address.
        """
        return text if self.may_reveal_addresses else mask_addresses(text)


class MemberInvitationQuerySet(models.QuerySet["MemberInvitation"]):
    """Named sets of invitations of members."""

    def open(self) -> "MemberInvitationQuerySet":
        """Invitations that are neither accepted nor withdrawn, expired ones among them."""
        return self.filter(accepted_at__isnull=True, withdrawn_at__isnull=True)

    def live(self, now: datetime) -> "MemberInvitationQuerySet":
        return self.open().filter(expires_at__gt=now)


class MemberInvitation(models.Model):
    """Someone was asked by e-mail to act for the partner; open until accepted or withdrawn."""

    id = RandomIdField()
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

    objects = MemberInvitationQuerySet.as_manager()

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

    @property
    def is_administrator(self) -> bool:
        return self.role == PartnerRole.ADMINISTRATOR

    @property
    def may_reveal_addresses(self) -> bool:
        return self.is_administrator or self.may_see_addresses

    def is_expired(self, now: datetime) -> bool:
        return now >= self.expires_at
