"""The admin's site: who comes in, and what no page of it accepts."""

from functools import wraps
from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _


class ProviderAdminSite(AdminSite):
    """The provider's admin. Its log-in is allauth's, so that limits and second factor hold."""

    site_header = settings.PROVIDER_NAME
    site_title = settings.PROVIDER_NAME
    index_title = _("Administration")

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # Deletes many at once and past each model's own word; deleting is one by one.
        self.disable_action("delete_selected")

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the user is staff and, outside the demo, has a second factor."""
        user = request.user
        if not (user.is_active and user.is_staff):
            return False
        return bool(settings.DEMO or is_mfa_enabled(user))

    @method_decorator(login_not_required)
    @method_decorator(secure_admin_login)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send strangers to allauth's log-in; Django's own form is never shown."""
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index", current_app=self.name))
        raise PermissionDenied

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Every model by its app; allauth's two are named after what they hold."""
        apps = super().get_app_list(request, app_label)
        names = {"account": _("Log-in addresses"), "mfa": _("Second factors")}
        for app in apps:
            app["name"] = names.get(app["app_label"], app["name"])
        return apps

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Send to the one page on which passwords are changed."""
        return redirect("account_change_password")

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Refuse what no database can hold: NUL beforehand, a number too large when it shows."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def without_nul(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            values = [value for _key, values in request.GET.lists() for value in values]
            if any("\0" in text for text in (request.path, *request.GET, *values)):
                raise BadRequest("NUL in the address")
            try:
                response: HttpResponse = inner(request, *args, **kwargs)
                # Lists are looked up when they are rendered: here, where it can be answered for.
                return response.render() if isinstance(response, TemplateResponse) else response
            except (OverflowError, DataError) as error:
                raise BadRequest("a number that no database holds") from error

        return without_nul
