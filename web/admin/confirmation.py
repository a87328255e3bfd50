"""The page between an action and its effect: what will happen, and why it is done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from types import MappingProxyType
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from web.admin.base import SafeModelAdmin

Action = Callable[[Any, HttpRequest, Any], HttpResponse]
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
class AdminAct:
    """What is confirmed: its words, its form, what does it to one object, how it may refuse."""

    title: Any
    consequences: Sequence[Any]
    button: Any
    do: Callable[..., object]
    form: type[forms.Form]
    name: Callable[[Any], str]
    refused_by: tuple[type[Exception], ...]
    refusals: Mapping[Any, Any]


def confirmed_action(
    *,
    title: Any,
    consequences: Sequence[Any],
    button: Any,
    permissions: Sequence[str],
    description: Any = None,
    form: type[forms.Form] = NothingForm,
    name: Callable[[Any], str] = str,
    refused_by: tuple[type[Exception], ...] = (),
    refusals: Mapping[Any, Any] = MappingProxyType({}),
) -> Callable[[Callable[..., object]], Action]:
    """Make an action of the admin out of a method that does one thing to one object.

    The method gets the object, `by=`, `now=`, and what the form holds by the fields' names. Before
    it is called the administrator reads what will happen, to which objects, and confirms. An
    exception in `refused_by` is told by the sentence that `refusals` has for its `code`. In the
    list the action is called `description`, or like its page.
    """

    def decorate(do: Callable[..., object]) -> Action:
        act = AdminAct(
            title=title,
            consequences=consequences,
            button=button,
            do=do,
            form=form,
            name=name,
            refused_by=refused_by,
            refusals=refusals,
        )

        @admin.action(description=description or title, permissions=permissions)
        @wraps(do)
        def action(page: SafeModelAdmin, request: HttpRequest, queryset: Any) -> HttpResponse:
            return confirm(page, request, queryset, act)

        return action

    return decorate


def confirm(
    page: SafeModelAdmin, request: HttpRequest, queryset: Any, act: AdminAct
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
    page: SafeModelAdmin,
    request: HttpRequest,
    objects: list[Any],
    act: AdminAct,
    values: dict[str, Any],
) -> None:
    by, done = request.user, 0
    for obj in objects:
        try:
            act.do(page, obj, by=by, now=timezone.now(), **values)
        except act.refused_by as refusal:
            code = str(getattr(refusal, "code", ""))
            sentence = act.refusals.get(code, code)
            page.message_user(request, f"{act.name(obj)}: {sentence}", messages.ERROR)
        else:
            done += 1
    if done:
        text = ngettext("Done for %(count)d object.", "Done for %(count)d objects.", done)
        page.message_user(request, text % {"count": done}, messages.SUCCESS)
