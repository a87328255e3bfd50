"""The page between an admin action and its effect: what will happen, and why."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, wraps
from http import HTTPStatus
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from web.admin.base import SafeModelAdmin
from web.admin.hubs import is_from_object, object_url
from web.admin.versions import VersionedModelAdmin
from web.form_keys import OtherContent, act_once, done_before
from web.refused import Refused
from web.shown_versions import ChangedMeanwhile, Values
from web.text_fields import LineField
from web.versioned_forms import VersionedForm

Action = Callable[[Any, HttpRequest, Any], HttpResponse]
MAX_OBJECTS = 100


def reason_form(readers: Any, base: type[forms.Form] = forms.Form) -> type[forms.Form]:
    """Return `base` with a field for the reason; `readers` says in a sentence who will read it."""
    reason = LineField(
        label=_("Reason"),
        max_length=256,
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
        help_text=format_lazy("{} {}", readers, _("At most 256 characters.")),
    )
    return type("ReasonForm", (base,), {"reason": reason})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedAction:
    """Decorator that makes an admin action from a method that acts on one object.

    The administrator first reads what will happen to which objects, fills in `form`, and confirms.
    Then the method gets each object, `by=`, `now=`, and the form's values by name. For a refusal
    the page shows the sentence that `refusals` has for its code.

    Where what the button does depends on the objects, `shows` returns the values that it depends
    on, named differently for each object. The method gets `shown_version=` for its service. For an
    object that has changed meanwhile the page is shown again, with the sentences that `explain`
    returns for the names of the changed values.

    `facts` returns sentences about an object that the administrator needs to decide, `initial` what
    the form begins with for these objects.

    The page of an object offers the action as a button where `works_for` says that it can work.
    `why_not` returns the sentence for an object for which it cannot: it is left out before
    anything is typed.
    """

    title: Any
    consequences: Sequence[Any]
    button: Any
    permissions: Sequence[str]
    description: Any = None
    form: type[forms.Form] = forms.Form
    name: Callable[[Any], str] = str
    refusals: Mapping[Any, Any] = field(default_factory=dict)
    works_for: Callable[[Any], bool] = lambda obj: True
    why_not: Callable[[Any], Any] = lambda obj: ""
    shows: Callable[[Any], Values] | None = None
    facts: Callable[[Any], Iterable[Any]] = lambda obj: ()
    initial: Callable[[Sequence[Any]], dict[str, Any]] = lambda objects: {}
    explain: Callable[[Sequence[str]], list[str]] = lambda names: []
    # Django's templates call what is callable.
    do_not_call_in_templates: ClassVar[bool] = True

    def __call__(self, method: Callable[..., object]) -> Action:
        @admin.action(description=self.description or self.title, permissions=self.permissions)
        @wraps(method)
        def action(page: SafeModelAdmin, request: HttpRequest, queryset: Any) -> HttpResponse:
            try:
                return self._answer(page, request, queryset, method)
            except OtherContent as other:
                return other.answer

        action.confirmed = self  # type: ignore[attr-defined]
        return action

    def _answer(
        self,
        page: SafeModelAdmin,
        request: HttpRequest,
        queryset: Any,
        method: Callable[..., object],
    ) -> HttpResponse:
        objects = list(queryset[: MAX_OBJECTS + 1])
        way_back = _way_back(request, objects)
        if len(objects) > MAX_OBJECTS:
            text = gettext("At most %(count)d at once. Nothing was changed.")
            page.message_user(request, text % {"count": MAX_OBJECTS}, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        if "confirmed" not in request.POST:
            objects = self._leave_out(page, request, objects)
            if not objects:
                return HttpResponseRedirect(way_back)
        else:
            # Before anything is done or checked: the form may have been sent with other content.
            done_before(request, [str(obj.pk) for obj in objects])
        form = self._form(request.POST if "confirmed" in request.POST else None, objects)
        if not form.is_valid():
            return self._show(page, request, objects, form, status=400 if form.errors else 200)
        gone = _count_gone(request, objects)
        if gone:
            if self.shows is not None:
                form.show(self._shown(objects))
            text = ngettext(
                "%(count)d object is no longer in the list you chose from. Nothing was done.",
                "%(count)d objects are no longer in the list you chose from. Nothing was done.",
                gone,
            )
            form.add_error(None, text % {"count": gone})
            return self._show(page, request, objects, form, status=409)
        do = partial(method, page, by=request.user, now=timezone.now(), **form.cleaned_data)
        changed, names = self._apply(page, request, objects, do)
        if not changed:
            return HttpResponseRedirect(way_back)
        form.show(self._shown(changed))
        form.report_sentences(self.explain(names))
        return self._show(page, request, changed, form, status=409)

    def _leave_out(
        self, page: SafeModelAdmin, request: HttpRequest, objects: Sequence[Any]
    ) -> list[Any]:
        """Say why the action cannot work for some of the objects, and return the others."""
        sentences = [(obj, self.why_not(obj)) for obj in objects]
        for obj, sentence in sentences:
            if sentence:
                page.message_user(request, f"{self.name(obj)}: {sentence}", messages.ERROR)
        return [obj for obj, sentence in sentences if not sentence]

    def _form(self, data: Any, objects: Sequence[Any]) -> Any:
        initial = self.initial(objects)
        if self.shows is None:
            return self.form(data, initial=initial)
        versioned: Any = type(f"Versioned{self.form.__name__}", (VersionedForm, self.form), {})
        return versioned(data, shows=self._shown(objects), initial=initial)

    def _shown(self, objects: Sequence[Any]) -> Values:
        shown = self.shows or (lambda obj: {})
        return {name: value for obj in objects for name, value in shown(obj).items()}

    def _show(
        self,
        page: SafeModelAdmin,
        request: HttpRequest,
        objects: Sequence[Any],
        form: forms.Form,
        status: int,
    ) -> HttpResponse:
        context = {
            **page.admin_site.each_context(request),
            "title": self.title,
            "definition": self,
            "form": form,
            "objects": [(obj.pk, self.name(obj), list(self.facts(obj))) for obj in objects],
            "opts": page.opts,
            "action": request.POST.get("action", ""),
            "checkbox_name": helpers.ACTION_CHECKBOX_NAME,
            "is_from_object": is_from_object(request),
            "way_back": _way_back(request, objects),
        }
        return TemplateResponse(request, "admin/confirm_action.html", context, status=status)

    def _apply(
        self, page: SafeModelAdmin, request: HttpRequest, objects: Sequence[Any], do: Any
    ) -> tuple[list[Any], list[str]]:
        """Act on each object in a transaction of its own: one refusal does not stop the others.

        Return the objects that had changed, and the names of what had.
        """
        done: list[str] = []
        repeated: list[str] = []
        changed: list[Any] = []
        names: list[str] = []
        for obj in objects:
            try:
                is_first = act_once(
                    request, partial(do, obj), about=str(obj.pk), answer_url=object_url(obj)
                )
            except ChangedMeanwhile as refused:
                changed.append(obj)
                names += refused.names
            except Refused as refused:
                sentence = self.refusals.get(refused.code, refused.code)
                page.message_user(request, f"{self.name(obj)}: {sentence}", messages.ERROR)
            else:
                (done if is_first else repeated).append(self.name(obj))
        self._report(page, request, done, repeated)
        return changed, names

    def _report(
        self, page: SafeModelAdmin, request: HttpRequest, done: list[str], repeated: list[str]
    ) -> None:
        if done:
            text = ngettext(
                "%(title)s: done for %(name)s.",
                "%(title)s: done for %(count)d objects.",
                len(done),
            )
            values = {"title": self.title, "name": done[0], "count": len(done)}
            page.message_user(request, text % values, messages.SUCCESS)
        if repeated:
            text = ngettext(
                "%(title)s: for %(name)s this was done already at the first press. Nothing was"
                " done now.",
                "%(title)s: for %(count)d objects this was done already at the first press."
                " Nothing was done for them now.",
                len(repeated),
            )
            values = {"title": self.title, "name": repeated[0], "count": len(repeated)}
            page.message_user(request, text % values, messages.INFO)


class ReasonedDeletion(VersionedModelAdmin):
    """Mixed into a page whose deletion has consequences for people: it asks for the reason."""

    # Made by `reason_form()`.
    deletion_form: type[forms.Form]

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        form = self._reason(request)
        context = {"reason_form": form, **(extra_context or {})}
        if not form.is_bound or form.is_valid():
            return super().delete_view(request, object_id, context)
        # Django deletes at any POST with content.
        request.POST = type(request.POST)()
        response = super().delete_view(request, object_id, context)
        response.status_code = (
            400 if response.status_code == HTTPStatus.OK else response.status_code
        )
        return response

    def deletion_reason(self, request: HttpRequest) -> str:
        """Return the reason of a deletion that `delete_view()` has let through."""
        form = self._reason(request)
        form.full_clean()
        return str(form.cleaned_data["reason"])

    def _reason(self, request: HttpRequest) -> forms.Form:
        return self.deletion_form(request.POST or None)


def _way_back(request: HttpRequest, objects: Sequence[Any]) -> str:
    """Return the address of the page on which the action was chosen."""
    if is_from_object(request) and objects:
        return object_url(objects[0])
    return request.get_full_path()


def _count_gone(request: HttpRequest, objects: Sequence[Any]) -> int:
    """Return how many of the chosen objects were deleted, or left the list, meanwhile."""
    chosen = set(request.POST.getlist(helpers.ACTION_CHECKBOX_NAME))
    return len(chosen - {str(obj.pk) for obj in objects})
