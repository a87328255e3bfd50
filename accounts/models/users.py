"""Users: login identities, known by account name and by e-mail address."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.enums import UserKind
from web.email_addresses import canonical_address, mask_address


def acts_for_provider(actor: "User | None") -> bool:
    """Whether the actor is the provider's administrator or program, also acting for a partner."""
    return actor is not None and actor.acts_for_provider


class UserManager(BaseUserManager["User"]):
    """Makes users with the canonical e-mail address beside the typed one."""

    def create_user(
        self, account_name: str, email: str, password: str | None = None, **fields: Any
    ) -> "User":
        """Create a user; `email` is as it was typed. Raises InvalidAddress."""
        user = self.build_user(account_name, email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def build_user(self, account_name: str, email: str, **fields: Any) -> "User":
        """Return an unsaved user; `password` among the fields is a hash. Raises InvalidAddress."""
        return self.model(
            account_name=account_name,
            email=canonical_address(email),
            email_original=email,
            **fields,
        )

    def unclaimed(self) -> "models.QuerySet[User]":
        """Return users whom others made for an e-mail address, and that its owner has not used.

        They have no password, no proven address and no customer account. They do not block the
        address: its owner may still register as a customer, and takes the user over.
        """
        return self.filter(
            ~models.Q(emailaddress__verified=True),
            password__startswith=UNUSABLE_PASSWORD_PREFIX,
            is_active=True,
            is_staff=False,
            last_login__isnull=True,
            customer_account__isnull=True,
        )

    def create_superuser(
        self, account_name: str, email: str, password: str | None = None, **fields: Any
    ) -> "User":
        return self.create_user(
            account_name, email, password, is_staff=True, is_superuser=True, **fields
        )


class User(AbstractBaseUser, PermissionsMixin):
    """A login identity. `email` is canonical, and the only form that is ever compared.

    A program that calls the API acts as a user of its own, which never logs in (decision 0045).
    """

    kind = models.CharField(
        _("kind"),
        max_length=8,
        choices=UserKind.choices,
        default=UserKind.PERSON,
        db_default=UserKind.PERSON,
        editable=False,
    )

    account_name = models.CharField(_("account name"), max_length=40, unique=True)
    account_name_changed_at = models.DateTimeField(
        _("account name changed at"), null=True, blank=True
    )
    email = models.EmailField(_("e-mail"), max_length=254, unique=True)
    email_original = models.CharField(_("e-mail as typed"), max_length=254)
    language = models.CharField(_("language"), max_length=16, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("may open the admin"), default=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    # Idle time goes on to end log-ins until then, after the user was a member or administrator:
    # else one that had ended in those days would come back.
    idle_limit_until = models.DateTimeField(
        _("idle time is limited until"), null=True, blank=True, editable=False
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "account_name"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        # The order of the provider's list.
        indexes = [models.Index(fields=["created_at"], name="user_by_moment")]
        permissions = [("view_full_address", _("Can read e-mail addresses in full"))]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_is_lower_case"
            ),
            models.CheckConstraint(
                condition=models.Q(account_name=Lower("account_name")),
                name="user_account_name_is_lower_case",
            ),
            models.CheckConstraint(
                condition=models.Q(kind=UserKind.PERSON)
                | models.Q(
                    kind__in=[UserKind.API_KEY, UserKind.PROVIDER_PROGRAM],
                    is_active=False,
                    is_staff=False,
                    is_superuser=False,
                    last_login__isnull=True,
                ),
                name="user_of_an_api_key_never_logs_in",
            ),
        ]

    def __str__(self) -> str:
        return self.account_name

    @property
    def idle_time_is_limited(self) -> bool:
        """Whether a log-in ends after some time without requests.

        It does for a partner's members and the provider's administrators, and for those who were
        one until `keep_idle_limit()`. Costs no query for the signed-in user
        (`accounts/backends.py`).
        """
        if self.is_staff or hasattr(self, "partner_member"):
            return True
        return self.idle_limit_until is not None and timezone.now() < self.idle_limit_until

    @property
    def acts_for_provider(self) -> bool:
        """Whether the user is an administrator or a program of the provider; for templates."""
        return self.is_staff or self.kind == UserKind.PROVIDER_PROGRAM

    @property
    def masked_email(self) -> str:
        return mask_address(self.email)
