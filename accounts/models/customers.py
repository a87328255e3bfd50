"""Customer accounts, which get associated with a partner, and freezes, which stop them."""

from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from accounts.enums import AccountType, FreezeCause, FreezeScope, RegistrationSite
from audit.models import actor_key
from web.moments import EARLIEST

LONGEST_EXTERNAL_ID = 100


def validate_not_in_future(moment: datetime) -> None:
    """Reject a moment that has not come yet: it would extend the days that count from it."""
    if moment > timezone.now():
        raise ValidationError(_("This moment is in the future."), code="in_the_future")


def fault_of_early(moment: datetime) -> ValidationError | None:
    """Return what is wrong with a moment that other systems write for an unknown one."""
    if moment >= EARLIEST:
        return None
    text = _("This moment is before 1970. Leave out what is not known.")
    return ValidationError(text, code="too_early")


def validate_not_too_early(moment: datetime) -> None:
    """Reject a moment that stands for an unknown one."""
    if (fault := fault_of_early(moment)) is not None:
        raise fault


# The moments of an account are facts of the past.
_PAST = [validate_not_in_future, validate_not_too_early]


class CustomerAccount(models.Model):
    """A customer account of the provider: its owner, its country, and since when it exists."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="customer_account",
        verbose_name=_("owner"),
    )
    name = models.CharField(
        _("name"),
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text=_("Of the person or company."),
    )
    account_type = models.CharField(
        _("account type"),
        max_length=16,
        choices=AccountType.choices,
        default=AccountType.INDIVIDUAL,
    )
    registration_site = models.CharField(
        _("registration site"),
        max_length=20,
        choices=RegistrationSite.choices,
        default=RegistrationSite.INTERNATIONAL,
    )
    country = CountryField(_("country or region"))
    registered_at = models.DateTimeField(_("registered at"), default=timezone.now, validators=_PAST)
    services_enabled_at = models.DateTimeField(
        _("services enabled at"), null=True, blank=True, validators=_PAST
    )
    is_internal = models.BooleanField(_("the provider's own"), default=False)
    tax_id = models.CharField(_("tax id"), max_length=40, blank=True, default="", db_default="")
    # Null without one: an index of those that are not null serves every search for a key.
    external_id = models.CharField(  # noqa: DJ001
        _("external id"),
        max_length=LONGEST_EXTERNAL_ID,
        null=True,
        blank=True,
        help_text=_("The provider's own key of the account, like SubAccountId in its cost files."),
    )

    class Meta:
        verbose_name = _("customer account")
        verbose_name_plural = _("customer accounts")
        # The order of the provider's list.
        indexes = [models.Index(fields=["registered_at"], name="account_by_moment")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(account_type__in=AccountType.values),
                name="customer_account_type_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(registration_site__in=RegistrationSite.values),
                name="customer_account_registration_site_is_known",
            ),
            models.UniqueConstraint(
                fields=["external_id"],
                condition=models.Q(external_id__isnull=False),
                name="external_id_names_one_customer_account",
                violation_error_message=_("Another account has this external id."),
            ),
            models.CheckConstraint(
                condition=~models.Q(external_id=""), name="external_id_is_null_or_has_letters"
            ),
        ]

    def __str__(self) -> str:
        account_name: str = self.owner.account_name
        return f"{self.name} ({account_name})" if self.name else account_name

    def clean(self) -> None:
        """Keep the services of a partner's customer enabled."""
        if self.pk is None or self.services_enabled_at is not None:
            return
        if self.associations.filter(ended_at__isnull=True).exists():
            text = _("The account is associated with a partner. End the association first.")
            raise ValidationError({"services_enabled_at": text})

    @property
    def is_enabled(self) -> bool:
        return self.services_enabled_at is not None


class FreezeQuerySet(models.QuerySet["Freeze"]):
    """Named sets of freezes."""

    def open(self) -> "FreezeQuerySet":
        return self.filter(unfrozen_at__isnull=True)


class Freeze(models.Model):
    """One freeze of one account. Only `services/freezes.py` writes it."""

    account = models.ForeignKey(
        CustomerAccount,
        on_delete=models.PROTECT,
        related_name="freezes",
        verbose_name=_("customer account"),
    )
    scope = models.CharField(_("scope"), max_length=24, choices=FreezeScope.choices)
    cause = models.CharField(_("cause"), max_length=20, choices=FreezeCause.choices)
    reason = models.CharField(_("reason"), max_length=256, blank=True)
    frozen_at = models.DateTimeField(_("frozen at"))
    frozen_by = actor_key(_("frozen by"))
    # Whether an administrator of the provider acted, also for the partner: who acted then, not what
    # the user is today.
    frozen_by_provider = models.BooleanField(
        _("frozen by the provider"), default=False, db_default=False
    )
    unfrozen_at = models.DateTimeField(_("unfrozen at"), null=True, blank=True)
    unfrozen_by = actor_key(_("unfrozen by"))
    unfrozen_by_provider = models.BooleanField(
        _("unfrozen by the provider"), default=False, db_default=False
    )
    unfreeze_reason = models.CharField(_("reason for unfreezing"), max_length=256, blank=True)

    objects = FreezeQuerySet.as_manager()

    class Meta:
        verbose_name = _("freeze")
        verbose_name_plural = _("freezes")
        indexes = [
            models.Index(
                fields=["cause", "account"],
                condition=models.Q(unfrozen_at__isnull=True),
                name="open_freeze_by_cause",
            ),
            # The order of the provider's list.
            models.Index(fields=["frozen_at"], name="freeze_by_moment"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "cause"],
                condition=models.Q(unfrozen_at__isnull=True),
                name="one_open_freeze_per_account_and_cause",
            ),
            models.CheckConstraint(
                condition=models.Q(unfrozen_at__isnull=True)
                | models.Q(unfrozen_at__gte=models.F("frozen_at")),
                name="freeze_ends_after_it_began",
            ),
            models.CheckConstraint(
                condition=models.Q(unfrozen_at__isnull=False)
                | models.Q(unfrozen_by__isnull=True, unfreeze_reason=""),
                name="freeze_is_unfrozen_by_someone_only_when_unfrozen",
            ),
            models.CheckConstraint(
                condition=models.Q(scope__in=FreezeScope.values), name="freeze_scope_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(cause__in=FreezeCause.values), name="freeze_cause_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} – {self.get_cause_display()}"

    @property
    def is_open(self) -> bool:
        return self.unfrozen_at is None

    @property
    def stops_resources(self) -> bool:
        return self.scope == FreezeScope.ACCOUNT_AND_RESOURCES
