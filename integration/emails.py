"""The e-mails about webhook endpoints that fail.

Each function is named after its kind, and raises Stale when its e-mail is no longer useful.
"""

from typing import Any

from django.utils.translation import gettext as _

from integration.enums import DisabledReason
from integration.models import WebhookEndpoint
from outbox.models import OutboxMessage
from outbox.services.rendering import Email, Stale, absolute_url, find_about
from partners.emails import render_for_partner


def endpoint_failing(message: OutboxMessage) -> Email:
    """Tell an administrator that an endpoint has failed for an hour."""
    endpoint = _endpoint_of(message)
    if endpoint.failing_since is None or not endpoint.is_on:
        raise Stale("works again, or is turned off")
    return _write(message, endpoint, _("Webhooks to %(name)s fail"), since=endpoint.failing_since)


def endpoint_disabled(message: OutboxMessage) -> Email:
    """Tell an administrator that nothing is sent to an endpoint any more, and why."""
    endpoint = _endpoint_of(message)
    if endpoint.is_on:
        raise Stale("turned on again")
    return _write(
        message,
        endpoint,
        _("No more webhooks are sent to %(name)s"),
        is_gone=endpoint.disabled_reason == DisabledReason.GONE,
        at=endpoint.disabled_at,
    )


def _endpoint_of(message: OutboxMessage) -> WebhookEndpoint:
    return find_about(message, WebhookEndpoint.objects.select_related("partner"))


def _write(
    message: OutboxMessage, endpoint: WebhookEndpoint, subject: str, **context: Any
) -> Email:
    return render_for_partner(
        message,
        partner=endpoint.partner,
        template=message.kind.replace(".", "/"),
        subject=subject % {"name": endpoint.name},
        context={
            "endpoint": endpoint,
            "endpoint_url": absolute_url("console_webhook", endpoint.pk),
            **context,
        },
    )
