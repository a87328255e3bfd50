"""The command that loads and prints the demo."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.urls import reverse
from django.utils import timezone

from demo.examples import ADMIN, CUSTOMER_PASSWORD, CUSTOMERS, INVITING, LOGINS, login
from demo.loader import Demo, load_demo


class Command(BaseCommand):
    """Load the demo or repair it, and print its invitations and accounts.

    Used ones are replaced, the others keep their URLs. reseller_email and referral_email are not
    bound to their recipient: a new or an existing account may follow them.
    """

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        demo = load_demo(now=timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps(as_json(demo), indent=2))
        else:
            self._print(demo)

    def _print(self, demo: Demo) -> None:
        write, label = self.stdout.write, self.style.MIGRATE_LABEL
        write(self.style.MIGRATE_HEADING(f"The demo of {settings.PROVIDER_NAME} is ready."))
        write(f"\n  Open first   {_url('demo')}\n  Mails        {_url('demo_mailbox')}\n\n")
        write(label(f"Invitations of {INVITING['name']} ({INVITING['slug']})"))
        for name, offer in demo.invitations.items():
            write(f"  {name:<15}{offer.invitation.link}")
            write(f"  {'':<15}{offer.example.line}")
        write(label(f"\nAccounts, each with its own invitation (password: {CUSTOMER_PASSWORD})"))
        for name, offer in demo.accounts.items():
            write(f"  {name}: {offer.example.line}")
            write(f"      {offer.login}   {offer.invitation.link}")
        write(label("\nCustomers of the partner (the same password)"))
        for name, address in CUSTOMERS.items():
            write(f"  {name.replace('_', ' '):<19}{address}")
        write(label("\nOthers"))
        for name, its_login in LOGINS.items():
            address, password = its_login.values()
            page = _url("admin:index" if name == ADMIN else "account_login")
            write(f"  {name.title():<7}   {address}   {password}   {page}")
        write("\nUsed something up? Run this again: it is replaced, the rest stays.")


def as_json(demo: Demo) -> dict[str, Any]:
    """Return the demo as the specification's contract describes it."""
    return {
        "invitations": {name: offer.invitation.link for name, offer in demo.invitations.items()},
        "accounts": {
            name: {**login(offer.login), "invitation": offer.invitation.link}
            for name, offer in demo.accounts.items()
        },
        **LOGINS,
        "customers": {name: login(address) for name, address in CUSTOMERS.items()},
    }


def _url(name: str) -> str:
    return f"{settings.PUBLIC_BASE_URL}{reverse(name)}"
