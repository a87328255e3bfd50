"""The console's settings, for administrators: one page shows them, each section has its own form.

The forms are on pages of their own: saving one loses nothing that was typed into another.
"""

from collections.abc import Callable

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
from web.answers import posted
from web.body_limits import accept_file

SECTION, PAGE = "settings", "console_settings"
TEMPLATE, FORM_TEMPLATE = "partners/settings.html", "partners/settings_section.html"
# Before the gate: other methods are refused to everyone alike.
_READ_AND_POST = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@for_administrators
def settings_page(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    sections = [form(partner=member.partner) for form in SECTIONS]
    return show(request, member, TEMPLATE, {"sections": sections}, section=SECTION)


@accept_file(largest=LARGEST_FILE)
@_READ_AND_POST
@for_administrators
def logo(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    form = LogoForm(posted(request), request.FILES or None, partner=member.partner)

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
    """Return the view with the form of these fields."""

    @_READ_AND_POST
    @for_administrators
    def edit(request: HttpRequest, member: PartnerMember) -> HttpResponse:
        form = form_class(posted(request), partner=member.partner)

        def write() -> None:
            edit_settings(
                partner=member.partner,
                changes=form.changes(),
                by=member.user,
                now=timezone.now(),
                shown_version=form.cleaned_data["shown_version"],
            )

        return _answer(request, member, form, write)

    return edit


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

    def context() -> dict[str, str]:
        if form.is_bound:
            # The page shows what is stored beside what was sent.
            member.partner.refresh_from_db()
        return {"back_url": reverse(PAGE), "back_label": _("Settings")}

    return answer_form(
        request,
        member,
        form,
        act,
        FORM_TEMPLATE,
        context,
        section=SECTION,
        field_of=lambda code: "name",
    )
