"""Factories of partners, members, invitations, batches and invitation requests."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from factory.declarations import (
    LazyAttribute,
    LazyFunction,
    SelfAttribute,
    Sequence,
    SubFactory,
    Trait,
)
from factory.django import DjangoModelFactory

from partners import enums, models
from tests.factories.accounts import UserFactory, in_days

# The fields of a partner that the provider has frozen.
FROZEN: dict[str, Any] = {
    "status": enums.PartnerStatus.FROZEN,
    "frozen_at": datetime(2026, 1, 2, 9, tzinfo=UTC),
    "frozen_reason": "Complaints about invitations",
}


def mark_frozen(partner: models.Partner, **fields: Any) -> None:
    """Store the partner as a frozen one, without what the service does beside it."""
    for name, value in {**FROZEN, **fields}.items():
        setattr(partner, name, value)
    partner.save()


class PartnerLogoFactory(DjangoModelFactory):
    """A logo whose pictures are no pictures; `draw_logo()` makes real ones."""

    class Meta:
        model = models.PartnerLogo

    picture = Sequence(lambda n: f"picture {n}".encode())
    preview = b"preview"
    sha256 = LazyAttribute(lambda logo: hashlib.sha256(logo.picture).hexdigest())
    created_at = LazyFunction(timezone.now)


class PartnerFactory(DjangoModelFactory):
    """A partner with both association types."""

    class Meta:
        model = models.Partner

    class Params:
        frozen = Trait(**FROZEN)
        reseller_only = Trait(allows_referral=False)
        with_logo = Trait(logo=SubFactory(PartnerLogoFactory), logo_width=160, logo_height=48)

    name = Sequence(lambda n: f"Partner {n}")
    slug = Sequence(lambda n: f"partner-{n}")
    legal_name = LazyAttribute(lambda partner: f"{partner.name} Ltd.")
    country = "IE"
    support_email = LazyAttribute(lambda partner: f"support@{partner.slug}.example")
    allows_referral = True


class PartnerMemberFactory(DjangoModelFactory):
    """A manager; with the trait an administrator."""

    class Meta:
        model = models.PartnerMember

    class Params:
        administrator = Trait(role=enums.PartnerRole.ADMINISTRATOR)

    partner = SubFactory(PartnerFactory)
    user = SubFactory(UserFactory)
    role = enums.PartnerRole.MANAGER


class InvitationFactory(DjangoModelFactory):
    """A live reseller link without limits."""

    class Meta:
        model = models.Invitation

    class Params:
        referral = Trait(association_type=enums.AssociationType.REFERRAL)
        email = Trait(
            channel=enums.Channel.EMAIL,
            recipient=Sequence(lambda n: f"invited{n}@example.org"),
            is_bound=True,
            max_uses=1,
            expires_at=in_days(7),
        )
        expired = Trait(expires_at=in_days(-1))
        revoked = Trait(revoked_at=in_days(-1))
        used_up = Trait(max_uses=1, used_count=1)

    partner = SubFactory(PartnerFactory)
    channel = enums.Channel.LINK
    association_type = enums.AssociationType.RESELLER
    label = Sequence(lambda n: f"Invitation {n}")
    created_at = LazyFunction(timezone.now)


class InvitationRequestFactory(DjangoModelFactory):
    """An open request of a visitor who followed a link."""

    class Meta:
        model = models.InvitationRequest

    class Params:
        dismissed = Trait(closed_at=in_days(0), dismiss_reason="Not a customer of ours")

    invitation = SubFactory(InvitationFactory)
    partner = SelfAttribute("invitation.partner")
    address = Sequence(lambda n: f"asking{n}@example.org")
    requested_at = LazyFunction(timezone.now)


class InvitationBatchFactory(DjangoModelFactory):
    """A batch of three links; the worker has made none yet."""

    class Meta:
        model = models.InvitationBatch

    class Params:
        email = Trait(channel=enums.Channel.EMAIL, max_uses=1, is_bound=True)
        draft = Trait(started_at=None)
        cancelled = Trait(cancelled_at=in_days(0))

    partner = SubFactory(PartnerFactory)
    channel = enums.Channel.LINK
    association_type = enums.AssociationType.RESELLER
    label = Sequence(lambda n: f"Batch {n} – {{n}}")
    size = 3
    created_at = LazyFunction(timezone.now)
    started_at = SelfAttribute("created_at")


class BatchRowFactory(DjangoModelFactory):
    """A valid row of an uploaded list."""

    class Meta:
        model = models.BatchRow

    batch = SubFactory(InvitationBatchFactory, email=True, draft=True)
    number = Sequence(lambda n: n + 1)
    name = Sequence(lambda n: f"Person {n}")
    email = Sequence(lambda n: f"listed{n}@example.org")


class BulkActionFactory(DjangoModelFactory):
    """A draft that revokes one invitation, without its row."""

    class Meta:
        model = models.BulkAction

    partner = SubFactory(PartnerFactory)
    kind = enums.BulkKind.REVOKE
    size = 1
    created_at = LazyFunction(timezone.now)


class BulkActionRowFactory(DjangoModelFactory):
    """The one row of a draft, with an invitation of its partner."""

    class Meta:
        model = models.BulkActionRow

    class Params:
        invitation = SubFactory(InvitationFactory)

    action = SubFactory(BulkActionFactory, partner=SelfAttribute("..invitation.partner"))
    number = 1
    object_id = SelfAttribute("invitation.pk")


class MemberInvitationFactory(DjangoModelFactory):
    """An invitation to become a manager, sent now."""

    class Meta:
        model = models.MemberInvitation

    class Params:
        expired = Trait(expires_at=in_days(-1))

    partner = SubFactory(PartnerFactory)
    address = Sequence(lambda n: f"colleague{n}@example.org")
    role = enums.PartnerRole.MANAGER
    invited_at = LazyFunction(timezone.now)
    expires_at = in_days(7)


class NotificationChoiceFactory(DjangoModelFactory):
    """A member reads of new customers once a day."""

    class Meta:
        model = models.NotificationChoice

    member = SubFactory(PartnerMemberFactory)
    kind = enums.NotificationKind.CUSTOMER_WAITING
    delivery = enums.NotificationDelivery.DAILY
    chosen_at = LazyFunction(timezone.now)


class DigestEntryFactory(DjangoModelFactory):
    """A new customer, of whom a member reads now."""

    class Meta:
        model = models.DigestEntry

    member = SubFactory(PartnerMemberFactory)
    kind = enums.NotificationKind.CUSTOMER_WAITING
    due_at = LazyFunction(timezone.now)


class MemberDigestFactory(DjangoModelFactory):
    """Today's digest."""

    class Meta:
        model = models.MemberDigest

    member = SubFactory(PartnerMemberFactory)
    sent_on = LazyFunction(timezone.localdate)
