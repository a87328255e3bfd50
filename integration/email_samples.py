"""An example of each e-mail about webhooks."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from integration.enums import DisabledReason
from integration.models import WebhookEndpoint
from outbox.services.samples import NO_KEY, EmailSample
from partners.email_samples import MEMBER_ADDRESS, sample_partner


def samples(*, now: datetime) -> list[EmailSample]:
    """Return an example of each kind."""
    return [
        EmailSample(
            kind="integration.endpoint_failing",
            reader=_("administrator of a partner"),
            occasion=_("A webhook endpoint has failed for an hour."),
            about=_endpoint(failing_since=now - timedelta(hours=1), failed_tries=5),
            recipient=MEMBER_ADDRESS,
        ),
        EmailSample(
            kind="integration.endpoint_disabled",
            reader=_("administrator of a partner"),
            occasion=_("A webhook endpoint has failed for three days, or has answered 410."),
            about=_endpoint(disabled_at=now, disabled_reason=DisabledReason.FAILING),
            recipient=MEMBER_ADDRESS,
        ),
    ]


def _endpoint(**fields: object) -> WebhookEndpoint:
    return WebhookEndpoint(
        pk=NO_KEY, partner=sample_partner(), url="https://crm.nimbus.example/hooks", **fields
    )
