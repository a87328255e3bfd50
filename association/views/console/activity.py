"""The console's activity, for administrators: who did what, when, and to what."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from association.activity_words import words_of
from association.forms.activity import ActivityForm
from association.services.activity import (
    CUSTOMER,
    NEWEST_FIRST,
    Subject,
    find_activity,
    subjects_of,
)
from association.views.console.bulk_customers import SUBJECT as CUSTOMERS
from audit.models import AuditEvent
from partners.enums import BulkKind
from partners.models import BulkAction, PartnerMember
from partners.views.bulk_invitations import SUBJECT as INVITATIONS
from partners.views.gate import for_administrators, show
from partners.views.lists import filters_of, listing
from partners.views.refusing import actor_name

# The page of each kind of object, and whether its address has the object's key.
PAGES = {
    CUSTOMER: ("console_customer", True),
    "association.attempt": ("console_attempt", True),
    "integration.apikey": ("console_keys", False),
    "integration.webhookendpoint": ("console_webhook", True),
    "partners.invitation": ("console_invitation", True),
    "partners.invitationbatch": ("console_batch", True),
    "partners.invitationrequest": ("console_invitation_requests", False),
    "partners.memberinvitation": ("console_members", False),
    "partners.partner": ("console_settings", False),
    "partners.partnermember": ("console_edit_member", True),
}

BULK_SUBJECTS = (INVITATIONS, CUSTOMERS)


@require_safe
@for_administrators
def activity(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    members = list(member.partner.members.select_related("user").order_by("user__email"))
    form = ActivityForm(request.GET, members=members)
    found = find_activity(member, filters_of(form))
    shown = listing(request, form, found, order=NEWEST_FIRST)
    subjects = subjects_of(shown.page.rows, member.partner)
    context = {
        "form": form,
        "listing": shown,
        "rows": [_row_of(event, subjects) for event in shown.page.rows],
        "about": form.cleaned_data.get("about"),
    }
    status = 400 if form.errors else 200
    template = "association/console/activity.html"
    return show(request, member, template, context, section="activity", status=status)


def _row_of(event: AuditEvent, subjects: dict[tuple[str, str], Subject]) -> dict[str, Any]:
    subject = subjects.get((event.object_label, event.object_id))
    if subject and subject.bulk_action:
        name, url = _named_bulk_action(subject.bulk_action)
    else:
        name, url = (subject.name, _page_of(subject)) if subject else ("", "")
    return {
        "occurred_at": event.occurred_at,
        "words": words_of(event.action),
        "who": actor_name(event.actor),
        "name": name,
        "url": url,
        "about": f"{subject.label}:{subject.key}" if subject else "",
    }


def _page_of(subject: Subject) -> str:
    if subject.is_gone:
        return ""
    name, has_key = PAGES[subject.label]
    return reverse(name, args=[subject.key] if has_key else [])


def _named_bulk_action(action: BulkAction) -> tuple[str, str]:
    """Return what was done, to how many, and the page of what became of each."""
    kind = BulkKind(action.kind)
    subject = next(one for one in BULK_SUBJECTS if kind in one.performers)
    url = reverse(subject.action_page, args=[action.pk])
    return subject.titles[kind] % {"number": action.size}, url
