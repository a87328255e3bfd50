"""The console's webhook endpoints, for administrators: the list, one with its log, its actions."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from integration.forms import EditEndpointForm, EndpointForm
from integration.models import WebhookEndpoint
from integration.refusals import sentence_for
from integration.services import endpoints as services
from partners.models import PartnerMember
from partners.services.pages import Order, page_of
from partners.views.gate import for_administrators, show
from partners.views.refusing import answer_action, answer_form
from web.answers import posted, posts_only

SECTION, LIST, PAGE = "settings", "console_webhooks", "console_webhook"
_READ_AND_POST = require_http_methods(["GET", "HEAD", "POST"])
_ORDER = Order("created_at")


@require_safe
@for_administrators
def endpoints(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    rows = member.partner.endpoints.order_by("created_at", "pk")
    context = {
        "endpoints": rows,
        "back_url": reverse("console_settings"),
        "back_label": _("Settings"),
    }
    return show(request, member, "integration/webhooks.html", context, section=SECTION)


@require_safe
@for_administrators
def endpoint(request: HttpRequest, member: PartnerMember, endpoint_id: int) -> HttpResponse:
    row = _endpoint(member, endpoint_id)
    rotates = row.former_secret_ends_at is not None and timezone.now() < row.former_secret_ends_at
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    page = page_of(row.deliveries.all(), order=_ORDER, after=after, before=before)
    context = {"endpoint": row, "is_rotating": rotates, "page": page, **_back_to_list()}
    return show(request, member, "integration/webhook.html", context, section=SECTION)


@_READ_AND_POST
@for_administrators
def new_endpoint(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """Make an endpoint, and show its secret in the answer to this POST only."""
    form = EndpointForm(posted(request))
    # The last one counts: after a deadlock `act` runs again.
    made: list[tuple[WebhookEndpoint, str]] = []

    def act() -> str:
        made.append(
            services.create_endpoint(
                partner=member.partner, by=member.user, now=timezone.now(), **form.cleaned_data
            )
        )
        return reverse(PAGE, args=[made[-1][0].pk])

    answer = answer_form(
        request,
        member,
        form,
        act,
        "integration/webhook_new.html",
        _back_to_list(),
        section=SECTION,
        sentence_for=sentence_for,
    )
    return _show_secret(request, member, *made[-1]) if made else answer


@_READ_AND_POST
@for_administrators
def edit(request: HttpRequest, member: PartnerMember, endpoint_id: int) -> HttpResponse:
    row = _endpoint(member, endpoint_id)
    form = EditEndpointForm(posted(request), endpoint=row)

    def act() -> str:
        services.change_endpoint(
            endpoint=row,
            changes=form.changes(),
            by=member.user,
            now=timezone.now(),
            shown_version=form.cleaned_data["shown_version"],
        )
        messages.success(request, _("Saved."))
        return _page(row)

    return answer_form(
        request,
        member,
        form,
        act,
        "integration/webhook_edit.html",
        _of_one(row),
        section=SECTION,
        sentence_for=sentence_for,
    )


@_READ_AND_POST
@for_administrators
def rotate(request: HttpRequest, member: PartnerMember, endpoint_id: int) -> HttpResponse:
    """Make a new secret, and show it in the answer to this POST only."""
    row = _endpoint(member, endpoint_id)
    secrets: list[str] = []

    def act() -> str:
        secrets.append(services.rotate_secret(endpoint=row, by=member.user, now=timezone.now()))
        return _page(row)

    if request.method != "POST":
        context = _of_one(row)
        return show(request, member, "integration/webhook_rotate.html", context, section=SECTION)
    answer = _answer(request, member, act)
    return _show_secret(request, member, row, secrets[-1]) if secrets else answer


@_READ_AND_POST
@for_administrators
def delete(request: HttpRequest, member: PartnerMember, endpoint_id: int) -> HttpResponse:
    def act() -> str:
        row = _endpoint(member, endpoint_id)
        services.delete_endpoint(endpoint=row, by=member.user, now=timezone.now())
        messages.success(request, _("“%(name)s” is deleted.") % {"name": row.name})
        return reverse(LIST)

    if request.method == "POST":
        return _answer(request, member, act)
    context = _of_one(_endpoint(member, endpoint_id))
    return show(request, member, "integration/webhook_delete.html", context, section=SECTION)


@posts_only(PAGE, "endpoint_id")
@for_administrators
def on(request: HttpRequest, member: PartnerMember, endpoint_id: int) -> HttpResponse:
    row = _endpoint(member, endpoint_id)

    def act() -> str:
        services.turn_on(endpoint=row, by=member.user, now=timezone.now())
        messages.success(request, _("It is on, and gets what it has missed."))
        return _page(row)

    return _answer(request, member, act)


@posts_only(PAGE, "endpoint_id")
@for_administrators
def off(request: HttpRequest, member: PartnerMember, endpoint_id: int) -> HttpResponse:
    row = _endpoint(member, endpoint_id)

    def act() -> str:
        services.turn_off(endpoint=row, by=member.user, now=timezone.now())
        messages.success(request, _("It is off. Turn it on to send what it misses."))
        return _page(row)

    return _answer(request, member, act)


@posts_only(PAGE, "endpoint_id")
@for_administrators
def test(request: HttpRequest, member: PartnerMember, endpoint_id: int) -> HttpResponse:
    row = _endpoint(member, endpoint_id)

    def act() -> str:
        services.send_test(endpoint=row, now=timezone.now())
        messages.success(request, _("A test event is on its way. Load this page again soon."))
        return _page(row)

    return _answer(request, member, act)


@posts_only(LIST)
@for_administrators
def replay(request: HttpRequest, member: PartnerMember, delivery_id: int) -> HttpResponse:
    delivery = get_object_or_404(services.deliveries_of(member.partner), pk=delivery_id)

    def act() -> str:
        services.replay_delivery(delivery=delivery, now=timezone.now())
        messages.success(request, _("The event is sent again. Load this page again soon."))
        return _page(delivery.endpoint)

    return _answer(request, member, act)


def _endpoint(member: PartnerMember, endpoint_id: int) -> WebhookEndpoint:
    return get_object_or_404(member.partner.endpoints, pk=endpoint_id)


def _of_one(row: WebhookEndpoint) -> dict[str, Any]:
    """Return the context of a page that leads back to the endpoint."""
    return {"endpoint": row, "back_url": _page(row), "back_label": row.name}


def _back_to_list() -> dict[str, str]:
    return {"back_url": reverse(LIST), "back_label": _("Webhooks")}


def _page(row: WebhookEndpoint) -> str:
    return reverse(PAGE, args=[row.pk])


def _answer(request: HttpRequest, member: PartnerMember, act: Callable[[], str]) -> HttpResponse:
    back_url = reverse(LIST)
    return answer_action(
        request, member, act, section=SECTION, back_url=back_url, sentence_for=sentence_for
    )


def _show_secret(
    request: HttpRequest, member: PartnerMember, row: WebhookEndpoint, secret: str
) -> HttpResponse:
    context = {"endpoint": row, "secret": secret}
    return show(request, member, "integration/webhook_secret.html", context, section=SECTION)
