"""Load the demo, or repair what was used, and print where everything is."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import timezone

from demo.examples import ADMIN, CUSTOMER_PASSWORD, INVITING, MANAGER, PARTNER
from demo.loader import DemoBroken, load_demo
from demo.state import Demo


class Command(BaseCommand):
    """Load or repair the demo: partners, logins, invitations, an account for every refusal.

    Can be run at any time. Used invitations and accounts get fresh successors with the same name;
    the others keep their URLs. Only what is new is mailed. The two invitations by e-mail are not
    bound to their recipient, so that everyone can follow them.
    """

    help = (
        "Load the demo or repair it, and print its invitations and accounts. Used ones are"
        " replaced, the others keep their URLs. reseller_email and referral_email are not"
        " bound to their recipient: a new or an existing account may follow them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        try:
            demo = load_demo(now=timezone.now())
        except DemoBroken as broken:
            raise CommandError(
                f"The demo cannot be repaired ({broken}): begin with an empty database."
            ) from broken
        if options["json"]:
            self.stdout.write(json.dumps(as_json(demo), indent=2))
        else:
            self.stdout.write("\n".join(self._lines(demo)))

    def _lines(self, demo: Demo) -> list[str]:
        lines = [
            self.style.MIGRATE_HEADING(f"The demo of {settings.PROVIDER_NAME} is ready."),
            "",
            f"  Open first   {_url('demo')}",
            f"  Mails        {_url('demo_mailbox')}",
            "",
            self.style.MIGRATE_LABEL(f"Invitations of {INVITING['name']} ({INVITING['slug']})"),
        ]
        for name, offer in demo.invitations.items():
            lines.append(f"  {name:<15}{offer.invitation.link}")
            lines.append(f"  {'':<15}{offer.example.line}")
        title = f"Accounts, each with its own invitation (password: {CUSTOMER_PASSWORD})"
        lines += ["", self.style.MIGRATE_LABEL(title)]
        for name, offer in demo.accounts.items():
            lines.append(f"  {name}: {offer.example.line}")
            lines.append(f"      {offer.login}   {offer.invitation.link}")
        lines += ["", self.style.MIGRATE_LABEL("Others")]
        pages = {PARTNER: "account_login", MANAGER: "account_login", ADMIN: "admin:index"}
        for name, page in pages.items():
            login, password = demo.logins[name].values()
            lines.append(f"  {name.title():<7}   {login}   {password}   {_url(page)}")
        return [*lines, "", "Used something up? Run this again: it is replaced, the rest stays."]


def as_json(demo: Demo) -> dict[str, Any]:
    """Return the demo as the specification's contract describes it."""
    return {
        "invitations": {name: offer.invitation.link for name, offer in demo.invitations.items()},
        "accounts": {
            name: {
                "login": offer.login,
                "password": CUSTOMER_PASSWORD,
                "invitation": offer.invitation.link,
            }
            for name, offer in demo.accounts.items()
        },
        PARTNER: demo.logins[PARTNER],
        ADMIN: demo.logins[ADMIN],
    }


def _url(name: str) -> str:
    return f"{settings.PUBLIC_BASE_URL}{reverse(name)}"
