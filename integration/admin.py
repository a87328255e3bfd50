"""The provider's API keys in the admin; partners' keys, answers and webhooks to read only."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import EvidenceAdmin, actor, object_link
from audit.models import AuditEvent
from integration.enums import in_words
from integration.forms import NewProviderKeyForm
from integration.models import (
    NEVER_ENDS,
    ApiKey,
    IdempotentAnswer,
    WebhookDelivery,
    WebhookEndpoint,
)
from integration.refusals import SENTENCES, sentence_for
from integration.services.keys import create_provider_key, revoke_key
from partners.admin.shared import RefusingAdmin, all_fields
from web.admin.base import StateFilter
from web.admin.confirmation import ConfirmedAction, reason_form
from web.admin.hubs import Section, adds_sections, first_rows, given
from web.moments import moment_text
from web.refused import Refused


class SideFilter(StateFilter):
    title = _("side")
    parameter_name = "side"

    def states(self) -> dict[str, tuple[Any, Q]]:
        return {
            "provider": (_("the provider’s"), Q(partner__isnull=True)),
            "partners": (_("of partners"), Q(partner__isnull=False)),
        }


class KeyStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        has_expired = Q(expires_at__lte=timezone.now())
        not_revoked = Q(revoked_at__isnull=True)
        return {
            "valid": (_("valid"), not_revoked & (NEVER_ENDS | ~has_expired)),
            "expired": (_("expired"), not_revoked & has_expired),
            "revoked": (_("revoked"), ~not_revoked),
        }


class EndpointStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        is_on = Q(disabled_at__isnull=True)
        return {
            "works": (_("on, and does not fail"), is_on & Q(failing_since__isnull=True)),
            "failing": (_("on, and fails"), is_on & Q(failing_since__isnull=False)),
            "off": (_("off"), ~is_on),
        }


def _kind_of(api_key: ApiKey) -> Any:
    if api_key.subject:
        return _("program of the provider that sends tokens")
    if api_key.partner_id is None:
        return _("key of the provider")
    return _("key of a partner")


def _state_of(api_key: ApiKey) -> Any:
    if api_key.revoked_at is not None:
        return _("revoked")
    return _("valid") if api_key.is_live(timezone.now()) else _("expired")


def _fields_of(api_key: ApiKey) -> list[str]:
    """Return the fields that this kind of key has, so that none is shown empty for all of them."""
    without = {"partner"} if api_key.partner_id is None else set()
    if api_key.subject:
        # Each token has these itself; the row was made by the first call.
        without |= {"ending", "expires_at", "created_by"}
    else:
        without |= {"issuer", "subject"}
    hidden = {"name", "scopes", "secret_hash", *without}
    rest = (name for name in all_fields(ApiKey) if name not in hidden)
    return ["name", "kind", "state", "shown_scopes", *rest]


def _why_not_revoked(api_key: ApiKey) -> Any:
    if api_key.partner_id is not None:
        return _("The administrators of the partner revoke it, in their console.")
    return _("It is revoked already.") if api_key.revoked_at is not None else ""


@admin.register(ApiKey)
class ApiKeyAdmin(RefusingAdmin):
    """Keys of the provider are made and revoked here; partners make theirs in the console."""

    add_form_template = "admin/integration/apikey/add.html"
    list_display = ("name", "state", "kind", "partner", "codes", "expires_at", "last_used_at")
    list_select_related = ("partner",)
    list_filter = (KeyStateFilter, SideFilter, *given("partner"))
    search_fields = ("name__icontains", "partner__name__icontains")
    search_help_text = _("Part of the key's or the partner's name")
    date_hierarchy = "created_at"
    readonly_fields = ("kind", "state", "shown_scopes")
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integration.change_apikey")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["name", "scopes", "days"] if obj is None else _fields_of(obj)

    @admin.display(description=_("kind"))
    def kind(self, api_key: ApiKey) -> Any:
        return _kind_of(api_key)

    @admin.display(description=_("state"))
    def state(self, api_key: ApiKey) -> Any:
        return _state_of(api_key)

    @admin.display(description=_("scopes"))
    def codes(self, api_key: ApiKey) -> str:
        return ", ".join(api_key.scopes)

    @admin.display(description=_("What it may do"))
    def shown_scopes(self, api_key: ApiKey) -> Any:
        if api_key.subject:
            return gettext("What each of its tokens allows: the issuer grants that.")
        return format_html_join("", "<div>{}</div>", ((in_words(code),) for code in api_key.scopes))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": gettext("Make a key of the provider"), **(extra_context or {})}
        return super().add_view(request, form_url, context)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        if obj is None:
            options["form"] = NewProviderKeyForm
        return super().get_form(request, obj, change, **options)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        now, terms = timezone.now(), form.cleaned_data
        made, obj.new_secret = create_provider_key(
            name=terms["name"],
            scopes=terms["scopes"],
            expires_at=now + timedelta(days=terms["days"]),
            by=actor(request),
            now=now,
        )
        obj.__dict__.update(made.__dict__)

    def response_add(self, request: HttpRequest, obj: Any, *_args: Any) -> HttpResponse:
        """Show the secret in the answer to the POST that made the key, and never again."""
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("The key is made"),
            "opts": self.opts,
            "api_key": obj,
            "secret": obj.new_secret,
        }
        return TemplateResponse(request, "admin/integration/apikey/made.html", context)

    def note_repeat(self, request: HttpRequest) -> None:
        text = _(
            "The button was pressed twice, and one key was made: the newest below. Its secret was"
            " in the answer to the first press only. If you have not copied it, revoke this key"
            " and make another."
        )
        self.message_user(request, text, messages.WARNING)

    def _show_refusal(self, request: HttpRequest, refused: Refused) -> HttpResponse:
        self.message_user(request, sentence_for(refused), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())

    @ConfirmedAction(
        title=_("Revoke the key"),
        consequences=(
            _("From the next call on it gets a 401. That cannot be undone."),
            _("What it has done stays, and histories go on naming it."),
            _("No e-mail is sent: make another key for the program first, if it is still needed."),
        ),
        button=_("Revoke"),
        form=reason_form(_("The provider's administrators read it in the history of the key.")),
        refusals=SENTENCES,
        permissions=["act"],
        works_for=lambda api_key: not _why_not_revoked(api_key),
        why_not=_why_not_revoked,
    )
    def revoke(self, api_key: ApiKey, **values: Any) -> None:
        revoke_key(api_key=api_key, **values)


@admin.register(IdempotentAnswer)
class IdempotentAnswerAdmin(EvidenceAdmin):
    list_display = ("api_key", "idempotency_key", "status", "created_at")
    list_select_related = ("api_key",)
    list_filter = given("api_key")
    search_fields = ("idempotency_key__exact",)
    search_help_text = _("The whole idempotency key")
    date_hierarchy = "created_at"
    fields = tuple(name for name in all_fields(IdempotentAnswer) if name != "sealed_body")


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(EvidenceAdmin):
    list_display = ("name", "partner", "state", "disabled_reason", "failing_since")
    list_select_related = ("partner",)
    list_filter = (EndpointStateFilter, "disabled_reason", *given("partner"))
    search_fields = ("description__icontains", "partner__name__icontains")
    search_help_text = _("Part of the endpoint's or the partner's name")
    date_hierarchy = "created_at"
    # Encrypted or not, secrets are shown nowhere.
    fields = (
        "state",
        *(
            {"event_types": "kinds"}.get(name, name)
            for name in all_fields(WebhookEndpoint)
            if name not in ("sealed_secret", "sealed_former_secret")
        ),
    )
    readonly_fields = ("state", "kinds")

    @admin.display(description=_("state"))
    def state(self, endpoint: WebhookEndpoint) -> Any:
        if endpoint.disabled_at is not None:
            return _("off")
        return _("on") if endpoint.failing_since is None else _("on, and fails")

    @admin.display(description=_("kinds of events"))
    def kinds(self, endpoint: WebhookEndpoint) -> Any:
        return ", ".join(endpoint.event_types) or _("all")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(EvidenceAdmin):
    list_display = ("event_kind", "endpoint", "attempt", "status", "status_code", "sent_at")
    list_select_related = ("endpoint",)
    list_filter = ("status", *given("endpoint"))
    search_fields = ("event_id__exact",)
    search_help_text = _("The whole id of the event")
    date_hierarchy = "created_at"
    fields = tuple({"event_id": "event"}.get(name, name) for name in all_fields(WebhookDelivery))
    readonly_fields = ("event",)

    @admin.display(description=_("event"))
    def event(self, delivery: WebhookDelivery) -> str:
        return object_link(self.admin_site, "outbox.event", str(delivery.event_id))


@adds_sections(ApiKey)
def key_sections(request: HttpRequest, api_key: ApiKey) -> Iterable[Section | None]:
    yield first_rows(
        request,
        rows=AuditEvent.objects.filter(actor=api_key.user_id).order_by("-occurred_at", "-pk"),
        line=lambda event: (event.action, moment_text(event.occurred_at)),
        title=_("What was done with it"),
        filters={"actor": api_key.user_id},
    )


@adds_sections(WebhookEndpoint)
def endpoint_sections(request: HttpRequest, endpoint: WebhookEndpoint) -> Iterable[Section | None]:
    yield first_rows(
        request,
        rows=endpoint.deliveries.order_by("-created_at", "-pk"),
        line=lambda row: (
            row.event_kind,
            row.get_status_display(),
            row.status_code or row.get_error_display(),
            moment_text(row.created_at),
        ),
        filters={"endpoint": endpoint.pk},
    )
