"""Factories of users, customer accounts, facts and freezes."""

from datetime import timedelta
from decimal import Decimal

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from factory.declarations import (
    LazyFunction,
    SelfAttribute,
    Sequence,
    SubFactory,
    Trait,
)
from factory.django import DjangoModelFactory
from factory.helpers import post_generation

from accounts import enums, models
from association.services.customer_status import refresh_status

PASSWORD = "correct horse battery staple"


def in_days(days: float) -> LazyFunction:
    """Return the moment so many days from now; a negative number is in the past."""
    return LazyFunction(lambda: timezone.now() + timedelta(days=days))


class UserFactory(DjangoModelFactory):
    """A user with a proven address who logs in with `PASSWORD`."""

    class Meta:
        model = models.User
        skip_postgeneration_save = True

    class Params:
        staff = Trait(is_staff=True, is_superuser=True)

    account_name = Sequence(lambda n: f"c-{n:010d}")
    email = Sequence(lambda n: f"person{n}@example.org")
    email_original = SelfAttribute("email")
    password = LazyFunction(lambda: make_password(PASSWORD))

    @post_generation
    def verified(self, create, extracted, **options):
        """Add allauth's row of the address: verified, unless `verified=False`."""
        EmailAddress.objects.create(
            user=self, email=self.email, primary=True, verified=extracted is not False
        )


class CustomerAccountFactory(DjangoModelFactory):
    """An eligible customer account, registered now, by default without services."""

    class Meta:
        model = models.CustomerAccount

    class Params:
        enabled = Trait(services_enabled_at=LazyFunction(timezone.now))
        enterprise = Trait(account_type=enums.AccountType.ENTERPRISE)
        mainland = Trait(registration_site=enums.RegistrationSite.CHINESE_MAINLAND)
        internal = Trait(is_internal=True)
        # Longer ago than the seven days that eligibility allows.
        old = Trait(registered_at=in_days(-30))

    owner = SubFactory(UserFactory)
    country = "DE"


class ConnectedLoginFactory(DjangoModelFactory):
    """A log-in at an issuer that opens a user's account."""

    class Meta:
        model = models.ConnectedLogin

    user = SubFactory(UserFactory)
    issuer = "https://id.provider.example"
    subject = Sequence(lambda n: f"subject-{n}")
    connected_at = in_days(-1)


class FactFactory(DjangoModelFactory):
    """Fields of all facts."""

    class Meta:
        abstract = True

    source = "factory"
    external_id = Sequence(str)
    account = SubFactory(CustomerAccountFactory)


class ContractFactory(FactFactory):
    """A contract in force, of a type that prevents both association types."""

    class Meta:
        model = models.Contract

    class Params:
        professional_services = Trait(contract_type=enums.ContractType.PROFESSIONAL_SERVICES)
        ended = Trait(effective_to=in_days(-1))
        terminated = Trait(terminated_at=in_days(-1))

    contract_type = enums.ContractType.OFFLINE_DIRECT
    signed_at = in_days(-60)
    effective_from = in_days(-60)
    effective_to = in_days(300)


class BillFactory(FactFactory):
    """A bill of 100.00, unpaid."""

    class Meta:
        model = models.Bill

    class Params:
        paid = Trait(paid_amount=SelfAttribute("amount"))

    amount = Decimal("100.00")
    paid_amount = Decimal("0.00")
    issued_at = in_days(-3)
    due_at = in_days(11)


class CashExpenditureFactory(FactFactory):
    """10.00 of the customer's own money, spent yesterday."""

    class Meta:
        model = models.CashExpenditure

    amount = Decimal("10.00")
    occurred_at = in_days(-1)


class ReservedInstanceFactory(FactFactory):
    """A reserved instance that has 90 days to run."""

    class Meta:
        model = models.ReservedInstance

    class Params:
        expired = Trait(expires_at=in_days(-1))
        cancelled = Trait(cancelled_at=in_days(-1))

    expires_at = in_days(90)


class EnterpriseRelationFactory(DjangoModelFactory):
    """`member` belongs to `master`, under unified accounting."""

    class Meta:
        model = models.EnterpriseRelation

    class Params:
        independent = Trait(accounting=enums.Accounting.INDEPENDENT)
        ended = Trait(ended_at=in_days(-1))

    source = "factory"
    external_id = Sequence(str)
    master = SubFactory(CustomerAccountFactory, enterprise=True)
    member = SubFactory(CustomerAccountFactory)
    accounting = enums.Accounting.UNIFIED
    member_type = enums.MemberType.CLOUD_ACCOUNT


class CouponFactory(FactFactory):
    """A coupon with 50.00 left."""

    class Meta:
        model = models.Coupon

    balance = Decimal("50.00")
    expires_at = in_days(180)


class ResourceFactory(FactFactory):
    """A resource that runs and costs money."""

    class Meta:
        model = models.Resource

    name = Sequence(lambda n: f"server-{n}")
    billing = enums.Billing.PAY_PER_USE
    status = enums.ResourceStatus.RUNNING


class SpendingFactory(FactFactory):
    """10.00 spent today."""

    class Meta:
        model = models.Spending

    amount = Decimal("10.00")
    occurred_at = in_days(0)


class FreezeFactory(DjangoModelFactory):
    """An open freeze from an association."""

    class Meta:
        model = models.Freeze
        skip_postgeneration_save = True

    class Params:
        lifted = Trait(unfrozen_at=in_days(0))

    account = SubFactory(CustomerAccountFactory, enabled=True)
    scope = enums.FreezeScope.ACCOUNT
    cause = enums.FreezeCause.ASSOCIATION
    frozen_at = in_days(-1)

    @post_generation
    def status(self, _create, _value):
        """Follow it in the status of the customer, as `open_freeze()` does."""
        refresh_status([self.account_id])
