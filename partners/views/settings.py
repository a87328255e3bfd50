"""The console's settings, for administrators: one page with a form for each section."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from partners.forms.settings import (
    SECTIONS,
    ContactForm,
    DefaultBudgetForm,
    FilesForm,
    LogoForm,
    SettingsForm,
    ZoneForm,
)
from partners.models import PartnerMember
from partners.services.logos import LARGEST_FILE, set_logo
from partners.services.settings import edit_settings
from partners.views.gate import for_administrators, show
from partners.views.refusing import answer_form
from web.answers import posts_only
from web.body_limits import accept_file

SECTION, PAGE, TEMPLATE = "settings", "console_settings", "partners/settings.html"
# Before the gate: other methods are refused to everyone alike.
_READ_AND_POST = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@for_administrators
def settings_page(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    return show(request, member, TEMPLATE, _context(member), section=SECTION)


@accept_file(largest=LARGEST_FILE)
@_READ_AND_POST
@for_administrators
@posts_only(PAGE)
def logo(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    form = LogoForm(request.POST, request.FILES, partner=member.partner)

    def write() -> None:
        set_logo(
            partner=member.partner,
            logo=form.cleaned_data["logo"] or None,
            by=member.user,
            now=timezone.now(),
            shown_version=form.cleaned_data["shown_version"],
        )

    return _answer(request, member, form, write)


def _section(form_class: type[SettingsForm]) -> Callable[..., HttpResponseBase]:
    """Return the view that saves the fields of this form."""

    @_READ_AND_POST
    @for_administrators
    @posts_only(PAGE)
    def save(request: HttpRequest, member: PartnerMember) -> HttpResponse:
        form = form_class(request.POST, partner=member.partner)

        def write() -> None:
            edit_settings(
                partner=member.partner,
                changes=form.changes(),
                by=member.user,
                now=timezone.now(),
                shown_version=form.cleaned_data["shown_version"],
            )

        return _answer(request, member, form, write)

    return save


contact = _section(ContactForm)
zone = _section(ZoneForm)
files = _section(FilesForm)
default_budget = _section(DefaultBudgetForm)


def _answer(
    request: HttpRequest, member: PartnerMember, form: SettingsForm, write: Callable[[], None]
) -> HttpResponse:
    def act() -> str:
        write()
        messages.success(request, _("Saved: %(section)s.") % {"section": form.heading})
        return f"{reverse(PAGE)}#{form.section}"

    return answer_form(
        request,
        member,
        form,
        act,
        TEMPLATE,
        partial(_context, member, form),
        section=SECTION,
        field_of=lambda code: "name",
    )


def _context(member: PartnerMember, sent: SettingsForm | None = None) -> dict[str, Any]:
    """Return the forms of all sections; the one that was sent stays as it was sent."""
    partner = member.partner
    if sent is not None:
        # The page shows what is stored beside what was sent.
        partner.refresh_from_db()
    forms = [
        sent if sent is not None and isinstance(sent, form) else form(partner=partner)
        for form in SECTIONS
    ]
    return {"sections": [(form, reverse(form.url_name)) for form in forms]}
