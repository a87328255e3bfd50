"""The form that adds a partner, and asks its first administrator by e-mail."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import AuditedModelAdmin, actor
from partners.admin.shared import RefusingAdmin
from partners.forms.short_names import ShortNameField
from partners.forms.time_zones import TimeZoneField
from partners.models import Partner
from partners.services.new_partners import add_partner, administrator_problem
from web.email_addresses import InvalidAddress
from web.text_fields import AddressField

if TYPE_CHECKING:
    PartnerModelForm = forms.ModelForm[Partner]
else:
    PartnerModelForm = forms.ModelForm

FIELDS = (
    *("name", "slug", "legal_name", "country", "support_email"),
    *("time_zone", "allows_reseller", "allows_referral"),
)


class NewPartnerForm(PartnerModelForm):
    """What a partner needs; the rest is on its page."""

    administrator = AddressField(
        label=_("E-mail address of the first administrator"),
        help_text=_("This person is asked by e-mail to act for the partner, and has seven days."),
        named=True,
        widget=AdminTextInputWidget,
    )

    slug = ShortNameField(label=_("Short name"), max_length=50, widget=AdminTextInputWidget)
    time_zone = TimeZoneField(label=_("Time zone"), initial="UTC")

    class Meta:
        model = Partner
        fields = FIELDS

    def clean_administrator(self) -> str:
        typed: str = self.cleaned_data["administrator"]
        try:
            problem = administrator_problem(typed)
        except InvalidAddress as error:
            raise ValidationError(_("This is not an e-mail address that we accept.")) from error
        if problem is not None:
            raise ValidationError(
                _("This person acts for a partner already, or is a partner's customer.")
            )
        return typed


class NewPartnerAdmin(RefusingAdmin, AuditedModelAdmin):
    """The page that adds a partner; what the service refuses is shown as a sentence."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*FIELDS, "administrator"] if obj is None else super().get_fields(request, obj)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        if obj is None:
            options["form"] = NewPartnerForm
        return super().get_form(request, obj, change, **options)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        administrator = form.cleaned_data["administrator"]
        add_partner(
            partner=obj,
            administrator=administrator,
            by=actor(request),
            now=timezone.now(),
            allow_any_name=True,
        )
        text = gettext("%(address)s is asked by e-mail to act for the partner, and has seven days.")
        messages.success(request, text % {"address": administrator})

    def record_change(self, request: HttpRequest, form: Any, change: bool) -> None:
        if change:
            super().record_change(request, form, change)
