"""Load the demo, or repair what has been used of it, and print where everything is."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import timezone

from demo.cast import ADMIN, CUSTOMER_PASSWORD, INVITING, MANAGER, PARTNER, PASSWORDS
from demo.finding import Demo
from demo.staging import DemoBroken, load_demo
from demo.words import account_line, invitation_line


class Command(BaseCommand):
    """Make the demo ready: partners, logins, invitations, an account for every refusal.

    Can be run at any time. Invitations and accounts that have been used are followed by fresh ones
    under the same name; those that have not keep their addresses. Only what is new is mailed. The
    two invitations by e-mail are not bound to their recipient, so anybody may follow them.
    """

    help = (
        "Load the demo or repair it, and print its invitations and accounts. Used ones are"
        " replaced, the others keep their addresses. reseller_email and referral_email are not"
        " bound to their recipient: a new or an existing account may follow them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the one argument."""
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        """Load the demo and print it."""
        try:
            demo = load_demo(now=timezone.now())
        except DemoBroken as broken:
            raise CommandError(
                f"The demo cannot be repaired ({broken}): begin with an empty database."
            ) from broken
        if options["json"]:
            self.stdout.write(json.dumps(as_json(demo), indent=2))
        else:
            self._print(demo)

    def _print(self, demo: Demo) -> None:
        """Say what to open first, then list everything with one line on what it shows."""
        lines = [
            self.style.MIGRATE_HEADING(f"The demo of {settings.PROVIDER_NAME} is ready."),
            "",
            f"  Open first   {_url('demo')}",
            f"  Mails        {_url('demo_mailbox')}",
            "",
            self.style.MIGRATE_LABEL(f"Invitations of {INVITING['name']} ({INVITING['slug']})"),
        ]
        for key, part in demo.invitations.items():
            lines.append(f"  {key:<15}{part.invitation.link}")
            lines.append(f"  {'':<15}{invitation_line(key)}")
        title = f"Accounts, each with its own invitation (password: {CUSTOMER_PASSWORD})"
        lines += ["", self.style.MIGRATE_LABEL(title)]
        for name, account in demo.accounts.items():
            lines.append(f"  {name}: {account_line(name)}")
            lines.append(f"      {account.owner.email}   {account.invitation.link}")
        lines += [
            "",
            self.style.MIGRATE_LABEL("Others"),
            f"  Partner   {demo.partner.email}   {PASSWORDS[PARTNER]}   {_url('account_login')}",
            f"  Manager   {demo.manager.email}   {PASSWORDS[MANAGER]}   {_url('account_login')}",
            f"  Admin     {demo.admin.email}   {PASSWORDS[ADMIN]}   {_url('admin:index')}",
            "",
            "Used something up? Run this again: it is replaced, the rest stays.",
        ]
        self.stdout.write("\n".join(lines))


def as_json(demo: Demo) -> dict[str, Any]:
    """Return the demo in the shape of the specification's contract."""
    return {
        "invitations": {key: part.invitation.link for key, part in demo.invitations.items()},
        "accounts": {
            name: {
                "login": account.owner.email,
                "password": CUSTOMER_PASSWORD,
                "invitation": account.invitation.link,
            }
            for name, account in demo.accounts.items()
        },
        "partner": {"login": demo.partner.email, "password": PASSWORDS[PARTNER]},
        "admin": {"login": demo.admin.email, "password": PASSWORDS[ADMIN]},
    }


def _url(name: str) -> str:
    return f"{settings.PUBLIC_BASE_URL}{reverse(name)}"
