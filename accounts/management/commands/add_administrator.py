"""Make a platform administrator with a second factor."""

from io import StringIO
from typing import Any

import qrcode
from allauth.mfa.adapter import get_adapter
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.services.administration import add_administrator
from web.email_addresses import InvalidAddress
from web.refused import Refused


class Command(BaseCommand):
    """Makes an administrator, and prints the second factor once, as a URI and as a QR code."""

    help = "Make a platform administrator with a second factor."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the administrator's e-mail address")

    def handle(self, *, email: str, **_options: Any) -> None:
        try:
            user, secret = add_administrator(email=email, now=timezone.now())
        except InvalidAddress as error:
            raise CommandError(f"“{email}” is not an e-mail address.") from error
        except Refused as error:
            raise CommandError(f"There is a user with the address {email} already.") from error
        uri = get_adapter().build_totp_url(user, secret)
        self.stdout.write(f"Account name: {user.account_name}")
        if settings.PASSWORD_LOGIN:
            self.stdout.write("An e-mail with the way to choose a password goes to the address.")
        else:
            self.stdout.write("Now connect a log-in at an issuer: manage.py connect_login.")
        self.stdout.write("Second factor, shown this once, for an authenticator app:")
        self.stdout.write(uri)
        code = qrcode.QRCode(border=2)
        code.add_data(uri)
        # print_ascii() writes square by square, and the command's output ends a line after each.
        picture = StringIO()
        code.print_ascii(out=picture, invert=True)
        self.stdout.write(picture.getvalue())
