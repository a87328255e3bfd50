"""Customer accounts: what gets associated with a partner."""

from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from accounts.enums import AccountType, RegistrationSite


def validate_not_in_future(moment: datetime) -> None:
    """Reject a moment that has not come yet: it would extend the days that count from it."""
    if moment > timezone.now():
        raise ValidationError(_("This moment is in the future."))


class CustomerAccount(models.Model):
    """A customer account of the provider: its owner, its country, and since when it exists."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="customer_account",
        verbose_name=_("owner"),
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
    registered_at = models.DateTimeField(
        _("registered at"), default=timezone.now, validators=[validate_not_in_future]
    )
    services_enabled_at = models.DateTimeField(_("services enabled at"), null=True, blank=True)
    is_internal = models.BooleanField(_("the provider's own"), default=False)

    class Meta:
        verbose_name = _("customer account")
        verbose_name_plural = _("customer accounts")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(account_type__in=AccountType.values),
                name="customer_account_type_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(registration_site__in=RegistrationSite.values),
                name="customer_account_registration_site_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.owner.account_name

    @property
    def is_enabled(self) -> bool:
        return self.services_enabled_at is not None
