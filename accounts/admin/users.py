"""Users and groups in the admin. Administrators neither choose nor see users' passwords."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.refusals import SENTENCES
from accounts.services.administration import add_user, keep_idle_limit, send_reset_link
from audit.admin import AuditedModelAdmin, actor
from web.admin.base import LanguageFilter
from web.admin.confirmation import ConfirmedAction
from web.email_addresses import InvalidAddress, canonical_address

# The fields that make a user powerful; only a superuser changes them.
POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")
FOLDED = POWERS[2:]


class AddUserForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("email", "language")
        help_texts = {
            "email": _("We send this address an e-mail that explains how to set a password."),
        }

    def clean_email(self) -> str:
        """Return the canonical form; the typed form is stored beside it."""
        self.typed_email: str = self.cleaned_data["email"]
        try:
            return canonical_address(self.typed_email)
        except InvalidAddress as error:
            raise ValidationError(_("This is not an e-mail address that we accept.")) from error


@admin.register(User)
class UserAdmin(AuditedModelAdmin):
    list_display = ("account_name", "email", "is_active", "is_staff", "created_at")
    list_filter = ("kind", "is_active", "is_staff", "is_superuser", LanguageFilter)
    search_fields = ("account_name__startswith", "email__exact")
    search_help_text = _("Beginning of the account name, or a whole e-mail address")
    lower_case_search = True
    date_hierarchy = "created_at"
    addresses = ("email", "email_original")
    fields = (
        "account_name",
        "email",
        "email_original",
        "language",
        "is_active",
        *POWERS,
        "created_at",
        "last_login",
    )
    readonly_fields = ("account_name", "email", "email_original", "created_at", "last_login")
    filter_horizontal = ("groups", "user_permissions")
    actions = ("send_reset_links",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["email", "language"] if obj is None else super().get_fields(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Fold the permissions away: what belongs to the user is beneath them."""
        if obj is None:
            return super().get_fieldsets(request, obj)
        names = self.get_fields(request, obj)
        folded = [name for name in names if name in FOLDED]
        return [
            (None, {"fields": [name for name in names if name not in FOLDED]}),
            (_("Groups and permissions"), {"fields": folded, "classes": ["collapse"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is None:
            return []
        names = super().get_readonly_fields(request, obj)
        return names if request.user.is_superuser else [*names, *POWERS]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        if obj is None:
            options["form"] = AddUserForm
        return super().get_form(request, obj, change, **options)

    def closed_by(self, request: HttpRequest, obj: Any) -> Collection[str]:
        """Leave powerful users to superusers."""
        powers = [name for name in ("is_staff", "is_superuser") if getattr(obj, name)]
        return () if request.user.is_superuser else powers

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "user_permissions":
            permissions = db_field.remote_field.model.objects
            options["queryset"] = permissions.select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **options)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            if "is_staff" in form.changed_data and not obj.is_staff:
                keep_idle_limit(user_id=obj.pk, now=timezone.now())
            return
        add_user(user=obj, email_original=form.typed_email, by=actor(request), now=timezone.now())

    def record_change(self, request: HttpRequest, form: Any, change: bool) -> None:
        if change:
            super().record_change(request, form, change)

    @ConfirmedAction(
        title=_("Send the e-mail to set a new password"),
        consequences=(
            _("Each user gets an e-mail with a link to the page that sets a new password."),
            _("The current password works until then. Only the user sees the new one."),
        ),
        button=_("Send"),
        refusals=SENTENCES,
        permissions=["change"],
    )
    def send_reset_links(self, user: User, *, by: User, now: datetime) -> None:
        send_reset_link(user=user, by=by, now=now)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(AuditedModelAdmin, DjangoGroupAdmin):
    list_display = ("name",)
    list_filter = ()
    ordering = ("name",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    has_add_permission = has_change_permission
