"""What of the story belongs to a partner, account, invitation, attempt or association."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin import hubs as account_hubs
from accounts.models import CustomerAccount
from association.admin.attempts import attempt_state
from association.models import Association, Attempt, Budget, EndRequest
from association.refusals import SENTENCES
from outbox.admin.hubs import messages_about, messages_to
from partners.admin import hubs as partner_hubs
from partners.admin.bulk_actions import REASONS
from partners.models import Invitation, Partner
from web.admin.hubs import Section, adds_sections, first_rows
from web.moments import moment_text

# Their sections stand above the ones of this module, which therefore imports them.
BEFORE = (account_hubs, partner_hubs)
# Actions on many rows can be about customers.
REASONS.update({code.value: sentence for code, sentence in SENTENCES.items()})


@adds_sections(Partner)
def partner_sections(request: HttpRequest, partner: Partner) -> Iterable[Section | None]:
    of = {"partner": partner.pk}
    yield _associations(
        request,
        partner.associations.in_force().order_by("-associated_at", "-pk"),
        title=_("Customers"),
        line=_customer_line,
        filters={**of, "state": "in_force"},
    )
    yield first_rows(
        request,
        rows=EndRequest.objects.open()
        .filter(association__partner=partner)
        .select_related("association")
        .order_by("asked_at", "pk"),
        line=lambda row: (row.association.shown_name, moment_text(row.asked_at)),
        title=_("Open requests to end"),
        filters={"association__partner": partner.pk, "state": "open"},
        shows_empty=False,
    )
    yield _attempts(
        request, Attempt.objects.filter(partner=partner).order_by("-started_at", "-pk"), filters=of
    )


@adds_sections(CustomerAccount)
def account_sections(request: HttpRequest, account: CustomerAccount) -> Iterable[Section | None]:
    of = {"account": account.pk}
    rows = account.associations.order_by("-associated_at", "-pk")
    yield _associations(request, rows, filters=of)
    yield first_rows(
        request,
        rows=Budget.objects.filter(association__account=account)
        .select_related("association")
        .order_by("-set_at", "-pk"),
        line=_budget_line,
        filters={"association__account": account.pk},
        shows_empty=False,
    )
    yield messages_to(request, account.owner.email)
    yield _attempts(request, account.attempts.order_by("-started_at", "-pk"), filters=of)
    yield first_rows(
        request,
        rows=account.consents.select_related("document").order_by("-agreed_at", "-pk"),
        line=lambda row: (row.document, moment_text(row.agreed_at)),
        filters=of,
        shows_empty=False,
    )


@adds_sections(Invitation)
def invitation_sections(request: HttpRequest, invitation: Invitation) -> Iterable[Section | None]:
    of = {"invitation": invitation.pk}
    rows = invitation.associations.order_by("-associated_at", "-pk")
    yield _associations(request, rows, title=_("Who joined by it"), filters=of)
    yield _attempts(request, invitation.attempts.order_by("-started_at", "-pk"), filters=of)


@adds_sections(Attempt)
def attempt_sections(request: HttpRequest, attempt: Attempt) -> Iterable[Section | None]:
    of = {"attempt": attempt.pk}
    rows = Association.objects.filter(attempt=attempt)
    yield _associations(request, rows, title=_("What came of it"), filters=of)
    yield first_rows(
        request,
        rows=attempt.consents.select_related("document").order_by("-agreed_at", "-pk"),
        line=lambda row: (row.document, moment_text(row.agreed_at)),
        filters=of,
        shows_empty=False,
    )
    yield messages_about(request, attempt)


@adds_sections(Association)
def association_sections(
    request: HttpRequest, association: Association
) -> Iterable[Section | None]:
    of = {"association": association.pk}
    yield first_rows(
        request,
        rows=association.budgets.select_related("association").order_by("-set_at", "-pk"),
        line=_budget_line,
        filters=of,
    )
    yield first_rows(
        request,
        rows=association.authorizations.order_by("-pk"),
        line=lambda row: (row.state, moment_text(row.requested_at or row.granted_at)),
        filters=of,
    )
    yield first_rows(
        request,
        rows=association.account.freezes.select_related("frozen_by").order_by("-frozen_at", "-pk"),
        line=account_hubs.freeze_line,
        title=_("Freezes of the account"),
        filters={"account": association.account_id},
    )
    yield first_rows(
        request,
        rows=association.end_requests.order_by("-asked_at", "-pk"),
        line=lambda row: (
            moment_text(row.asked_at),
            row.get_asking_side_display(),
            row.get_answer_display() or _("open"),
        ),
        filters=of,
        shows_empty=False,
    )
    yield messages_about(request, association)
    yield messages_to(
        request, association.account.owner.email, title=_("All e-mails to the customer")
    )


def _associations(
    request: HttpRequest, rows: QuerySet[Association], **options: Any
) -> Section | None:
    rows = rows.select_related("partner")
    return first_rows(request, rows=rows, **{"line": _association_line, **options})


def _budget_line(row: Budget) -> tuple[Any, ...]:
    return row.amount, row.get_period_display(), moment_text(row.set_at), row.state


def _customer_line(row: Association) -> tuple[Any, ...]:
    ended = row.ended_at
    return (
        row.shown_name,
        row.get_association_type_display(),
        moment_text(row.associated_at),
        gettext("ended %(moment)s") % {"moment": moment_text(ended)} if ended else "",
    )


def _association_line(row: Association) -> tuple[Any, ...]:
    name, *details = _customer_line(row)
    return name, row.partner, *details


def _attempts(request: HttpRequest, rows: QuerySet[Attempt], **options: Any) -> Section | None:
    rows = rows.select_related("account__owner", "invitation", "association")
    return first_rows(request, rows=rows, line=_attempt_line, **options)


def _attempt_line(row: Attempt) -> tuple[Any, ...]:
    return (
        moment_text(row.started_at),
        row.account or "",
        row.invitation,
        attempt_state(row),
    )
