"""The page between an admin action and its effect: what will happen, and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any, ClassVar

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
MAX_OBJECTS = 100


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=256,
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
        help_text=_("Stored with the action. At most 256 characters."),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedAction:
    """Decorator that makes an admin action from a method that acts on one object.

    The administrator first reads what will happen to which objects, fills in `form`, and confirms.
    Then the method gets each object, `by=`, `now=`, and the form's values by name. For an exception
    in `refused_by` the page shows the sentence that `refusals` has for its `code`. The list calls
    the action `description`, or `title` without one.
    """

    title: Any
    consequences: Sequence[Any]
    button: Any
    permissions: Sequence[str]
    description: Any = None
    form: type[forms.Form] = forms.Form
    name: Callable[[Any], str] = str
    refused_by: tuple[type[Exception], ...] = ()
    refusals: Mapping[Any, Any] = field(default_factory=dict)
    # Django's templates call what is callable.
    do_not_call_in_templates: ClassVar[bool] = True

    def __call__(self, method: Callable[..., object]) -> Action:
        description = self.description or self.title

        @admin.action(description=description, permissions=self.permissions)
        @wraps(method)
        def action(page: SafeModelAdmin, request: HttpRequest, queryset: Any) -> HttpResponse:
            return confirm(page, request, queryset, self, method)

        return action


def confirm(
    page: SafeModelAdmin,
    request: HttpRequest,
    queryset: Any,
    definition: ConfirmedAction,
    method: Callable[..., object],
) -> HttpResponse:
    """Show what will happen to the selected objects or, once confirmed, do it to each in turn.

    Each object has its own transaction and its own answer: one refusal does not stop the others.
    """
    objects = list(queryset[: MAX_OBJECTS + 1])
    if len(objects) > MAX_OBJECTS:
        text = gettext("At most %(count)d at once. Nothing was changed.")
        page.message_user(request, text % {"count": MAX_OBJECTS}, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())
    is_confirmed = "confirmed" in request.POST
    form = definition.form(request.POST if is_confirmed else None)
    if is_confirmed and form.is_valid():
        do = partial(method, page, by=request.user, now=timezone.now(), **form.cleaned_data)
        _apply(page, request, objects, definition, do)
        return HttpResponseRedirect(request.get_full_path())
    context = {
        **page.admin_site.each_context(request),
        "title": definition.title,
        "definition": definition,
        "form": form,
        "objects": [(obj.pk, definition.name(obj)) for obj in objects],
        "opts": page.opts,
        "action": request.POST.get("action", ""),
        "checkbox_name": helpers.ACTION_CHECKBOX_NAME,
    }
    status = 400 if form.errors else 200
    return TemplateResponse(request, "admin/confirm_action.html", context, status=status)


def _apply(
    page: SafeModelAdmin,
    request: HttpRequest,
    objects: Sequence[Any],
    definition: ConfirmedAction,
    do: Callable[[Any], object],
) -> None:
    done = 0
    for obj in objects:
        try:
            do(obj)
        except definition.refused_by as refusal:
            code = str(getattr(refusal, "code", ""))
            sentence = definition.refusals.get(code, code)
            page.message_user(request, f"{definition.name(obj)}: {sentence}", messages.ERROR)
        else:
            done += 1
    if done:
        text = ngettext("Done for %(count)d object.", "Done for %(count)d objects.", done)
        page.message_user(request, text % {"count": done}, messages.SUCCESS)
