"""Partners, their members, and invitations to become one, in the admin."""

from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.fields import OthersEmailField
from audit.admin import EvidenceAdmin, account_name, actor
from audit.services import acting_for
from partners.admin.new_partners import NewPartnerAdmin
from partners.admin.shared import RefusingAdmin, all_fields
from partners.conflicts import partner_sentences
from partners.enums import AssociationType, PartnerRole
from partners.forms.logos import LogoField, StoredLogo
from partners.forms.time_zones import TimeZoneField
from partners.models import MemberInvitation, Partner, PartnerLogo, PartnerMember
from partners.refusals import SENTENCES
from partners.services.logos import LOGO_FIELDS, set_logo
from partners.services.member_invitations import (
    invite_member,
    resend_member_invitation,
    withdraw_member_invitation,
)
from partners.services.members import (
    add_member,
    change_member,
    lock_members,
    remove_member,
    without_administrator,
)
from partners.services.partner_freezes import freeze_partner, shown_freeze, unfreeze_partner
from web.admin.base import StateFilter, is_key
from web.admin.confirmation import ConfirmedAction, ReasonedDeletion, reason_form
from web.admin.hubs import given
from web.admin.versions import changes_one
from web.email_addresses import mask_address
from web.moments import moment_text

if TYPE_CHECKING:
    PartnerModelForm = forms.ModelForm[Partner]
else:
    PartnerModelForm = forms.ModelForm


_confirmed = partial(
    ConfirmedAction,
    refusals=SENTENCES,
    permissions=["change"],
    shows=shown_freeze,
    explain=partial(partner_sentences, who=account_name),
)


class PartnerForm(PartnerModelForm):
    """All of a partner; the logo is a file, of which a service makes the row that is stored."""

    logo = LogoField()
    time_zone = TimeZoneField(label=_("Time zone"))

    class Meta:
        model = Partner
        exclude = LOGO_FIELDS
        help_texts = {"status": _("A button above changes it, with a reason.")}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        stored = self.instance.logo_id
        self.initial["logo"] = StoredLogo(stored) if stored else None


_READERS = _("The provider's administrators read it in the audit trail. The partner does not.")


class InviteAdministratorForm(forms.Form):
    address = OthersEmailField()


class AdministratorFilter(StateFilter):
    title = _("trouble")

    def states(self) -> dict[str, tuple[Any, Q]]:
        found = without_administrator(Partner.objects.all())
        return {"no_administrator": (_("without administrator"), Q(pk__in=found.values("pk")))}


@admin.register(Partner)
class PartnerAdmin(NewPartnerAdmin):
    list_display = (
        "name",
        "slug",
        "country",
        "status",
        "types",
        "created_at",
    )
    list_filter = ("status", AdministratorFilter, "allows_reseller", "allows_referral")
    search_fields = ("name", "legal_name", "slug", "support_email__iexact")
    search_help_text = _("Part of the name, legal name or short name, or a whole support e-mail")
    date_hierarchy = "created_at"
    readonly_fields = (
        *("status", "frozen_at", "frozen_by", "frozen_reason"),
        *("created_at", "updated_at"),
    )
    form = PartnerForm
    audited_elsewhere = LOGO_FIELDS
    fields = tuple(name for name in all_fields(Partner) if name not in LOGO_FIELDS[1:])
    actions = ("invite_administrator", "freeze_partner", "unfreeze_partner")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Keep the short name: programs of the provider find the partner by it."""
        names = super().get_readonly_fields(request, obj)
        return [*names] if obj is None else [*names, "slug"]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        """Fill in the short name of a new partner only; Django fails where it is read-only."""
        return {"slug": ("name",)} if obj is None else {}

    @admin.display(description=_("may invite by"))
    def types(self, partner: Partner) -> str:
        allowed = [kind.label for kind in AssociationType if partner.allows(kind)]
        return ", ".join(str(label) for label in allowed) or gettext("nothing")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if change and "logo" in form.changed_data:
            logo = form.cleaned_data["logo"] or None
            set_logo(partner=form.instance, logo=logo, by=actor(request), now=timezone.now())

    @ConfirmedAction(
        title=_("Invite an administrator"),
        consequences=(
            _("This person is asked by e-mail to act for the partner, and has seven days."),
            _("The partner's administrators see the invitation among their members."),
        ),
        button=_("Send the invitation"),
        form=InviteAdministratorForm,
        refusals=SENTENCES,
        permissions=["change"],
    )
    def invite_administrator(self, partner: Partner, **values: Any) -> None:
        invite_member(partner=partner, role=PartnerRole.ADMINISTRATOR, **values)

    @_confirmed(
        title=_("Freeze the partner"),
        consequences=(
            _("Its members cannot invite customers, freeze them or request authorizations."),
            _("It cannot order or operate anything for them, even with their authorization."),
            _(
                "They can still read everything, set budgets, unfreeze customers and answer"
                " requests to end."
            ),
            _(
                "Its invitations cannot be followed. Those that wait to be sent are not sent, and"
                " batches that are being made are stopped."
            ),
            _("Its customers stay its customers, and what runs goes on running and costing money."),
            _("All members get an e-mail that names the provider and the reason."),
            _("Its customers read under My partner that the provider has frozen it."),
        ),
        button=_("Freeze the partner"),
        works_for=lambda partner: not partner.is_frozen,
        form=reason_form(
            _(
                "The members of the partner read it, in the console and in an e-mail. Its customers"
                " do not."
            )
        ),
    )
    def freeze_partner(self, partner: Partner, **values: Any) -> None:
        freeze_partner(partner=partner, **values)

    @_confirmed(
        title=_("Unfreeze the partner"),
        consequences=(
            _("Its members can invite customers, freeze them and request authorizations again."),
            _("It can order and operate again for customers who have given the authorization."),
            _("Its invitations can be followed again, unless they have expired meanwhile."),
            _("E-mails with invitations that were not sent meanwhile have to be sent again."),
            _("All members get an e-mail that names the provider and the reason."),
        ),
        button=_("Unfreeze the partner"),
        works_for=lambda partner: partner.is_frozen,
        form=reason_form(
            _("The members of the partner read it in an e-mail. Its customers do not.")
        ),
    )
    def unfreeze_partner(self, partner: Partner, **values: Any) -> None:
        unfreeze_partner(partner=partner, **values)


@admin.register(PartnerLogo)
class PartnerLogoAdmin(EvidenceAdmin):
    """Logos are uploaded on the partner's page."""

    list_display = ("sha256", "created_at", "used_by")
    search_fields = ("sha256__startswith", "partners__name__icontains")
    search_help_text = _("Beginning of the SHA-256, or part of the partner's name")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    fields = ("sha256", "created_at", "used_by")
    readonly_fields = ("used_by",)

    @admin.display(description=_("used by"))
    def used_by(self, logo: PartnerLogo) -> str:
        return ", ".join(partner.name for partner in logo.partners.all())

    def get_queryset(self, request: HttpRequest) -> QuerySet[PartnerLogo]:
        rows = super().get_queryset(request).defer("picture", "preview")
        return rows.prefetch_related("partners")


def _what_removal_does(member_id: str) -> list[Any]:
    count = 0
    if is_key(PartnerMember, member_id):
        customers = PartnerMember.objects.filter(pk=member_id, customers__ended_at__isnull=True)
        count = customers.aggregate(count=Count("customers"))["count"]
    text = ngettext(
        "%(count)d customer loses its manager.",
        "%(count)d customers lose their manager.",
        count,
    )
    return [
        _("The console is closed to this member at once. The log-in stays."),
        text % {"count": count},
        _("No e-mail is sent. The partner sees in the console that the provider did it."),
    ]


class AddressesFilter(StateFilter):
    """What `may_reveal_addresses` says: administrators always may."""

    title = _("may read customers’ e-mail addresses in full")
    parameter_name = "reads_addresses"

    def states(self) -> dict[str, tuple[Any, Q]]:
        may = Q(role=PartnerRole.ADMINISTRATOR) | Q(may_see_addresses=True)
        return {"yes": (_("yes"), may), "no": (_("no"), ~may)}


@admin.register(PartnerMember)
class PartnerMemberAdmin(ReasonedDeletion, RefusingAdmin):
    list_display = ("user", "partner", "role", "reads_addresses", "created_at")
    list_select_related = ("user", "partner")
    list_filter = ("role", AddressesFilter, *given("partner", "user"))
    search_fields = ("user__account_name__startswith", "user__email__exact", "partner__name")
    search_help_text = _(
        "Beginning of the account name, a whole e-mail address, or part of the partner's name"
    )
    lower_case_search = True
    date_hierarchy = "created_at"
    autocomplete_fields = ("user", "partner")
    readonly_fields = ("created_at",)
    fields = ("user", "partner", "role", "may_see_addresses", "created_at")
    deletion_form = reason_form(_READERS)
    locks_no_key = False

    @admin.display(description=_("may read customers’ e-mail addresses in full"), boolean=True)
    def reads_addresses(self, member: PartnerMember) -> bool:
        return member.may_reveal_addresses

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Keep a member at their partner: customers and history would move with them."""
        names = super().get_readonly_fields(request, obj)
        return names if obj is None else [*names, "user", "partner"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by, values = actor(request), form.cleaned_data
        if not change:
            saved = add_member(by=by, now=timezone.now(), **values)
        else:
            terms = {name: values[name] for name in ("role", "may_see_addresses")}
            saved = change_member(member=obj, by=by, now=timezone.now(), **terms)
        obj.__dict__.update(saved.__dict__)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Lock the partner's members before the member's row, as the services do."""
        if changes_one(request) and is_key(PartnerMember, object_id):
            member = PartnerMember.objects.only("partner").filter(pk=object_id).first()
            if member is not None:
                lock_members(member.partner_id)
        return super().get_object(request, object_id, from_field)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Remove the member as its partner reads of it: the console's activity lists it."""
        self.check_shown(request, obj)
        by = actor(request)
        with acting_for(obj.partner_id, by):
            reason = self.deletion_reason(request)
            remove_member(member=obj, by=by, now=timezone.now(), reason=reason)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"consequences": _what_removal_does(object_id), **(extra_context or {})}
        return super().delete_view(request, object_id, context)


_about_invitation = partial(
    ConfirmedAction,
    name=lambda invitation: f"{mask_address(invitation.address)} – {invitation.partner}",
    refusals=SENTENCES,
    permissions=["act"],
    works_for=lambda invitation: invitation.accepted_at is None and invitation.withdrawn_at is None,
)


class MemberInvitationStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        """Count an expired invitation as open until it is withdrawn."""
        accepted, withdrawn = Q(accepted_at__isnull=False), Q(withdrawn_at__isnull=False)
        return {
            "open": (_("open"), ~accepted & ~withdrawn),
            "accepted": (_("accepted"), accepted),
            "withdrawn": (_("withdrawn"), withdrawn),
        }


@admin.register(MemberInvitation)
class MemberInvitationAdmin(EvidenceAdmin):
    list_display = (
        "invited_at",
        "partner",
        "address",
        "role",
        "state",
    )
    list_select_related = ("partner",)
    list_filter = (MemberInvitationStateFilter, "role", *given("partner"))
    search_fields = ("address__exact", "partner__name__icontains")
    search_help_text = _("A whole e-mail address, or part of the partner's name")
    lower_case_search = True
    date_hierarchy = "invited_at"
    addresses = ("address",)
    fields = all_fields(MemberInvitation)
    actions = ("send_again", "withdraw")

    @admin.display(description=_("state"))
    def state(self, invitation: MemberInvitation) -> str:
        """Say what became of it, or until when it can be accepted."""
        if invitation.accepted_at is not None:
            return gettext("accepted %(moment)s") % {"moment": moment_text(invitation.accepted_at)}
        if invitation.withdrawn_at is not None:
            values = {"moment": moment_text(invitation.withdrawn_at)}
            return gettext("withdrawn %(moment)s") % values
        values = {"moment": moment_text(invitation.expires_at)}
        if invitation.expires_at <= timezone.now():
            return gettext("expired %(moment)s") % values
        return gettext("open until %(moment)s") % values

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("partners.change_memberinvitation")

    @_about_invitation(
        title=_("Send the invitation again"),
        consequences=(
            _("The same person gets another e-mail, and has seven days from now."),
            _("It also renews an invitation that has expired."),
        ),
        button=_("Send again"),
    )
    def send_again(self, invitation: MemberInvitation, **values: Any) -> None:
        resend_member_invitation(invitation=invitation, **values)

    @_about_invitation(
        title=_("Withdraw the invitation"),
        consequences=(_("It cannot be accepted any more. No e-mail is sent."),),
        button=_("Withdraw"),
        form=reason_form(_READERS),
    )
    def withdraw(self, invitation: MemberInvitation, **values: Any) -> None:
        withdraw_member_invitation(invitation=invitation, **values)
