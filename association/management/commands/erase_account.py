"""Erase the person behind an account."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from association.refusals import sentence_for
from association.services.erasure import erase_account
from web.refused import Refused


class Command(BaseCommand):
    """Puts a pseudonym in a person's place: log-in ends, the address is free, evidence stays.

    One transaction. Refused, with one sentence, while the account is associated, for a partner's
    member and for an administrator. It cannot be undone.
    """

    help = "Erase the person behind an account; --dry-run says what would change."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("login", help="the account name or the e-mail address")
        parser.add_argument("--dry-run", action="store_true", help="change nothing")

    def handle(self, *, login: str, dry_run: bool, **_options: Any) -> None:
        try:
            erased = erase_account(login=login, by=None, now=timezone.now(), is_dry_run=dry_run)
        except Refused as refused:
            raise CommandError(sentence_for(refused)) from refused
        for what, count in erased.counts.items():
            self.stdout.write(f"{count:>8}  {what}")
        if dry_run:
            self.stdout.write("Nothing was changed: this was a dry run.")
        else:
            self.stdout.write(f"Erased. In the audit trail the account is now {erased.pseudonym}.")
