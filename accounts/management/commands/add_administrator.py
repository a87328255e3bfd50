"""Make a platform administrator, the first one above all, with a second factor."""

from typing import Any

import qrcode
from allauth.mfa.adapter import get_adapter
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.services.administration import AdministrationRefused, add_administrator
from web.email_addresses import InvalidAddress


class Command(BaseCommand):
    """Make an administrator; the password is chosen through the mail that goes to the address.

    Prints the second factor once, as an address and as a QR code for an authenticator app. An
    address that is none, or is taken, ends in one sentence and makes nobody.
    """

    help = "Make a platform administrator with a second factor."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the address."""
        parser.add_argument("address", help="the administrator's e-mail address")

    def handle(self, *, address: str, **_options: Any) -> None:
        """Make the administrator and print what is needed to log in."""
        try:
            user, secret = add_administrator(address=address, now=timezone.now())
        except InvalidAddress as error:
            raise CommandError(f"“{address}” is not an e-mail address.") from error
        except AdministrationRefused as error:
            raise CommandError(f"There is a user with the address {address} already.") from error
        uri = get_adapter().build_totp_url(user, secret)
        self.stdout.write(f"Account name: {user.account_name}")
        self.stdout.write("The way to choose a password is being mailed to the address.")
        self.stdout.write("Second factor, shown this once, for an authenticator app:")
        self.stdout.write(uri)
        code = qrcode.QRCode(border=2)
        code.add_data(uri)
        code.print_ascii(out=self.stdout, invert=True)
