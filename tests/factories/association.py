"""Factories of documents and attempts; associations are made by the product's services."""

from datetime import datetime

from django.utils import timezone
from factory.declarations import LazyFunction, SelfAttribute, Sequence, SubFactory, Trait
from factory.django import DjangoModelFactory

from accounts.models import CustomerAccount
from association import models
from association.models import Association, Attempt, DocumentKind
from association.services.associations import associate
from association.services.attempts import (
    agree_to_instructions,
    enter_attempt,
    hash_of,
    start_attempt,
)
from association.services.consents import AGREEMENT, Enabling
from association.services.documents import Agreed, current_documents
from association.services.endings import end_association
from partners.models import Invitation, Partner
from tests.factories.accounts import CustomerAccountFactory, UserFactory, in_days
from tests.factories.partners import InvitationFactory

BROWSER_SECRET = "0" * 32
ADDRESS = "192.0.2.7"


class LegalDocumentFactory(DjangoModelFactory):
    """A new version of the English instructions, published now."""

    class Meta:
        model = models.LegalDocument

    class Params:
        draft = Trait(published_at=None)

    kind = DocumentKind.INSTRUCTIONS
    language = "en"
    version = Sequence(lambda n: n + 2)
    title = "Instructions for Associating"
    body = "Read this."
    published_at = LazyFunction(timezone.now)


class AttemptFactory(DjangoModelFactory):
    """An attempt started now, in the browser with `BROWSER_SECRET`."""

    class Meta:
        model = models.Attempt

    class Params:
        entered = Trait(
            account=SubFactory(CustomerAccountFactory, enabled=True),
            entered_at=LazyFunction(timezone.now),
        )
        refused = Trait(
            refusal_codes=["unpaid_bills"],
            decided_at=LazyFunction(timezone.now),
            refused_at=SelfAttribute("decided_at"),
        )
        old = Trait(started_at=in_days(-30))

    invitation = SubFactory(InvitationFactory)
    partner = SelfAttribute("invitation.partner")
    invited_by = SelfAttribute("invitation.created_by")
    channel = SelfAttribute("invitation.channel")
    association_type = SelfAttribute("invitation.association_type")
    browser_hash = LazyFunction(lambda: hash_of(BROWSER_SECRET))
    language = "en"
    started_at = LazyFunction(timezone.now)


def make_attempt(
    *,
    invitation: Invitation | None = None,
    account: CustomerAccount | None = None,
    agreed: bool = True,
    letter: bool = False,
    registered: bool = True,
    browser_secret: str = BROWSER_SECRET,
    language: str = "en",
    now: datetime | None = None,
) -> Attempt:
    """Return an attempt that has reached a certain step.

    `agreed`: agreed to the instructions, and with `letter` to the letter. `account`: entered with
    it, `registered` in this attempt, or logged in, then before agreeing.
    """
    now = now or timezone.now()
    invitation = invitation or InvitationFactory.create()
    attempt = start_attempt(
        invitation=invitation, browser_secret=browser_secret, language=language, now=now
    )
    if agreed and invitation.is_reseller:
        agree_to_instructions(
            attempt=attempt,
            instructions=agreed_to(DocumentKind.INSTRUCTIONS, language),
            letter=agreed_to(DocumentKind.LETTER_OF_AUTHORIZATION, language) if letter else None,
            address=ADDRESS,
            by=account.owner if account and not registered else None,
            now=now,
        )
    if account is not None:
        enter_attempt(attempt=attempt, account=account, now=now, registered=registered)
    return attempt


def make_associated(
    *,
    invitation: Invitation | None = None,
    account: CustomerAccount | None = None,
    letter: bool = False,
    now: datetime | None = None,
) -> Association:
    """Return an association with its consents, freeze, audit events, messages and use count.

    By default a new, enabled account follows a reseller link. The services of an account without
    services are enabled.
    """
    now = now or timezone.now()
    invitation = invitation or InvitationFactory.create()
    if account is None:
        owner = {"owner__email": invitation.recipient} if invitation.is_bound else {}
        account = CustomerAccountFactory.create(enabled=True, registered_at=now, **owner)
    attempt = make_attempt(invitation=invitation, account=account, letter=letter, now=now)
    return associate(
        attempt=attempt,
        by=account.owner,
        address=ADDRESS,
        enabling=None if account.is_enabled else enabling_of(account),
        clock=lambda: now,
    )


def customer_of(partner: Partner, email: str, *, now: datetime | None = None) -> Association:
    """Return the association of a new customer of the partner with this address."""
    now = now or timezone.now()
    account = CustomerAccountFactory.create(owner__email=email, enabled=True, registered_at=now)
    invitation = InvitationFactory.create(partner=partner)
    return make_associated(invitation=invitation, account=account, now=now)


def end_by_provider(
    association: Association, *, reason: str = "Over", now: datetime | None = None
) -> Association:
    """End the association as an administrator of the provider does."""
    by, now = UserFactory.create(is_staff=True), now or timezone.now()
    return end_association(association=association, reason=reason, by=by, now=now)


def enabling_of(account: CustomerAccount, language: str = "en") -> Enabling:
    """Return what a customer submits on Enable: the country, and both documents in force."""
    return Enabling(
        country=account.country.code,
        agreed={kind: agreed_to(kind, language) for kind in AGREEMENT},
    )


def agreed_to(kind: DocumentKind, language: str = "en") -> Agreed:
    """Return the document in force as it is ticked, with a label of the tests."""
    document = current_documents([kind], language)[kind]
    return Agreed(document, f"I agree to {kind.label}", language)
