"""Partners, the organisations that invite."""

import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from audit.models import actor_key
from partners.enums import (
    AssociationType,
    BudgetPeriod,
    CsvSeparator,
    OnExhaustion,
    PartnerStatus,
)
from partners.models.logos import PartnerLogo, logo_path, preview_path

# Of the time zone database, but no zone of a place: that of this machine, and one for none.
NO_ZONES = frozenset({"Factory", "localtime"})


def validate_time_zone(name: str) -> None:
    """Refuse a name that is not in the time zone database."""
    if name in NO_ZONES or name not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(name)s” is not a time zone."), params={"name": name})


class Partner(models.Model):
    """An organisation that invites customers."""

    name = models.CharField(_("name"), max_length=80)
    slug = models.SlugField(_("short name"), max_length=50, unique=True)
    legal_name = models.CharField(_("legal name"), max_length=160)
    country = CountryField(_("country or region"))
    support_email = models.EmailField(_("support e-mail"), max_length=254)
    support_phone = models.CharField(_("support phone"), max_length=40, blank=True)
    logo = models.ForeignKey(
        PartnerLogo,
        on_delete=models.PROTECT,
        related_name="partners",
        null=True,
        blank=True,
        verbose_name=_("logo"),
    )
    # Beside the key, so that pages and e-mails need no query for the logo. In CSS pixels.
    logo_width = models.PositiveIntegerField(_("width of the logo"), null=True, blank=True)
    logo_height = models.PositiveIntegerField(_("height of the logo"), null=True, blank=True)
    status = models.CharField(
        _("status"),
        max_length=16,
        choices=PartnerStatus.choices,
        default=PartnerStatus.NORMAL,
        help_text=_("Changed by an action of the list of partners, with a reason."),
    )
    # Of the present freeze. One from before these were stored has a moment and no reason.
    frozen_at = models.DateTimeField(_("frozen at"), null=True, blank=True)
    frozen_by = actor_key(_("frozen by"), db_index=False)
    frozen_reason = models.CharField(
        _("reason for the freeze"), max_length=256, blank=True, default="", db_default=""
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[validate_time_zone]
    )
    invitation_language = models.CharField(
        _("language of invitations"),
        max_length=16,
        blank=True,
        default="",
        db_default="",
        help_text=_("What new invitations begin with; empty for the reader's own."),
    )
    csv_separator = models.CharField(
        _("separator of CSV files"),
        max_length=16,
        choices=CsvSeparator.choices,
        default=CsvSeparator.COMMA,
        db_default=CsvSeparator.COMMA.value,
    )
    # What the form for a first budget begins with.
    default_budget_amount = models.DecimalField(
        _("default budget"), max_digits=14, decimal_places=2, null=True, blank=True
    )
    default_budget_period = models.CharField(
        _("period of the default budget"),
        max_length=16,
        choices=BudgetPeriod.choices,
        blank=True,
        default="",
        db_default="",
    )
    default_budget_on_exhaustion = models.CharField(
        _("when the default budget is used up"),
        max_length=16,
        choices=OnExhaustion.choices,
        blank=True,
        default="",
        db_default="",
    )
    allows_reseller = models.BooleanField(_("may invite as reseller"), default=True)
    allows_referral = models.BooleanField(_("may invite as referral"), default=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("partner")
        verbose_name_plural = _("partners")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=PartnerStatus.values), name="partner_status_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(csv_separator__in=CsvSeparator.values),
                name="partner_csv_separator_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    status=PartnerStatus.NORMAL,
                    frozen_at__isnull=True,
                    frozen_by__isnull=True,
                    frozen_reason="",
                )
                | models.Q(status=PartnerStatus.FROZEN, frozen_at__isnull=False),
                name="partner_is_frozen_since_a_moment",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    logo__isnull=True, logo_width__isnull=True, logo_height__isnull=True
                )
                | models.Q(logo__isnull=False, logo_width__gte=1, logo_height__gte=1),
                name="partner_logo_has_a_size",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    default_budget_amount__isnull=True,
                    default_budget_period="",
                    default_budget_on_exhaustion="",
                )
                | models.Q(
                    default_budget_amount__gte=0,
                    default_budget_period__in=BudgetPeriod.values,
                    default_budget_on_exhaustion__in=OnExhaustion.values,
                ),
                name="partner_default_budget_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_frozen(self) -> bool:
        return self.status == PartnerStatus.FROZEN

    @property
    def logo_path(self) -> str:
        return logo_path(self.logo_id)

    @property
    def logo_url(self) -> str:
        """The absolute address of the logo, for e-mails; "" for no logo."""
        return f"{settings.PUBLIC_BASE_URL}{self.logo_path}" if self.logo_id else ""

    @property
    def preview_path(self) -> str:
        return preview_path(self.logo_id)

    def allows(self, association_type: str) -> bool:
        return {
            AssociationType.RESELLER.value: self.allows_reseller,
            AssociationType.REFERRAL.value: self.allows_referral,
        }[association_type]

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)
