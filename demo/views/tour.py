"""The demo's own page: every invitation and account, and what each of them shows."""

from base64 import b64encode
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from demo.cast import ADMIN, CUSTOMER_PASSWORD, INVITING, MANAGER, PARTNER, PASSWORDS
from demo.finding import Demo, find_demo
from demo.words import INVITATION_TITLES, account_line, account_title, invitation_line
from partners.models import Invitation
from partners.services.qr import qr_svg

POSTER = "reseller_link"


@login_not_required
@require_safe
def tour(request: HttpRequest) -> HttpResponse:
    """Show what there is to try out."""
    found = find_demo(timezone.now())
    context = {} if found is None else _context(found)
    return render(request, "demo/tour.html", context)


def _context(found: Demo) -> dict[str, Any]:
    poster = found.invitations[POSTER].invitation
    return {
        "partner_name": INVITING["name"],
        "qr": _picture(poster),
        "poster": poster,
        "invitations": [
            {
                "url": part.invitation.link,
                "title": INVITATION_TITLES[key],
                "line": invitation_line(key),
                "is_spent": part.is_spent,
            }
            for key, part in found.invitations.items()
        ],
        "accounts": [
            {
                "url": part.invitation.link,
                "title": account_title(name),
                "line": account_line(name),
                "login": part.owner.email,
                "is_spent": part.is_spent,
            }
            for name, part in found.accounts.items()
        ],
        "password": CUSTOMER_PASSWORD,
        "partner": {"login": found.partner.email, "password": PASSWORDS[PARTNER]},
        "manager": {"login": found.manager.email, "password": PASSWORDS[MANAGER]},
        "admin": {"login": found.admin.email, "password": PASSWORDS[ADMIN]},
        "is_spent": bool(found.spent),
    }


def _picture(invitation: Invitation) -> str:
    """Return the QR code as an address that needs no further request."""
    return "data:image/svg+xml;base64," + b64encode(qr_svg(invitation=invitation)).decode()
