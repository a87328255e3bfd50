"""The choices that are stored about users and customer accounts, and the codes of refusals."""

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class UserKind(TextChoices):
    """Who acts: a person who logs in, or a program that calls the API and never does."""

    PERSON = "person", _("person")
    API_KEY = "api_key", _("API key of a partner")
    PROVIDER_PROGRAM = "provider", _("program of the provider")


class AccountType(TextChoices):
    INDIVIDUAL = "individual", _("individual")
    ENTERPRISE = "enterprise", _("enterprise")


class RegistrationSite(TextChoices):
    INTERNATIONAL = "international", _("international site")
    CHINESE_MAINLAND = "chinese_mainland", _("Chinese mainland site")


class CodePurpose(TextChoices):
    REGISTER = "register", _("register")
    RESET_PASSWORD = "reset_password", _("reset the password")
    LOG_IN = "log_in", _("log in with a new browser")


class FreezeScope(TextChoices):
    """What a freeze stops: buying and changing, or running resources as well."""

    ACCOUNT = "account", _("account")
    ACCOUNT_AND_RESOURCES = "account_and_resources", _("account and resources")


class FreezeCause(TextChoices):
    ASSOCIATION = "association", _("association with a reseller partner")
    PARTNER = "partner", _("decision of the partner")
    BUDGET_EXHAUSTED = "budget_exhausted", _("budget exhausted")
    ADMINISTRATOR = "administrator", _("decision of the provider")


class StopReason(StrEnum):
    """Why an account cannot do something now: a code for each cause of a freeze, and two more."""

    FROZEN_BY_JOINING = "frozen_association"
    FROZEN_BY_PARTNER = "frozen_partner"
    FROZEN_BY_BUDGET = "frozen_budget_exhausted"
    FROZEN_BY_PROVIDER = "frozen_administrator"
    SERVICES_NOT_ENABLED = "services_not_enabled"
    OWNER_DEACTIVATED = "owner_deactivated"

    @classmethod
    def of_freeze(cls, cause: str) -> "StopReason":
        """Return the reason of an open freeze with this cause."""
        return cls(f"frozen_{cause}")


class ContractType(TextChoices):
    OFFLINE_DIRECT = "offline_direct", _("offline direct contract")
    TELEMARKETING_DISCOUNT = "telemarketing_discount", _("telemarketing contract with discount")
    SPECIAL_OFFER_DIRECT = "special_offer_direct", _("special offer signed directly")
    PROFESSIONAL_SERVICES = "professional_services", _("professional services contract")


class Accounting(TextChoices):
    """Who is billed for an enterprise member's spending: its master, or itself."""

    UNIFIED = "unified", _("unified accounting")
    INDEPENDENT = "independent", _("independent accounting")


class MemberType(TextChoices):
    """How the member came to the enterprise: created by the master, or invited."""

    RESOURCE_ACCOUNT = "resource_account", _("resource account")
    CLOUD_ACCOUNT = "cloud_account", _("cloud account")


class Billing(TextChoices):
    PAY_PER_USE = "pay_per_use", _("pay per use")
    YEARLY_MONTHLY = "yearly_monthly", _("yearly or monthly")


class ResourceStatus(TextChoices):
    RUNNING = "running", _("running")
    STOPPED = "stopped", _("stopped")
    RELEASED = "released", _("released")


class CodeRefusal(StrEnum):
    WRONG = "wrong"
    EXPIRED = "expired"
    USED_UP = "used_up"
    # For all of these, where the answer must not tell whether a code was sent at all.
    NOT_VALID = "not_valid"

    # No new code is sent: one was less than a minute ago, or the limit of a longer time is reached.
    SENT_JUST_NOW = "sent_just_now"
    HOUR_USED_UP = "hour_used_up"
    DAY_USED_UP = "day_used_up"


class AccountNameRefusal(StrEnum):
    CHANGED_BEFORE = "changed_before"
    MALFORMED = "malformed"
    TAKEN = "taken"


class CustomerAccountRefusal(StrEnum):
    EXTERNAL_ID_TAKEN = "external_id_taken"
    ADDRESS_TAKEN = "address_taken"
    SERVICES_IN_USE = "services_in_use"


class SecondFactorRefusal(StrEnum):
    APP_CODE_WRONG = "app_code_wrong"
    CODE_WRONG_OR_USED = "code_wrong_or_used"
    ON_ALREADY = "on_already"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a code of a refusal


class AdministrationRefusal(StrEnum):
    NOT_ACTIVE = "not_active"
    EMAIL_TAKEN = "email_taken"
    PASSWORDS_OFF = "passwords_off"


class ConnectionRefusal(StrEnum):
    """Why a log-in at an issuer is not connected or disconnected, or makes no account."""

    OF_ANOTHER_USER = "connected_with_another_user"
    ADDRESS_TAKEN = "address_has_account"
    ACCOUNT_TAKEN = "account_taken"
    NOT_ACTIVE = "user_not_active"
    LAST_WAY_IN = "last_way_in"
