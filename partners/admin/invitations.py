"""Invitations in the admin; the token is never shown."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.admin import actor
from partners.admin.shared import RefusingAdmin, TokenSearch
from partners.enums import Channel, InvitationProblem, InvitationRefusal, InvitationState
from partners.forms.links import check_name_is_for_one
from partners.forms.presets import DomainsField, complete_preset
from partners.models import Invitation
from partners.refusals import SENTENCES
from partners.services.invitation_drafts import MOST_USES
from partners.services.invitations import create_invitation, edit_invitation, revoke_invitation
from web.admin.base import StateFilter
from web.admin.confirmation import ConfirmedAction, reason_form
from web.admin.hubs import given
from web.email_addresses import InvalidAddress, canonical_address
from web.text_fields import LinesField

if TYPE_CHECKING:
    InvitationModelForm = forms.ModelForm[Invitation]
else:
    InvitationModelForm = forms.ModelForm

EDITABLE = ("label", "customer_name", "reference", "note", "expires_at", "max_uses")
# By which field an invitation is closed that cannot be followed.
CLOSED_BY = {
    InvitationRefusal.REVOKED: ["revoked_at"],
    InvitationRefusal.EXPIRED: ["expires_at"],
    InvitationRefusal.USED_UP: ["max_uses", "used_count"],
    InvitationRefusal.PARTNER_UNAVAILABLE: ["partner__status"],
    InvitationRefusal.TYPE_NOT_ALLOWED: ["partner__allows_reseller", "partner__allows_referral"],
}


STATES = {
    InvitationRefusal.REVOKED: _("revoked"),
    InvitationRefusal.EXPIRED: _("expired"),
    InvitationRefusal.USED_UP: _("used up"),
    InvitationRefusal.PARTNER_UNAVAILABLE: _("the partner is frozen"),
    InvitationRefusal.TYPE_NOT_ALLOWED: _("the partner may not invite by this type"),
}


def _what_follows(saved: Invitation) -> Any:
    """Say how a new invitation reaches the customer."""
    if saved.channel != Channel.EMAIL:
        return _(
            "The link, its code and the QR code are not shown here. The partner finds them in the"
            " console, under Invitations."
        )
    if saved.is_withheld:
        return _("The person does not want it: nothing was mailed.")
    return _("The e-mail with the invitation is on its way. The link is in it, and nowhere else.")


def _why_not(invitation: Invitation) -> Any:
    """Return why revoking would change nothing."""
    if invitation.revoked_at is not None:
        return SENTENCES[InvitationProblem.REVOKED]
    return SENTENCES[InvitationProblem.USED_UP] if invitation.remaining_uses == 0 else ""


class InvitationForm(InvitationModelForm):
    """Checks what an administrator typed early; the service decides."""

    class Meta:
        model = Invitation
        fields = "__all__"
        help_texts = {
            "channel": _(
                "An e-mail is sent as soon as you save. The link of a link or QR code is shown to"
                " the partner only, in its console."
            ),
            "recipient": _("Only for an invitation by e-mail."),
            "recipient_name": _("Only for an invitation by e-mail."),
            "subject": _("Only for an invitation by e-mail."),
            "is_bound": _("Only for an invitation by e-mail."),
        }
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}
        field_classes = {"note": LinesField, "allowed_domains": DomainsField}

    def clean_max_uses(self) -> int | None:
        uses: int | None = self.cleaned_data["max_uses"]
        if uses is not None and uses > MOST_USES:
            raise ValidationError(SENTENCES[InvitationProblem.TOO_MANY_USES])
        if uses is not None and uses < max(1, self.instance.used_count):
            raise ValidationError(SENTENCES[InvitationProblem.TOO_FEW_USES])
        return uses

    def clean_expires_at(self) -> Any:
        moment = self.cleaned_data["expires_at"]
        if moment is not None and moment <= timezone.now():
            raise ValidationError(SENTENCES[InvitationProblem.EXPIRY_NOT_AHEAD])
        return moment

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if "channel" in self.fields:
            self._clean_new(values)
        elif self.instance.channel == Channel.EMAIL and "max_uses" in values:
            values["max_uses"] = 1
        check_name_is_for_one(self)
        complete_preset(self, values)
        return values

    def _clean_new(self, values: dict[str, Any]) -> None:
        partner, association_type = values.get("partner"), values.get("association_type")
        if partner and association_type and not partner.allows(association_type):
            self.add_error("association_type", SENTENCES[InvitationProblem.TYPE_NOT_ALLOWED])
        by_email = values.get("channel") == Channel.EMAIL
        if by_email:
            values["max_uses"] = 1
            self._clean_recipient(values)
            if values.get("allowed_domains"):
                self.add_error("allowed_domains", _("Only a link can be for certain domains."))
        else:
            values["is_bound"] = False
            if values.get("recipient"):
                self.add_error(
                    "recipient", _("A link has no recipient. Clear it, or choose e-mail.")
                )

    def _clean_recipient(self, values: dict[str, Any]) -> None:
        if not values.get("recipient"):
            self.add_error("recipient", _("Enter the e-mail address to invite."))
            return
        try:
            values["recipient"] = canonical_address(values["recipient"])
        except InvalidAddress:
            self.add_error("recipient", _("This is not an e-mail address that we accept."))


class InvitationStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        states: dict[str, tuple[Any, Q]] = {
            state.value: (state.label, Q()) for state in InvitationState
        }
        states["undelivered"] = (_("e-mail not delivered"), Q(undelivered_at__isnull=False))
        return states

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in InvitationState.values:
            rows: Any = queryset
            found: QuerySet[Any] = rows.in_state(self.value(), timezone.now())
            return found
        return super().queryset(request, queryset)


@admin.register(Invitation)
class InvitationAdmin(TokenSearch, RefusingAdmin):
    form = InvitationForm
    list_display = (
        "label",
        "state",
        "partner",
        "offer",
        "recipient",
        "uses",
        "created_at",
    )
    list_select_related = ("partner",)
    list_filter = (InvitationStateFilter, "channel", "association_type", *given("partner", "batch"))
    search_fields = (
        *("label__icontains", "customer_name__icontains", "reference__icontains"),
        *("partner__name__icontains", "recipient__exact"),
    )
    search_help_text = _(
        "Part of the label, customer name, reference or partner's name, the whole recipient, or a"
        " link or token"
    )
    lower_case_search = True
    date_hierarchy = "created_at"
    autocomplete_fields = ("partner",)
    addresses = ("recipient", "metadata")
    actions = ("revoke",)
    fields = (
        "partner",
        "channel",
        "association_type",
        "label",
        "customer_name",
        "reference",
        "subject",
        "note",
        "language",
        "country",
        "recipient",
        "recipient_name",
        "is_bound",
        "max_uses",
        "expires_at",
        "budget_amount",
        "budget_period",
        "budget_on_exhaustion",
        "allowed_domains",
    )
    locks_no_key = False
    history_fields = (
        *("metadata", "used_count"),
        *("created_at", "created_by", "revoked_at", "revoked_by"),
    )

    def get_ordering(self, request: HttpRequest) -> Any:
        """List the expired by their expiry: by their making they come behind all that live."""
        if request.GET.get(InvitationStateFilter.parameter_name) == InvitationState.EXPIRED:
            return ("-expires_at", "-pk")
        return super().get_ordering(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        names = super().get_fields(request, obj)
        return names if obj is None else ["state", *names, *self.history_fields]

    @admin.display(description=_("state"))
    def state(self, invitation: Invitation) -> Any:
        """Say whether it can be followed, and if not, why."""
        refusal = invitation.refusal(timezone.now())
        return _("live") if refusal is None else STATES[refusal]

    @admin.display(description=_("channel and type"), ordering="channel")
    def offer(self, invitation: Invitation) -> str:
        channel, kind = (
            invitation.get_channel_display(),
            invitation.get_association_type_display(),
        )
        return f"{channel}, {kind}"

    @admin.display(description=_("uses"), ordering="used_count")
    def uses(self, invitation: Invitation) -> str:
        return f"{invitation.used_count}/{invitation.max_uses or '∞'}"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Leave open what the partner could edit too."""
        if obj is None:
            return []
        return [name for name in self.get_fields(request, obj) if name not in EDITABLE]

    def closed_by(self, request: HttpRequest, obj: Any) -> Collection[str]:
        refusal = obj.refusal(timezone.now())
        return () if refusal is None else CLOSED_BY[refusal]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"is_bound": True, **super().get_changeform_initial_data(request)}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by = actor(request)
        values = form.cleaned_data
        if not change:
            saved = create_invitation(by=by, now=timezone.now(), **values)
            messages.info(request, _what_follows(saved))
        elif form.changed_data:
            edited = {name: values[name] for name in EDITABLE}
            saved = edit_invitation(invitation=obj, by=by, now=timezone.now(), **edited)
        else:
            return
        obj.__dict__.update(saved.__dict__)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    @ConfirmedAction(
        title=_("Revoke invitations"),
        description=_("Revoke"),
        consequences=(
            _("These invitations cannot be followed any more. This is final."),
            _("Attempts that have started cannot be finished. Associations stay."),
            _(
                "No e-mail is sent. The partner sees in the console that it is revoked, and that"
                " the provider did it."
            ),
        ),
        button=_("Revoke"),
        form=reason_form(
            _(
                "The provider's administrators read it in the invitation's history. The partner"
                " does not."
            )
        ),
        permissions=["revoke"],
        works_for=lambda invitation: not _why_not(invitation),
        why_not=_why_not,
    )
    def revoke(self, invitation: Invitation, **values: Any) -> None:
        revoke_invitation(invitation=invitation, **values)
