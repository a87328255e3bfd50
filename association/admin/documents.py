"""Legal documents in the admin: drafts are edited; published documents never change."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from association.models import LegalDocument
from association.refusals import SENTENCES
from association.services.documents import publish_document, shown_draft
from audit.admin import DeletableModelAdmin
from web.admin.base import StateFilter
from web.admin.confirmation import ConfirmedAction
from web.typed import typed_form


class DocumentStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        return {
            "draft": (_("draft"), Q(published_at__isnull=True)),
            "published": (_("published"), Q(published_at__isnull=False)),
        }


@admin.register(LegalDocument)
class LegalDocumentAdmin(DeletableModelAdmin):
    list_display = ("title", "kind", "language", "version", "published_at")
    list_filter = (DocumentStateFilter, "kind", "language")
    search_fields = ("title",)
    date_hierarchy = "published_at"
    readonly_fields = ("published_at",)
    fields = ("kind", "language", "version", "title", "body", "published_at")
    actions = ("publish",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[LegalDocument]:
        """Leave out the text in lists, which do not show it."""
        documents = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and (match.url_name or "").endswith("_changelist")
        return documents.defer("body") if is_list else documents

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        draft = obj is None or obj.published_at is None
        return draft and super().has_change_permission(request, obj)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Say that the draft was published meanwhile, and show what was typed: 409.

        Else Django would say that the user may not open the page.
        """
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except PermissionDenied:
            is_change = request.method == "POST" and object_id is not None
            if not is_change or not self.has_change_permission(request):
                raise
        context = {
            **self.admin_site.each_context(request),
            "title": _("This document was published meanwhile"),
            "opts": self.opts,
            "object_id": object_id,
            "typed": typed_form(request)["typed"],
        }
        return render(request, "admin/published_meanwhile.html", context, status=409)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        draft = obj is None or obj.published_at is None
        return draft and super().has_delete_permission(request, obj)

    @ConfirmedAction(
        title=_("Publish documents"),
        description=_("Publish"),
        consequences=(
            _("From now on the text cannot be changed or deleted."),
            _("A new version is in force once it is published in English."),
            _("Customers who agreed to older instructions but have not joined must agree again."),
        ),
        button=_("Publish"),
        refusals=SENTENCES,
        permissions=["change"],
        shows=shown_draft,
        explain=lambda names: [gettext("The text of the draft is another one now.")],
    )
    def publish(self, document: LegalDocument, **values: Any) -> None:
        publish_document(document=document, **values)
