"""The console's notifications: each member chooses which e-mails to get, and when."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partners.forms.notifications import NotificationsForm
from partners.models import PartnerMember
from partners.services.notifications import choices_of, choose_notifications
from partners.views.gate import for_members
from partners.views.refusing import answer_form
from web.answers import posted


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def notifications(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    form = NotificationsForm(posted(request), shows=choices_of(member))

    def write() -> str:
        choose_notifications(
            member=member,
            choices=form.choices(),
            by=member.user,
            now=timezone.now(),
            shown_version=form.cleaned_data["shown_version"],
        )
        messages.success(request, _("Saved. The choice applies from now on."))
        return reverse("console_notifications")

    template = "partners/notifications.html"
    context = {
        "zone": member.partner.time_zone,
        "back_url": reverse("account_settings"),
        "back_label": _("Log-in and security"),
    }
    return answer_form(request, member, form, write, template, context, section="account")
