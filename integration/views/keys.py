"""The console's API keys, for administrators: the list, a new key, and revoking one."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from integration.enums import Scope
from integration.forms import NewKeyForm
from integration.models import ApiKey
from integration.refusals import sentence_for
from integration.services.keys import create_key, revoke_key
from partners.models import PartnerMember
from partners.views.gate import for_administrators, show
from partners.views.refusing import answer_form
from web.answers import posted, see_other
from web.form_keys import answer_once

SECTION, LIST = "settings", "console_keys"
_READ_AND_POST = require_http_methods(["GET", "HEAD", "POST"])
_DAY = timedelta(days=1)
# Of those that have ended, the newest are shown; a partner has twenty live ones at most.
_MOST_ENDED = 200


@require_safe
@for_administrators
def keys(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    rows = member.partner.api_keys.select_related("created_by")
    rows = rows.order_by("-created_at", "-pk")
    now, labels = timezone.now(), dict(Scope.choices)
    context = {
        "keys": [
            (row, row.is_live(now), [labels[scope] for scope in row.scopes])
            for row in [*rows.live(now), *rows.ended(now)[:_MOST_ENDED]]
        ],
        "back_url": reverse("console_settings"),
        "back_label": _("Settings"),
    }
    return show(request, member, "integration/keys.html", context, section=SECTION)


@_READ_AND_POST
@for_administrators
def new_key(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """Make a key, and show its secret in the answer to this POST only."""
    form = NewKeyForm(posted(request))
    made: list[tuple[ApiKey, str]] = []

    def act() -> str:
        now = timezone.now()
        terms = form.cleaned_data
        made.append(
            create_key(
                partner=member.partner,
                name=terms["name"],
                scopes=terms["scopes"],
                expires_at=now + terms["days"] * _DAY,
                by=member.user,
                now=now,
            )
        )
        return f"{reverse(LIST)}#{made[-1][0].pk}"

    answer = answer_form(
        request,
        member,
        form,
        act,
        "integration/key_new.html",
        {"back_url": reverse(LIST), "back_label": _("API keys")},
        section=SECTION,
        sentence_for=sentence_for,
    )
    if not made:
        return answer
    api_key, secret = made[-1]
    context = {"api_key": api_key, "secret": secret}
    return show(request, member, "integration/key_made.html", context, section=SECTION)


@_READ_AND_POST
@for_administrators
def revoke(request: HttpRequest, member: PartnerMember, key_id: int) -> HttpResponse:
    api_key = get_object_or_404(member.partner.api_keys, pk=key_id)

    def act() -> str:
        revoke_key(api_key=api_key, by=member.user, now=timezone.now())
        messages.success(request, _("“%(name)s” is revoked.") % {"name": api_key.name})
        return reverse(LIST)

    if request.method == "POST":
        return answer_once(request, act)
    if not api_key.is_live(timezone.now()):
        return see_other(LIST)
    context = {"api_key": api_key}
    return show(request, member, "integration/key_revoke.html", context, section=SECTION)
