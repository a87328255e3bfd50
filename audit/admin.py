"""The audit trail in the admin, and base classes for admin pages that write or replace it."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import utils
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import JSONField, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.models import AuditEvent
from audit.services import last_changes, last_deletion, plain_values, record_audit_event
from web.admin.base import SafeModelAdmin
from web.admin.hubs import given, given_object, has_sections, list_url
from web.admin.masking import may_see_addresses
from web.admin.values import find_objects, json_field, value_lists
from web.email_addresses import mask_addresses
from web.versioned_forms import LastChange

HISTORY_LENGTH = 100


def account_name(user: Any) -> str:
    return user.account_name if user else gettext("The system")


def actor(request: HttpRequest) -> Any:
    if not isinstance(request.user, AbstractBaseUser):
        raise PermissionDenied
    return request.user


class ProviderModelAdmin(SafeModelAdmin):
    """A page whose history is the audit trail; Django's own log is not written."""

    def _log_nothing(self, *_args: Any) -> Any:
        pass

    log_addition = log_change = log_deletions = _log_nothing  # type: ignore[assignment]

    def last_changes(self, obj: Any, names: Collection[str]) -> dict[str, LastChange]:
        return last_changes(about=obj, names=names, who=account_name)

    def deletion_of(self, object_id: str) -> LastChange | None:
        return last_deletion(model=self.model, object_id=object_id, who=account_name)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Lead to what was recorded about an object that is gone, for those who may see it."""
        answer = super()._get_obj_does_not_exist_redirect(request, opts, object_id)  # type: ignore[misc]
        if not request.user.has_perm("audit.view_auditevent"):
            return answer  # type: ignore[no-any-return]
        filters = {"object_label": opts.label_lower, "object_id": utils.unquote(object_id)}
        return HttpResponseRedirect(list_url(AuditEvent, filters))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, utils.unquote(object_id), None)
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        found = AuditEvent.objects.filter(
            object_label=self.opts.label_lower, object_id=str(obj.pk)
        ).select_related("actor")
        events = list(found.order_by("-occurred_at", "-pk")[:HISTORY_LENGTH])
        before, after = (
            value_lists([(getattr(event, name), self.model) for event in events], is_masked=True)
            for name in ("before", "after")
        )
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("History of %(object)s") % {"object": obj},
            "module_name": capfirst(self.opts.verbose_name_plural),
            "object": obj,
            "opts": self.opts,
            "events": [
                {
                    "event": event,
                    "who": account_name(event.actor),
                    "before": before[number],
                    "after": after[number],
                }
                for number, event in enumerate(events)
            ],
            "all_url": self._all_events_url(request, obj),
            "has_sections": has_sections(self.model),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/object_history.html", context)

    def _all_events_url(self, request: HttpRequest, obj: Any) -> str:
        if not request.user.has_perm("audit.view_auditevent"):
            return ""
        filters = {"object_label": self.opts.label_lower, "object_id": obj.pk}
        return list_url(AuditEvent, filters)


class EvidenceAdmin(ProviderModelAdmin):
    """Rows that are not edited by hand; values that are stored as JSON are shown as lists."""

    def describes(self, obj: Any) -> type[Model] | None:
        """Return the model whose fields the names in the JSON of this row are, if they are."""
        return None

    def _with_masks(self, request: HttpRequest, names: Iterable[Any]) -> list[Any]:
        model: Any = self.model
        is_masked = not may_see_addresses(request)
        stored = {field.name for field in self.opts.fields if isinstance(field, JSONField)}
        shown = [
            json_field(
                model,
                name,
                is_masked=is_masked and name in self.addresses,
                describes=self.describes,
            )
            if name in stored
            else name
            for name in names
        ]
        return super()._with_masks(request, shown)

    def _never(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_add_permission = has_change_permission = has_delete_permission = _never


class AuditedModelAdmin(ProviderModelAdmin):
    """Rows that are edited by hand: each save and deletion writes an audit event.

    Deletion is off, because most rows have a history; `DeletableModelAdmin` turns it on.
    """

    # Fields that a service writes, with an event of its own.
    audited_elsewhere: Collection[str] = ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            stored = self.model._default_manager.get(pk=obj.pk)
            form.before = plain_values(stored, self._audited(form.changed_data), self.addresses)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Write the audit event last: many-to-many fields are saved only here."""
        super().save_related(request, form, formsets, change)
        self.record_change(request, form, change)

    def record_change(self, request: HttpRequest, form: Any, change: bool) -> None:
        obj = form.instance
        names = form.changed_data if change else [f.name for f in obj._meta.fields]
        names = self._audited(names)
        if change and not names:
            return
        names = [name for name in names if name not in self.secrets]
        record_audit_event(
            action=f"{self.opts.model_name}.{'changed' if change else 'added'}",
            about=obj,
            by=actor(request),
            now=timezone.now(),
            before=form.before if change else None,
            after=plain_values(obj, names, self.addresses),
        )

    def _audited(self, names: Collection[str]) -> list[str]:
        return [name for name in names if name not in self.audited_elsewhere]


class DeletableModelAdmin(AuditedModelAdmin):
    """Rows without a history; the audit event keeps their values."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super(AuditedModelAdmin, self).has_delete_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        names = [f.name for f in obj._meta.fields if f.name not in self.secrets]
        record_audit_event(
            action=f"{self.opts.model_name}.deleted",
            about=obj,
            by=actor(request),
            now=timezone.now(),
            before=plain_values(obj, names, self.addresses),
        )
        super().delete_model(request, obj)


def _model_named(label: str) -> type[Model] | None:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def object_link(site: admin.AdminSite, label: str, key: str, name: str = "") -> str:
    """Return a link to the object of this label and key; it may be gone, and its page says so."""
    model = _model_named(label)
    if model is None or not site.is_registered(model):
        return f"{label} {key}"
    kind = model._meta
    url = reverse(f"admin:{kind.app_label}_{kind.model_name}_change", args=[key])
    return format_html('<a href="{}">{} {}</a>', url, capfirst(str(kind.verbose_name)), name or key)


class ObjectKindFilter(admin.SimpleListFilter):
    """The kinds of objects that have a page."""

    title = _("object")
    parameter_name = "object_label"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        site = model_admin.admin_site
        kinds = [model._meta for model in apps.get_models() if site.is_registered(model)]
        named = [(kind.label_lower, capfirst(kind.verbose_name_plural)) for kind in kinds]
        return sorted(named, key=lambda pair: str(pair[1]))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(object_label=self.value()) if self.value() else queryset


class ObjectEventAdmin(EvidenceAdmin):
    """Rows that name an object by label and id; pages call it by its name as it is now."""

    @admin.display(description=_("object"))
    def about(self, event: Any) -> str:
        name = getattr(event, "object_name", "")
        return object_link(self.admin_site, event.object_label, event.object_id, name)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        page = super().get_changelist_instance(request)
        self._name_objects(page.result_list)
        return page

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        event = super().get_object(request, object_id, from_field)
        self._name_objects([] if event is None else [event])
        return event

    def _name_objects(self, events: Iterable[Any]) -> None:
        """Give each row the name of its object; one statement for each model."""
        keys: dict[type[Model], set[str]] = defaultdict(set)
        for event in events:
            model = _model_named(event.object_label)
            if model is not None and self.admin_site.is_registered(model):
                keys[model].add(event.object_id)
        found = find_objects(keys)
        for event in events:
            model = _model_named(event.object_label)
            obj = None if model is None else found.get((model, event.object_id))
            event.object_name = mask_addresses(str(obj)) if obj is not None else ""


@admin.register(AuditEvent)
class AuditEventAdmin(ObjectEventAdmin):
    list_display = ("moment", "only_actor", "only_action", "about", "network_address")
    list_filter = (
        ObjectKindFilter,
        *given("actor", "action", "object_id"),
        given_object("acted_for", "partners.partner"),
    )
    list_select_related = ("actor",)
    search_fields = (
        "action__startswith",
        "object_id__exact",
        "request_id__exact",
        "actor__account_name__startswith",
        "actor__email__exact",
    )
    search_help_text = _(
        "Beginning of the action or of the actor's account name, the actor's whole e-mail address,"
        " object id, or request id"
    )
    lower_case_search = True
    date_hierarchy = "occurred_at"
    addresses = ("before", "after")
    fields = (
        "occurred_at",
        "actor",
        "action",
        "about",
        "before",
        "after",
        "network_address",
        "request_id",
    )
    readonly_fields = ("about",)

    def describes(self, obj: Any) -> type[Model] | None:
        return _model_named(obj.object_label)

    @admin.display(description=_("occurred at"), ordering="occurred_at")
    def moment(self, event: AuditEvent) -> str:
        return f"{event.occurred_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("actor"), ordering="actor__account_name")
    def only_actor(self, event: AuditEvent) -> str:
        """Lead to the events of the same actor."""
        if event.actor is None:
            return account_name(None)
        url = list_url(AuditEvent, {"actor": event.actor_id})
        return format_html('<a href="{}">{}</a>', url, event.actor)

    @admin.display(description=_("action"), ordering="action")
    def only_action(self, event: AuditEvent) -> str:
        """Lead to the events with the same action."""
        url = list_url(AuditEvent, {"action": event.action})
        return format_html('<a href="{}">{}</a>', url, event.action)
