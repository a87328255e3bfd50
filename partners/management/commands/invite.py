"""Make invitations from the command line, with their QR code if wanted."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from partners.enums import Channel
from partners.forms.invitations import EmailInvitationForm, LinkInvitationForm
from partners.models import Invitation, Partner
from partners.refusals import sentence_for
from partners.services.invitations import create_invitation, create_links
from partners.services.qr import qr_png, qr_svg
from partners.services.quotas import has_emails_left
from web.email_addresses import canonical_address
from web.refused import Refused

MOST_AT_ONCE = 100_000
DRAWERS = {".svg": qr_svg, ".png": qr_png}
OPTIONS = {
    "association_type": "--type",
    "recipient": "--email",
    "max_uses": "--max-uses",
    "expires_at": "--expires",
    "label": "--label",
}


class Command(BaseCommand):
    """Make one invitation, or with --count many links at once; all or none.

    A person who was mailed invitations three times within a day is not mailed again: the invitation
    is made all the same, and standard error says so. Bad arguments end in one sentence on standard
    error and a code other than 0, and make nothing.
    """

    help = "Make an invitation and print its link."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--partner", required=True, metavar="SLUG", help="who invites")
        parser.add_argument("--type", required=True, help="reseller or referral")
        parser.add_argument("--channel", required=True, help="link or email")
        parser.add_argument("--email", default="", help="the recipient, for --channel email")
        parser.add_argument("--max-uses", default="", metavar="N", help="without it: no limit")
        parser.add_argument(
            "--expires", default="", metavar="ISO", help="when it ends; UTC if no zone is given"
        )
        parser.add_argument("--label", default="", help="{n} becomes the number, with --count")
        parser.add_argument("--count", default="", metavar="N", help="make N links at once")
        parser.add_argument("--qr", default="", metavar="FILE", help="write FILE.svg or .png")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        partner = Partner.objects.filter(slug=options["partner"]).first()
        if partner is None:
            raise CommandError("--partner: there is no partner with this short name.")
        _check_combination(options)
        count = _count(options["count"])
        picture = _picture(options["qr"])
        terms = _checked(partner, options, now)
        try:
            with transaction.atomic():
                if count is None:
                    invitations = [create_invitation(partner=partner, by=None, now=now, **terms)]
                else:
                    del terms["channel"]
                    invitations = create_links(
                        count=count, partner=partner, by=None, now=now, **terms
                    )
                if picture is not None:
                    draw = DRAWERS[picture.suffix.lower()]
                    picture.write_bytes(draw(invitation=invitations[0]))
        except Refused as refused:
            raise CommandError(sentence_for(refused)) from refused
        except OSError as error:
            raise CommandError(f"--qr: the file cannot be written ({error.strerror}).") from error
        if not terms.get("mailed", True):
            self.stderr.write(
                "Made, but not mailed: this person was sent three invitations within a day."
            )
        self._print(invitations, as_json=options["json"], many=count is not None)

    def _print(self, invitations: list[Invitation], *, as_json: bool, many: bool) -> None:
        if as_json:
            rows = [{"token": made.token, "url": made.link} for made in invitations]
            self.stdout.write(json.dumps(rows if many else rows[0]))
            return
        for made in invitations:
            self.stdout.write(f"{made.link}  {made.grouped_token}")


def _check_combination(options: dict[str, Any]) -> None:
    by_email = options["channel"] == Channel.EMAIL
    if options["channel"] not in Channel.values:
        raise CommandError("--channel: choose link or email.")
    if options["email"] and not by_email:
        raise CommandError("--email: only an invitation with --channel email has a recipient.")
    if by_email and options["max_uses"] not in {"", "1"}:
        raise CommandError("--max-uses: an invitation by e-mail is for one use.")
    if by_email and options["count"]:
        raise CommandError("--count: only links can be made many at once.")
    if options["qr"] and options["count"]:
        raise CommandError("--qr: with --count there would be many codes for one file.")


def _count(text: str) -> int | None:
    if not text:
        return None
    # Nine digits are enough to see that a number is too large.
    count = int(text[:9]) if text.isascii() and text.isdigit() else 0
    if not 1 <= count <= MOST_AT_ONCE:
        raise CommandError(f"--count: enter a whole number from 1 to {MOST_AT_ONCE}.")
    return count


def _picture(text: str) -> Path | None:
    if not text:
        return None
    path = Path(text)
    if path.suffix.lower() not in DRAWERS:
        raise CommandError("--qr: the file's name must end in .svg or .png.")
    return path


def _checked(partner: Partner, options: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return arguments for the service, checked by the form that the console uses.

    The first error ends the command.
    """
    by_email = options["channel"] == Channel.EMAIL
    label = options["label"] or f"{options['type']} by {options['channel']}"
    data = {
        "association_type": options["type"],
        # Validated with the longest number that a label will get.
        "label": label.replace("{n}", options["count"] or "{n}"),
        "expires_at": options["expires"],
        "max_uses": options["max_uses"],
        "recipient": options["email"],
    }
    kind = EmailInvitationForm if by_email else LinkInvitationForm
    form = kind(data, partner=partner, now=now)
    for field, errors in form.errors.items():
        raise CommandError(f"{OPTIONS[field]}: {errors[0]}")
    terms = {**form.cleaned_data, "label": label, "channel": Channel(options["channel"])}
    if by_email:
        terms["mailed"] = has_emails_left(canonical_address(terms["recipient"]), now=now)
    return terms
