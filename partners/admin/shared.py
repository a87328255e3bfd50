"""What admin pages of partners share."""

from typing import Any

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from audit.admin import ProviderModelAdmin
from partners.refusals import sentence_for
from partners.tokens import token_in
from web.admin.base import SafeModelAdmin
from web.refused import Refused


class RefusingAdmin(ProviderModelAdmin):
    """Rows that services write: what they refuse is shown as a sentence, and nothing is written."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Refused as refused:
            return self._show_refusal(request, refused)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().delete_view(request, *args, **kwargs)
        except Refused as refused:
            return self._show_refusal(request, refused)

    def _show_refusal(self, request: HttpRequest, refused: Refused) -> HttpResponse:
        self.message_user(request, sentence_for(refused), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())


class TokenSearch(SafeModelAdmin):
    """Mixed into a page whose search also takes an invitation's link or token."""

    # From the page's model, as lookups write it.
    path_to_invitation = ""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        token = token_in(search_term)
        if token is not None:
            return queryset.filter(**{f"{self.path_to_invitation}token": token}), False
        return super().get_search_results(request, queryset, search_term)


def all_fields(model: type[Model]) -> tuple[str, ...]:
    return tuple(field.name for field in model._meta.fields if not field.primary_key)
