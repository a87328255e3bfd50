"""The page between an action and its effect: what will happen, and why it is done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import ProviderModelAdmin

MOST_AT_ONCE = 100


class NothingForm(forms.Form):
    """For an act that needs no more than a yes."""


class ReasonForm(forms.Form):
    """For an act whose reason is kept."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=256,
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
        help_text=_("Kept with the act. At most 256 characters."),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What is confirmed: its words, its form, what does it to one object, how it may refuse.

    `refusals` maps the `code` of the exceptions in `refused_by` to sentences.
    """

    title: Any
    consequences: tuple[Any, ...]
    button: Any
    do: Callable[[Any, dict[str, Any]], object]
    form: type[forms.Form] = NothingForm
    name: Callable[[Any], str] = str
    refused_by: tuple[type[Exception], ...] = ()
    refusals: dict[str, Any]


def confirm(
    page: ProviderModelAdmin, request: HttpRequest, queryset: Any, act: Act
) -> HttpResponse:
    """Show what will happen to the chosen objects, or, confirmed, do it to one after the other.

    Every object is its own transaction and gets its own answer: one refusal stops no other.
    """
    objects = list(queryset[: MOST_AT_ONCE + 1])
    if len(objects) > MOST_AT_ONCE:
        text = gettext("At most %(count)d at once. Nothing was changed.")
        page.message_user(request, text % {"count": MOST_AT_ONCE}, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())
    confirmed = "confirmed" in request.POST
    form = act.form(request.POST if confirmed else None)
    if confirmed and form.is_valid():
        _do(page, request, objects, act, form.cleaned_data)
        return HttpResponseRedirect(request.get_full_path())
    context = {
        **page.admin_site.each_context(request),
        "title": act.title,
        "act": act,
        "form": form,
        "objects": [(obj.pk, act.name(obj)) for obj in objects],
        "opts": page.opts,
        "action": request.POST.get("action", ""),
        "checkbox_name": helpers.ACTION_CHECKBOX_NAME,
    }
    status = 400 if form.errors else 200
    return TemplateResponse(request, "admin/confirm_action.html", context, status=status)


def _do(
    page: ProviderModelAdmin,
    request: HttpRequest,
    objects: list[Any],
    act: Act,
    values: dict[str, Any],
) -> None:
    done = 0
    for obj in objects:
        try:
            act.do(obj, values)
        except act.refused_by as refusal:
            code = str(getattr(refusal, "code", ""))
            sentence = act.refusals.get(code, code)
            page.message_user(request, f"{act.name(obj)}: {sentence}", messages.ERROR)
        else:
            done += 1
    if done:
        text = ngettext("Done for %(count)d object.", "Done for %(count)d objects.", done)
        page.message_user(request, text % {"count": done}, messages.SUCCESS)
