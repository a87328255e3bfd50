"""What admin pages of partners share."""

from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from audit.admin import ProviderModelAdmin
from partners.refusals import sentence_for
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


def all_fields(model: type[Model]) -> tuple[str, ...]:
    return tuple(field.name for field in model._meta.fields if not field.primary_key)
