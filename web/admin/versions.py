"""Admin pages that take nothing back: a page shows a version, and a POST is compared with it."""

import types
from collections.abc import Callable, Collection
from functools import partial
from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from web.form_keys import answer_once, earlier_answer
from web.moments import moment_text
from web.shown_versions import ChangedMeanwhile, ShownVersion
from web.transactions import whole_transaction
from web.versioned_forms import (
    SHOWN_VERSION,
    LastChange,
    VersionedForm,
    plain,
    shown_text,
)

LastChanges = Callable[[Collection[str]], dict[str, LastChange]]


class VersionedModelForm(VersionedForm):
    """Mixed into the form of a page; its row is locked, so `initial` is what the row is now."""

    instance: models.Model
    last_changes: LastChanges
    is_conflict = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, shows={}, **options)
        names = [name for name in self.fields if name != SHOWN_VERSION]
        initial = {name: self.get_initial_for_field(self.fields[name], name) for name in names}
        self.show({name: plain(value) for name, value in initial.items()})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        version = cleaned.get(SHOWN_VERSION)
        if version is None:
            return cleaned
        changed, closed = self.changed_since(version), self._closed_since(version)
        # To type what has been decided meanwhile takes nothing back.
        if closed or (changed and self.has_changed()):
            self.is_conflict = True
            self.report_conflict(changed, self.last_changes(changed))
            if changed:
                names = ", ".join(f"“{self[name].label}”" for name in changed)
                self.add_error(None, gettext("Changed: %(names)s.") % {"names": names})
            for name, label in closed.items():
                text = gettext("“%(name)s” cannot be changed any more. You typed: %(typed)s")
                typed = typed_text(self.instance, name, self.data)
                self.add_error(None, text % {"name": label, "typed": typed})
        return cleaned

    def _closed_since(self, version: ShownVersion) -> dict[str, Any]:
        """Return the labels of the fields that the page offered, and that are read-only now."""
        fields = [*self.instance._meta.fields, *self.instance._meta.many_to_many]
        names = version.digests.keys() - self.shows.keys()
        return {field.name: field.verbose_name for field in fields if field.name in names}

    def changed_since(self, version: ShownVersion | None) -> list[str]:
        return (version or ShownVersion({})).changed(ShownVersion.of(self.shows))


class ClosedMeanwhile(Exception):
    """The page offered to change an object that is closed or deleted; `context` says why."""

    def __init__(self, **context: Any) -> None:
        super().__init__()
        self.context = context


class _NotAdded(Exception):
    """The form of a new object is rejected with this page; its key stays unused."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__()
        self.answer = answer


class VersionedModelAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A POST locks its row first, and writes only the fields that its form changed.

    Where one of the form's fields is no longer as the page showed it, the answer is a 409 that says
    what changed, and by whom. That is so for deleting a row, too, and where the row may not be
    changed any more: see `closed_by()`.
    """

    # False where the page's service locks the row FOR UPDATE: a lock is not made stronger later.
    locks_no_key = True

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request)
        if not changes_one(request):
            return rows
        return rows.select_for_update(of=("self",), no_key=self.locks_no_key)

    def closed_by(self, request: HttpRequest, obj: Any) -> Collection[str]:
        """Return the fields by whose present values this user may not change or delete the object.

        A permission that depends on the object is expressed here only, so that a page that was
        opened before gets a 409 with all that was typed, and not a 403. `partner__status` is the
        field of a related object.
        """
        return ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and not (obj is not None and self.closed_by(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and not (obj is not None and self.closed_by(request, obj))

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        obj = super().get_object(request, object_id, from_field)
        if changes_one(request):
            self._check_open(request, obj, object_id)
        return obj

    def _check_open(self, request: HttpRequest, obj: Any, object_id: str) -> None:
        """Raise ClosedMeanwhile if the page offered fields of an object that is closed or deleted.

        To delete what is deleted takes nothing back, and nothing was typed.
        """
        version = ShownVersion.parse(request.POST.get(SHOWN_VERSION, ""))
        if not (version and version.digests and self.has_change_permission(request)):
            return
        if obj is not None:
            sentences = [self._closing_sentence(obj, n) for n in self.closed_by(request, obj)]
        else:
            sentences = [] if is_deletion(request) else [self._deletion_sentence(object_id)]
        if not sentences:
            return
        offered = {
            field.verbose_name: typed_text(self.model, field.name, request.POST)
            for field in (*self.opts.fields, *self.opts.many_to_many)
            if field.name in version.digests
        }
        typed = [(label, text) for label, text in offered.items() if text]
        raise ClosedMeanwhile(object=obj, sentences=sentences, typed=typed)

    def _deletion_sentence(self, object_id: str) -> str:
        change = self.deletion_of(object_id)
        if change is None:
            return gettext("It has been deleted.")
        text = gettext("%(who)s deleted it on %(moment)s.")
        return text % {"who": change.by, "moment": moment_text(change.at)}

    def deletion_of(self, object_id: str) -> LastChange | None:
        """Return who deleted the object that had this key, as far as that is known."""
        return None

    def _closing_sentence(self, obj: Any, name: str) -> str:
        """Say what the field that closes the object is now, and who changed it."""
        *relations, name = name.split("__")
        for relation in relations:
            obj = getattr(obj, relation)
        field, change = obj._meta.get_field(name), self.last_changes(obj, [name]).get(name)
        values = {
            "name": f"{obj}: {field.verbose_name}" if relations else field.verbose_name,
            "now": shown_text(field.formfield(), getattr(obj, name)),
        }
        if change is None:
            return gettext("“%(name)s” is %(now)s now.") % values
        text = gettext("“%(name)s” is %(now)s now. %(who)s changed it on %(moment)s.")
        return text % {**values, "who": change.by, "moment": moment_text(change.at)}

    def _closed_page(self, request: HttpRequest, closed: ClosedMeanwhile) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **closed.context,
            "title": gettext("This cannot be changed any more"),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/closed_meanwhile.html", context, status=409)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **options: Any
    ) -> HttpResponse:
        if object_id is None and request.method == "POST":
            return self._add_once(request, *args, **options)
        try:
            return self._changeform_transaction(request, object_id, *args, **options)
        except ClosedMeanwhile as closed:
            return self._closed_page(request, closed)

    def _add_once(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        """Add one object per form key; a repeated POST is led to where the first one led."""
        answers: list[HttpResponse] = []

        def add() -> str:
            answer = self._changeform_transaction(request, None, *args, **options)
            if answer.status_code >= HTTPStatus.BAD_REQUEST:
                raise _NotAdded(answer)
            answers.append(answer)
            return answer.get("Location") or reverse(
                f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
            )

        try:
            led = answer_once(request, add)
        except _NotAdded as rejected:
            return earlier_answer(request) or rejected.answer
        if answers:
            return answers[-1]
        self.note_repeat(request)
        return led

    def note_repeat(self, request: HttpRequest) -> None:
        """Tell what the first answer showed that this one cannot show again."""

    # Django makes one transaction of it, and of delete_view().
    _changeform_transaction = whole_transaction(admin.ModelAdmin.changeform_view)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        if change:
            bases = (VersionedModelForm, self.form)
            form: Any = types.new_class(f"Versioned{self.form.__name__}", bases)
            form.last_changes = staticmethod(partial(self.last_changes, obj))
            options["form"] = form
        return super().get_form(request, obj, change, **options)

    def last_changes(self, obj: Any, names: Collection[str]) -> dict[str, LastChange]:
        """Return who changed these fields of the object last, as far as that is known."""
        return {}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        form = context["adminform"].form
        if getattr(form, "is_conflict", False):
            # Nothing has to be corrected; our template says what has changed.
            context["errors"] = []
        response = super().render_change_form(request, context, *args, **options)
        if form.errors:
            response.status_code = 409 if getattr(form, "is_conflict", False) else 400
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write only what the form changed, and moments that Django sets by itself."""
        if not change:
            super().save_model(request, obj, form, change)
        elif form.changed_data:
            fields = obj._meta.concrete_fields
            automatic = {field.name for field in fields if getattr(field, "auto_now", False)}
            changed = {*form.changed_data, *automatic}
            obj.save(update_fields=[field.name for field in fields if field.name in changed])

    @whole_transaction
    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except ClosedMeanwhile as closed:
            return self._closed_page(request, closed)
        except ChangedMeanwhile as refused:
            request.POST = type(request.POST)()
            context = {"changes": refused.context["sentences"], **(extra_context or {})}
            response = super().delete_view(request, object_id, context)
            response.status_code = 409
            return response

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        form = self.get_form(request, context["object"], change=True)(instance=context["object"])
        return super().render_delete_form(request, {**context, "form": form})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.check_shown(request, obj)
        super().delete_model(request, obj)

    def check_shown(self, request: HttpRequest, obj: Any) -> None:
        """Raise ChangedMeanwhile unless the page that deletes the locked row showed it as it is."""
        form = self.get_form(request, obj, change=True)(instance=obj)
        version = ShownVersion.parse(request.POST.get(SHOWN_VERSION, ""))
        changed = form.changed_since(version)
        if changed:
            sentences = form.sentences(changed, self.last_changes(obj, changed))
            raise ChangedMeanwhile(changed, form.shows, sentences=sentences)


def changes_one(request: HttpRequest) -> bool:
    """Whether the request changes or deletes the one row that its address names."""
    name = (request.resolver_match and request.resolver_match.url_name) or ""
    return request.method == "POST" and name.endswith(("_change", "_delete"))


def is_deletion(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and (match.url_name or "").endswith("_delete")


def typed_text(obj: models.Model | type[models.Model], name: str, data: Any) -> str:
    """Return what was typed into a field of the object's page, in words where it was chosen."""
    inputs = [name, f"{name}_0", f"{name}_1"]
    typed = [value for key in inputs for value in data.getlist(key) if value]
    words = {str(value): str(label) for value, label in _choices(obj, name)}
    return ", ".join(words.get(value, value) for value in typed)


def _choices(obj: models.Model | type[models.Model], name: str) -> Any:
    return getattr(obj._meta.get_field(name), "flatchoices", ())
