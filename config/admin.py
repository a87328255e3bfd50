"""The admin site: who may enter, and which input no page accepts."""

from functools import wraps
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from accounts.issuer_logins import passes_second_factor
from accounts.models import User
from association.services.endings import count_end_requests
from config.admin_index import SUMMARIES
from config.waiting import what_waits
from web.typed import give_back

_FIRST_APPS = ("partners", "association", "accounts", "outbox", "integration", "audit")


class ProviderAdminSite(AdminSite):
    site_header = settings.PROVIDER_NAME
    site_title = settings.PROVIDER_NAME
    index_title = _("Administration")
    # The product's first page is for customers who follow an invitation.
    site_url = None

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # It would bypass each model's own rules for deletion.
        self.disable_action("delete_selected")

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        if not isinstance(user, User) or not super().has_permission(request):
            return False
        return settings.DEMO or passes_second_factor(request, user)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        waiting: dict[str, Any] = {}
        if request.user.has_perm("association.view_endrequest"):
            waiting["end_requests"] = count_end_requests(now=timezone.now())
        waiting["waiting"] = what_waits(user=request.user, now=timezone.now())
        page: Any = super().index(request, {**waiting, **(extra_context or {})})
        for app in page.context_data["app_list"]:
            for model in app["models"]:
                model["summary"] = SUMMARIES[model["model"]._meta.label_lower]
        return page

    @method_decorator(login_not_required)
    @method_decorator(secure_admin_login)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send strangers to allauth's log-in; Django's form, which skips MFA, is never shown."""
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index", current_app=self.name))
        raise PermissionDenied

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Log out by POST, as Django does; a GET leads to the first page, which has the button."""
        if request.method in {"GET", "HEAD"}:
            return redirect("admin:index")
        return super().logout(request, extra_context)

    def get_urls(self) -> list[Any]:
        """Leave out Django's redirect to an object's own page: no model here has one."""
        return [url for url in super().get_urls() if getattr(url, "name", None) != "view_on_site"]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Return the apps with those first that the provider's daily work is about."""
        apps = super().get_app_list(request, app_label)
        names = {"account": _("Log-in addresses"), "mfa": _("Second factors")}
        for app in apps:
            app["name"] = names.get(app["app_label"], app["name"])
        places = {label: place for place, label in enumerate(_FIRST_APPS)}
        return sorted(apps, key=lambda app: places.get(app["app_label"], len(places)))

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        return redirect("account_change_password")

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Answer 400 to values that no database can store: NUL, and numbers that are too large."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def checked_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            values = [value for _key, values in request.GET.lists() for value in values]
            if any("\0" in text for text in (request.path, *request.GET, *values)):
                raise BadRequest("NUL in the URL")
            try:
                response: HttpResponse = give_back(request) or inner(request, *args, **kwargs)
                # Rendering runs the queries of lists: here, so that their errors are caught.
                return response.render() if isinstance(response, TemplateResponse) else response
            except (OverflowError, DataError) as error:
                raise BadRequest("a number that no database can store") from error

        return checked_view
