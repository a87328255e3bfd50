"""A browser that follows an invitation through the journey, and attempts at one of its steps."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.test import Client
from django.utils import timezone

from accounts.models import CustomerAccount, User, VerificationCode
from accounts.services.codes import derive_code
from association.forms.documents import SHOWN
from association.models import Attempt, DocumentKind, LegalDocument
from association.services.attempts import (
    agree_to_instructions,
    enter_attempt,
    new_browser_secret,
    start_attempt,
)
from association.services.documents import current_documents, load_versions
from partners.models import Invitation
from tests.factories import PASSWORD, CustomerAccountFactory, InvitationFactory, agreed_to
from tests.tables import tables as tables  # noqa: PLC0414 - many tests import it from here

ADDRESS = "new.customer@example.org"
EVERY_STEP = (
    "instructions",
    "account",
    "register",
    "ask",
    "switch",
    "check",
    "enable",
    "confirm",
    "done",
)
# The pages whose button agrees to documents.
AGREEING_STEPS = ("instructions", "enable", "confirm")
# What a page's forms post to beside the page itself.
EVERY_ACTION = (
    "register/code",
    "register/address",
    "register/account",
    "check/tell",
    "enable/later",
)


class Walk:
    """One browser that follows one invitation; `attempt_id` is the attempt it is at."""

    def __init__(self, invitation: Invitation, client: Client | None = None) -> None:
        self.invitation = invitation
        self.client = client or Client()
        self.attempt_id: UUID = UUID(int=0)

    @property
    def attempt(self) -> Attempt:
        return Attempt.objects.get(pk=self.attempt_id)

    def url(self, step: str = "") -> str:
        return f"/join/{self.attempt_id}/{step}"

    def get(self, step: str = "", **options: Any) -> Any:
        return self.client.get(self.url(step), **options)

    def post(self, step: str, /, **data: Any) -> Any:
        data = shown_versions(data) | data if step in AGREEING_STEPS else data
        return self.client.post(self.url(step), data)

    def begin(self, *, letter: bool = False, **data: Any) -> Any:
        """Make the first POST: agree to the instructions, or in referral choose to register."""
        page = "instructions" if self.invitation.is_reseller else "account"
        if self.invitation.is_reseller:
            data.setdefault("instructions", "on")
            if letter:
                data["letter_of_authorization"] = "on"
            data = shown_versions(data) | data
        else:
            data.setdefault("choice", "register")
        response = self.client.post(f"/i/{self.invitation.token}/{page}", data)
        newest = Attempt.objects.filter(invitation=self.invitation).order_by("started_at").last()
        self.attempt_id = newest.pk if newest else UUID(int=0)
        return response

    def send_code(self, address: str = ADDRESS, country: str = "DE") -> Any:
        return self.post("register/code", country=country, email=address)

    def register(self, address: str = ADDRESS, **data: Any) -> Any:
        """Prove the address and choose the password; ends at the next step."""
        self.send_code(address)
        data = {"code": newest_code(), "password": PASSWORD} | data
        return self.client.post(self.url("register/account"), data)

    def log_in(self, user: User) -> Any:
        """Log in during the journey, as `Login for Association` does."""
        return self.client.post(
            f"/account/login/?next={self.url()}",
            {"login": user.account_name, "password": PASSWORD, "next": self.url()},
        )

    def enable(self, **data: Any) -> Any:
        data = {"country": "DE", "agreement": "on"} | data
        return self.post("enable", **data)


def shown_versions(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hidden fields of a page that shows the versions in force.

    The letter's is left out where its box is not ticked: then an earlier choice is kept.
    """
    in_force = load_versions().in_force
    without = set() if "letter_of_authorization" in typed else {"shown_letter"}
    return {field: in_force[kind] for kind, field in SHOWN.items() if field not in without}


def newest_code() -> str:
    """Return the six digits that were e-mailed last."""
    return derive_code(VerificationCode.objects.latest("pk"), None)


def other_code(code: str) -> str:
    """Return six digits that are not these."""
    return f"{(int(code) + 1) % 10**6:06}"


def invite(account: CustomerAccount, **traits: Any) -> Invitation:
    """Return an e-mail invitation bound to the account's address."""
    return InvitationFactory.create(email=True, recipient=account.owner.email, **traits)


def document(kind: DocumentKind) -> LegalDocument:
    """Return the English document in force."""
    return current_documents([kind], "en")[kind]


def publish_next(kind: DocumentKind) -> LegalDocument:
    """Put a newer version of the document in force."""
    old = document(kind)
    return LegalDocument.objects.create(
        kind=kind,
        language="en",
        version=old.version + 1,
        title=old.title,
        body=f"{old.body} Newer.",
        published_at=timezone.now(),
    )


def ready_attempt(
    *,
    account: CustomerAccount | None = None,
    invitation: Invitation | None = None,
    letter: bool = False,
    registered: bool = False,
    browser_secret: str | None = None,
) -> Attempt:
    """Return an attempt that has only the final click before it, made by the services."""
    account = account or CustomerAccountFactory.create(enabled=True)
    invitation = invitation or invite(account)
    now = timezone.now()
    attempt = start_attempt(
        invitation=invitation,
        browser_secret=browser_secret or new_browser_secret(),
        language="en",
        now=now,
    )
    if invitation.is_reseller:
        agree_to_instructions(
            attempt=attempt,
            instructions=agreed_to(DocumentKind.INSTRUCTIONS),
            letter=agreed_to(DocumentKind.LETTER_OF_AUTHORIZATION) if letter else None,
            address="192.0.2.7",
            by=None if registered else account.owner,
            now=now,
        )
    enter_attempt(attempt=attempt, account=account, now=now, registered=registered)
    return attempt


def walk_of(attempt: Attempt, *, signed_in: bool = True) -> Walk:
    """Return a browser at this attempt, by default logged in as its account."""
    walk = Walk(attempt.invitation)
    walk.attempt_id = attempt.pk
    if signed_in:
        walk.client.force_login(attempt.account.owner)
    return walk
