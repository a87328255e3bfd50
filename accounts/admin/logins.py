"""How users log in: proven addresses, second factors and codes, never the secrets."""

from typing import Any

# These modules register pages of their own; ours replace them.
import allauth.account.admin
import allauth.mfa.admin  # noqa: F401 - imported for its registration
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import ConnectedLogin, VerificationCode
from accounts.services.second_factor import reset_second_factor
from audit.admin import DeletableModelAdmin, EvidenceAdmin, actor
from web.admin.base import StateFilter, is_key
from web.admin.confirmation import ReasonedDeletion, reason_form
from web.admin.hubs import given
from web.admin.masking import may_see_addresses
from web.email_addresses import mask_address

admin.site.unregister([EmailAddress, Authenticator])


@admin.register(EmailAddress)
class EmailAddressAdmin(EvidenceAdmin):
    """Proven addresses, read-only: an administrator cannot prove an address for a user."""

    list_display = ("user", "email", "verified", "primary")
    list_select_related = ("user",)
    list_filter = ("verified", "primary")
    search_fields = ("user__account_name__startswith", "email__exact")
    search_help_text = _("Beginning of the account name, or a whole e-mail address")
    lower_case_search = True
    addresses = ("email",)
    fields = ("user", "email", "verified", "primary")

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Mask the address, because titles show it. These pages never save the row."""
        obj = super().get_object(request, object_id, from_field)
        if obj is not None and not may_see_addresses(request):
            obj.email = mask_address(obj.email)
        return obj


@admin.register(Authenticator)
class AuthenticatorAdmin(ReasonedDeletion, DeletableModelAdmin):
    """Second factors. After one is deleted, a user who lost it can set up another.

    Deleting the app or the recovery codes deletes both: the log-in never asks for the codes alone.
    """

    list_display = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    list_filter = ("type",)
    search_fields = ("user__account_name__startswith", "user__email__exact")
    search_help_text = _("Beginning of the account name, or a whole e-mail address")
    lower_case_search = True
    date_hierarchy = "created_at"
    fields = ("user", "type", "created_at", "last_used_at")
    secrets = ("data",)
    deletion_form = reason_form(
        _("The provider's administrators read it in the history of the user. The user does not.")
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_add_permission = has_change_permission

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        powerful = obj is not None and (obj.user.is_staff or obj.user.is_superuser)
        return allowed and (request.user.is_superuser or not powerful)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show whose second factors are deleted, and all of them."""
        factors = _factors_beside(object_id)
        context: dict[str, Any] = {"consequences": _WHAT_DELETING_DOES}
        if factors:
            name = _("Second factors of %(user)s") % {"user": factors[0].user}
            kinds = [factor.get_type_display() for factor in factors]
            context |= {"title": name, "name": name, "deleted_objects": kinds}
        return super().delete_view(request, object_id, {**context, **(extra_context or {})})

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        """Lead to the list; `delete_model()` has told whose second factors are deleted."""
        may_see_list = self.has_view_permission(request)
        name = "admin:mfa_authenticator_changelist" if may_see_list else "admin:index"
        return HttpResponseRedirect(reverse(name))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.check_shown(request, obj)
        reason, by = self.deletion_reason(request), actor(request)
        reset_second_factor(user=obj.user, by=by, now=timezone.now(), reason=reason)
        text = gettext("The second factors of %(user)s are deleted. An e-mail tells the user.")
        self.message_user(request, text % {"user": obj.user}, messages.SUCCESS)


_WHAT_DELETING_DOES = (
    _("The app and the recovery codes are deleted together: the codes do not work alone."),
    _("The user logs in without a second step, until a new one is set up."),
    _("The user gets an e-mail that the provider has turned it off."),
)


def _factors_beside(authenticator_id: str) -> list[Authenticator]:
    """Return all second factors of the user who has this one."""
    if not is_key(Authenticator, authenticator_id):
        return []
    same_user = Q(user__authenticator=authenticator_id)
    return list(Authenticator.objects.filter(same_user).select_related("user").order_by("pk"))


@admin.register(ConnectedLogin)
class ConnectedLoginAdmin(EvidenceAdmin):
    """Log-ins at issuers, read-only: only their users connect and disconnect them."""

    list_display = ("user", "issuer", "subject", "connected_at")
    list_select_related = ("user",)
    list_filter = ("issuer", *given("user"))
    search_fields = ("user__account_name__startswith", "subject__exact")
    search_help_text = _("Beginning of the account name, or a whole subject")
    date_hierarchy = "connected_at"
    fields = ("user", "issuer", "subject", "connected_at")


class CodeStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        return {
            "spent": (_("used"), Q(spent_at__isnull=False)),
            "locked": (_("too many tries"), Q(spent_at__isnull=True, tries__gte=5)),
            "open": (_("not used"), Q(spent_at__isnull=True, tries__lt=5)),
        }


@admin.register(VerificationCode)
class VerificationCodeAdmin(EvidenceAdmin):
    list_display = ("sent_at", "email", "purpose", "tries", "expires_at", "spent_at")
    list_filter = (CodeStateFilter, "purpose")
    search_fields = ("email__exact",)
    search_help_text = _("A whole e-mail address")
    lower_case_search = True
    date_hierarchy = "sent_at"
    addresses = ("email",)
    fields = (
        "email",
        "purpose",
        "sent_at",
        "expires_at",
        "is_kept_for_owner",
        "tries",
        "spent_at",
        "spent_by",
    )
