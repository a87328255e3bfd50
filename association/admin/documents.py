"""Legal documents in the admin: drafts are edited; published documents never change."""

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import translation
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from association.models import LegalDocument
from association.refusals import SENTENCES
from association.services.documents import publish_document, shown_draft
from audit.admin import DeletableModelAdmin
from web.admin.base import StateFilter
from web.admin.confirmation import ConfirmedAction

if TYPE_CHECKING:
    DocumentModelForm = forms.ModelForm[LegalDocument]
else:
    DocumentModelForm = forms.ModelForm


class DocumentStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        return {
            "draft": (_("draft"), Q(published_at__isnull=True)),
            "published": (_("published"), Q(published_at__isnull=False)),
        }


PLACEHOLDER = re.compile(r"\{\s*\w*\s*\}")


def _preview_link(document: LegalDocument) -> Iterable[str]:
    url = reverse("admin:document_preview", args=[document.pk])
    yield format_html('<a href="{}" target="_blank">{}</a>', url, gettext("Preview"))


class DocumentForm(DocumentModelForm):
    class Meta:
        model = LegalDocument
        fields = ("kind", "language", "version", "title", "body")
        help_texts = {
            "version": _("Filled in with the next one. Its translations have the same number."),
            "body": _("CommonMark. {provider} becomes the provider's name."),
        }

    def clean_body(self) -> str:
        """Refuse a placeholder that readers would see as it is typed."""
        body: str = self.cleaned_data["body"]
        unknown = sorted(set(PLACEHOLDER.findall(body)) - {"{provider}"})
        if unknown:
            text = _("Only {provider} is filled in. Readers would see this as it is: %(names)s.")
            raise ValidationError(text, params={"names": ", ".join(unknown)})
        return body


@admin.register(LegalDocument)
class LegalDocumentAdmin(DeletableModelAdmin):
    list_display = ("title", "kind", "language", "version", "published_at")
    list_filter = (DocumentStateFilter, "kind", "language")
    search_fields = ("title",)
    date_hierarchy = "published_at"
    readonly_fields = ("published_at",)
    fields = ("kind", "language", "version", "title", "body", "published_at")
    actions = ("publish",)
    form = DocumentForm
    change_form_template = "admin/association/legaldocument/change_form.html"
    # Blanks at the start of a line have a meaning in CommonMark.
    formfield_overrides = {
        **DeletableModelAdmin.formfield_overrides,
        models.TextField: {"form_class": forms.CharField},
    }

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[LegalDocument]:
        """Leave out the text in lists, which do not show it."""
        documents = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and (match.url_name or "").endswith("_changelist")
        return documents.defer("body") if is_list else documents

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.preview))
        return [
            path("<str:document_id>/preview/", view, name="document_preview"),
            *super().get_urls(),
        ]

    def preview(self, request: HttpRequest, document_id: str) -> HttpResponse:
        """Show the document, a draft too, as readers will see it; this only reads."""
        document = self.get_object(request, document_id)
        if not self.has_view_permission(request, document):
            raise PermissionDenied
        if document is None:
            raise Http404
        with translation.override(document.language):
            context = {"document": document, "is_preview": True}
            return render(request, "association/document.html", context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        last = LegalDocument.objects.aggregate(last=models.Max("version"))["last"] or 0
        return {"version": last + 1, **super().get_changeform_initial_data(request)}

    def closed_by(self, request: HttpRequest, obj: Any) -> Collection[str]:
        return () if obj.published_at is None else ("published_at",)

    @ConfirmedAction(
        title=_("Publish documents"),
        description=_("Publish"),
        consequences=(
            _("Read its preview first: from now on the text cannot be changed or deleted."),
            _("A new version is in force once it is published in English."),
            _("Customers who agreed to older instructions but have not joined must agree again."),
        ),
        button=_("Publish"),
        refusals=SENTENCES,
        permissions=["change"],
        works_for=lambda document: document.published_at is None,
        shows=shown_draft,
        facts=_preview_link,
        explain=lambda names: [gettext("The text of the draft is another one now.")],
    )
    def publish(self, document: LegalDocument, **values: Any) -> None:
        publish_document(document=document, **values)
