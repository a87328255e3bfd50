"""Log-in and security: what the user logs in with, and how to change it."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.forms import RenameForm
from accounts.models import User
from accounts.refusals import refusal_sentence
from accounts.services.account_names import rename_account
from web import limits
from web.answers import limited, posted, see_other
from web.refused import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@limited
def settings(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    form = RenameForm(posted(request))
    if form.is_valid() and _is_renamed(request, form):
        messages.success(request, _("Your account name has been changed."))
        return see_other("account_settings")
    context = {"form": form, "may_rename": user.account_name_changed_at is None}
    status = 400 if form.errors else 200
    return render(request, "account/settings.html", context, status=status)


def _is_renamed(request: HttpRequest, form: RenameForm) -> bool:
    user = cast("User", request.user)
    limits.count_use("rename_account", f"user {user.pk}")
    name = form.cleaned_data["account_name"]
    try:
        rename_account(user=user, account_name=name, by=user, now=timezone.now())
    except Refused as refused:
        form.add_error("account_name", refusal_sentence(refused))
        return False
    return True
