"""Associations of an account with a partner, and the authorizations that belong to them."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerAccount
from association.enums import AuthorizationState, CustomerStatus
from association.models.attempts import Attempt
from association.models.documents import Consent
from audit.models import actor_key
from partners.enums import AssociationType
from partners.models import Invitation, Partner, PartnerMember
from web.random_ids import RandomIdField

if TYPE_CHECKING:
    from association.models.budgets import Budget


class AssociationQuerySet(models.QuerySet["Association"]):
    """Named sets of associations."""

    def in_force(self) -> "AssociationQuerySet":
        return self.filter(ended_at__isnull=True)

    def visible_to(self, member: PartnerMember) -> "AssociationQuerySet":
        """Associations with the member's partner, ended ones too; a manager's are those managed."""
        rows = self.filter(partner=member.partner_id)
        return rows if member.is_administrator else rows.filter(manager=member)


class Association(models.Model):
    """The lasting fact that an account is a partner's customer. Only `associate()` makes one."""

    id = RandomIdField()
    account = models.ForeignKey(
        CustomerAccount,
        on_delete=models.PROTECT,
        related_name="associations",
        verbose_name=_("customer account"),
    )
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="associations", verbose_name=_("partner")
    )
    association_type = models.CharField(
        _("association type"), max_length=16, choices=AssociationType.choices
    )
    invitation = models.ForeignKey(
        Invitation,
        on_delete=models.PROTECT,
        related_name="associations",
        verbose_name=_("invitation"),
    )
    attempt = models.OneToOneField(
        Attempt, on_delete=models.PROTECT, related_name="association", verbose_name=_("attempt")
    )
    manager = models.ForeignKey(
        PartnerMember,
        on_delete=models.SET_NULL,
        related_name="customers",
        null=True,
        blank=True,
        verbose_name=_("manager"),
    )
    # What the partner calls this customer, its own key for it, and what it noted down.
    customer_name = models.CharField(
        _("customer name"), max_length=120, blank=True, default="", db_default=""
    )
    reference = models.CharField(
        _("reference"), max_length=128, blank=True, default="", db_default=""
    )
    note = models.CharField(_("note"), max_length=500, blank=True, default="", db_default="")
    # Derived from the rows around it by `services/customer_names.py`, for lists that sort and
    # search 200,000 customers: see decision 0038. The names to search are folded (`web.folding`).
    shown_name = models.CharField(
        _("name shown"), max_length=120, default="", db_default="", editable=False
    )
    sort_name = models.CharField(
        _("name to sort by"), max_length=60, default="", db_default="", editable=False
    )
    search_names = models.TextField(_("names to search"), default="", db_default="", editable=False)
    search_address = models.TextField(
        _("address to search"), default="", db_default="", editable=False
    )
    # Derived by `services/customer_status.py`, for lists and counts: see decision 0043.
    status = models.CharField(
        _("status"),
        max_length=8,
        choices=CustomerStatus.choices,
        default="",
        db_default="",
        editable=False,
    )
    is_frozen_by_joining = models.BooleanField(
        _("frozen since joining"), default=False, db_default=False, editable=False
    )
    is_out_of_budget = models.BooleanField(
        _("frozen by the budget"), default=False, db_default=False, editable=False
    )
    associated_at = models.DateTimeField(_("associated at"))
    coupons_pay_before = models.DateTimeField(
        _("coupons pay charges before"), null=True, blank=True
    )
    eligibility = models.JSONField(_("eligibility when decided"), encoder=DjangoJSONEncoder)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    ended_by = actor_key(_("ended by"))
    end_reason = models.CharField(_("reason for ending"), max_length=256, blank=True)

    objects = AssociationQuerySet.as_manager()

    # Only on rows that `lock_customers()` returned; elsewhere reading them is an AttributeError.
    current_budget: "Budget | None"
    last_moment: datetime

    class Meta:
        verbose_name = _("association")
        verbose_name_plural = _("associations")
        indexes = [
            models.Index(fields=["partner", "-associated_at", "-id"], name="customer_by_partner"),
            models.Index(fields=["manager", "-associated_at", "-id"], name="customer_by_manager"),
            models.Index(fields=["partner", "sort_name", "id"], name="customer_by_name"),
            models.Index(fields=["manager", "sort_name", "id"], name="customer_of_manager_by_name"),
            models.Index(
                fields=["partner", "status", "sort_name", "id"], name="customer_by_status_and_name"
            ),
            models.Index(
                fields=["partner", "status", "-associated_at", "-id"], name="customer_by_status"
            ),
            models.Index(
                fields=["partner", "association_type", "-associated_at", "-id"],
                name="customer_by_type",
            ),
            # Whom the overview lists, oldest first.
            models.Index(
                fields=["partner", "associated_at", "id"],
                condition=Q(is_frozen_by_joining=True),
                name="customer_frozen_by_joining",
            ),
            models.Index(
                fields=["partner", "associated_at", "id"],
                condition=Q(is_out_of_budget=True),
                name="customer_out_of_budget",
            ),
            # The order of the provider's lists, here and in Consent.
            models.Index(fields=["associated_at"], name="association_by_moment"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(ended_at__isnull=True),
                name="one_association_in_force_per_account",
            ),
            models.CheckConstraint(
                condition=Q(
                    association_type=AssociationType.RESELLER,
                    coupons_pay_before=F("associated_at"),
                )
                | Q(association_type=AssociationType.REFERRAL, coupons_pay_before__isnull=True),
                name="association_cuts_off_coupons_only_as_reseller",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, end_reason="")
                | Q(ended_at__gte=F("associated_at")),
                name="association_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shown_name} – {self.get_association_type_display()}"

    @property
    def is_reseller(self) -> bool:
        return self.association_type == AssociationType.RESELLER

    @property
    def has_ended(self) -> bool:
        return self.ended_at is not None


class AuthorizationQuerySet(models.QuerySet["Authorization"]):
    """Named sets of authorizations."""

    def open(self) -> "AuthorizationQuerySet":
        return self.filter(declined_at__isnull=True, revoked_at__isnull=True)

    def granted(self) -> "AuthorizationQuerySet":
        return self.open().filter(granted_at__isnull=False)


class Authorization(models.Model):
    """The partner's right to order and operate for the customer: requested, granted, ended."""

    association = models.ForeignKey(
        Association,
        on_delete=models.PROTECT,
        related_name="authorizations",
        verbose_name=_("association"),
    )
    consent = models.OneToOneField(
        Consent,
        on_delete=models.PROTECT,
        related_name="authorization",
        null=True,
        blank=True,
        verbose_name=_("consent to the letter"),
    )
    requested_at = models.DateTimeField(_("requested at"), null=True, blank=True)
    requested_by = actor_key(_("requested by"))
    # Whether an administrator of the provider acted for the partner then.
    requested_by_provider = models.BooleanField(
        _("requested by the provider"), default=False, db_default=False
    )
    granted_at = models.DateTimeField(_("granted at"), null=True, blank=True)
    declined_at = models.DateTimeField(_("declined at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    reason = models.CharField(_("reason for ending"), max_length=256, blank=True)

    objects = AuthorizationQuerySet.as_manager()

    class Meta:
        verbose_name = _("authorization")
        verbose_name_plural = _("authorizations")
        constraints = [
            models.UniqueConstraint(
                fields=["association"],
                condition=Q(declined_at__isnull=True, revoked_at__isnull=True),
                name="one_open_authorization_per_association",
            ),
            models.CheckConstraint(
                condition=Q(granted_at__isnull=True, consent__isnull=True)
                | Q(granted_at__isnull=False, consent__isnull=False),
                name="authorization_is_granted_by_a_consent",
            ),
            models.CheckConstraint(
                condition=Q(requested_at__isnull=False) | Q(granted_at__isnull=False),
                name="authorization_is_requested_or_granted",
            ),
            models.CheckConstraint(
                condition=Q(granted_at__isnull=True) | Q(declined_at__isnull=True),
                name="authorization_is_granted_or_declined",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True) | Q(granted_at__isnull=False),
                name="authorization_is_revoked_only_when_granted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.association} – {self.state}"

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer or is in force."""
        return self.declined_at is None and self.revoked_at is None

    @property
    def has_ended_with_association(self) -> bool:
        """Whether it was in force until the association ended."""
        ended_at = self.association.ended_at
        return self.revoked_at is not None and ended_at is not None and self.revoked_at >= ended_at

    @property
    def state(self) -> AuthorizationState:
        if self.revoked_at is not None:
            return AuthorizationState.REVOKED
        if self.declined_at is not None:
            return AuthorizationState.DECLINED
        granted = self.granted_at is not None
        return AuthorizationState.GRANTED if granted else AuthorizationState.REQUESTED
