"""What the e-mails about an association share: who speaks to whom, and what is named."""

from functools import partial
from typing import Any

from association.models import Association
from outbox.models import OutboxMessage
from outbox.services.rendering import Email, absolute_url, render_email
from partners.emails import render_as_partner, render_for_partner
from web.email_addresses import mask_address

ASSOCIATIONS = Association.objects.select_related("partner", "account__owner")


def to_customer(
    message: OutboxMessage,
    association: Association,
    subject: str,
    *,
    by_provider: bool = False,
    **context: Any,
) -> Email:
    """Render an e-mail in which the partner speaks, or the provider where the provider acted."""
    render = (
        render_email if by_provider else partial(render_as_partner, partner=association.partner)
    )
    return render(
        message,
        template=message.kind.replace(".", "/"),
        subject=subject % {**context, "partner": association.partner.name},
        context=_about_association(association) | context,
    )


def to_partner(
    message: OutboxMessage, association: Association, subject: str, **context: Any
) -> Email:
    """Render an e-mail of the provider to the partner's members."""
    return render_for_partner(
        message,
        partner=association.partner,
        template=message.kind.replace(".", "/"),
        subject=subject,
        context=_about_association(association)
        | {
            "customer": association.shown_name,
            "masked_address": mask_address(association.account.owner.email),
            "console_url": absolute_url("console_customer", association.pk),
        }
        | context,
    )


def _about_association(association: Association) -> dict[str, Any]:
    return {
        "association": association,
        "partner": association.partner,
        "account_name": association.account.owner.account_name,
        "my_partner_url": absolute_url("my_partner"),
    }
