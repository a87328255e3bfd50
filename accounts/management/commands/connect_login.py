"""Connect a user's log-in at an issuer: the way in where PASSWORD_LOGIN is off."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.issuers import issuer_with_id
from accounts.refusals import refusal_sentence
from accounts.services.connected_logins import Identity, connect_for_operator
from accounts.services.log_in import find_owner
from web.refused import Refused


class Command(BaseCommand):
    """Lets an identity of an issuer log a user in, an administrator for example.

    The operator who runs it answers for both being one person, and for the user's address.
    """

    help = "Let an identity of an issuer log a user in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("login", help="account name or e-mail address")
        parser.add_argument("issuer", help="id of the issuer in OIDC_PROVIDERS")
        parser.add_argument("subject", help="the user's “sub” at the issuer")

    def handle(self, *, login: str, issuer: str, subject: str, **_options: Any) -> None:
        found = issuer_with_id(issuer)
        if found is None:
            raise CommandError(f"OIDC_PROVIDERS has no issuer with the id {issuer}.")
        user = find_owner(login)
        if user is None:
            raise CommandError(f"No user has the account name or address {login}.")
        identity = Identity(issuer=found.issuer, subject=subject)
        try:
            connect_for_operator(user=user, identity=identity, now=timezone.now())
        except Refused as refused:
            raise CommandError(str(refusal_sentence(refused))) from refused
        self.stdout.write(f"{user.account_name} logs in with {found.name} from now on.")
