"""The forms with which users register, log in, and change how they log in."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.forms import LoginForm, ReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.fields import (
    CodeField,
    CountryField,
    EmailField,
    NewPasswordField,
    PresentPasswordField,
    UnseenInput,
)
from accounts.models import User
from accounts.refusals import refusal_sentence
from accounts.services.connected_logins import uses_password
from web import limits
from web.email_addresses import InvalidAddress, canonical_address, is_address
from web.refused import Refused
from web.security_log import log_security_event
from web.text_fields import CodeTextField, LineField

# What browsers need to know about a field for an account name.
_ACCOUNT_NAME = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}


def is_password_right(form: forms.Form, field: str, *, user: User, action: str) -> bool:
    """Compare a typed password, within the limit of `action`, or add an error to the form.

    A form without the field is that of a user who logs in at an issuer and has no password.
    """
    limits.count_use(action, f"user {user.pk}")
    if field not in form.fields:
        return True
    if user.check_password(form.cleaned_data[field]):
        return True
    form.add_error(field, _("That is not your password."))
    return False


@contextmanager
def refusals_as_errors(form: forms.Form, field: str) -> Iterator[None]:
    """Add the sentence for a refusal to the form, and go on after the block."""
    try:
        yield
    except Refused as refused:
        form.add_error(field, refusal_sentence(refused))


class _NewPasswordForm(forms.Form):
    """Checks the field `password` against the policy; `user` may be unsaved."""

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        self.user = user
        super().__init__(*args, **options)

    def clean(self) -> dict[str, Any]:
        if "password" in self.cleaned_data:
            try:
                validate_password(self.cleaned_data["password"], self.user)
            except ValidationError as error:
                self.add_error("password", error)
        return self.cleaned_data


class CountryAndEmailForm(forms.Form):
    country = CountryField()
    email = EmailField()


class CodeForm(_NewPasswordForm):
    code = CodeField(label=_("Code"))
    password = NewPasswordField()

    def __init__(self, *args: Any, email: str, **options: Any) -> None:
        self.email = email
        super().__init__(*args, user=User(email=email), **options)


class ResetPasswordForm(forms.Form):
    """The e-mail address of a user who forgot the password. `flow` makes two clicks one request."""

    email = EmailField()
    flow = forms.UUIDField(required=False, initial=uuid.uuid4, widget=forms.HiddenInput)


class MailboxForm(forms.Form):
    """The login that needs a code, and where the log-in leads; of these nothing is shown.

    `email` is asked for where the login is an account name: `canonical_email` gets the code.
    `ticket` tells the server alone whether the password was right.
    """

    email = EmailField(label=_("E-mail address of your account"))
    login = forms.CharField(max_length=254, widget=forms.HiddenInput)
    next = forms.CharField(required=False, widget=forms.HiddenInput)
    flow = forms.UUIDField(initial=uuid.uuid4, widget=forms.HiddenInput)
    ticket = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if is_address(self["login"].value() or ""):
            del self.fields["email"]

    @property
    def canonical_email(self) -> str:
        return canonical_address(self.cleaned_data.get("email") or self.cleaned_data["login"])


class LogInCodeForm(forms.Form):
    code = CodeField(label=_("Code"))


class NewPasswordForm(CodeForm):
    password = NewPasswordField(label=_("New password"))


class ChangePasswordForm(_NewPasswordForm):
    present_password = PresentPasswordField(label=_("Present password"))
    password = NewPasswordField(label=_("New password"))


class RenameForm(forms.Form):
    account_name = LineField(
        label=_("New account name"),
        max_length=40,
        help_text=_(
            "4 to 40 letters, digits, dots, hyphens or underscores, beginning with a letter."
        ),
        widget=forms.TextInput(attrs=_ACCOUNT_NAME),
        error_messages={"required": _("Enter the new account name.")},
    )


class LogInForm(LoginForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["login"] = LineField(
            label=_("Account name or e-mail"),
            max_length=254,
            widget=forms.TextInput(attrs=_ACCOUNT_NAME),
            error_messages={"required": _("Enter your account name or e-mail.")},
        )
        self.fields["password"] = PresentPasswordField()
        self.order_fields(["login", "password"])

    def user_credentials(self) -> dict[str, str]:
        login, password = self.cleaned_data["login"], self.cleaned_data["password"]
        try:
            return {"email": canonical_address(login), "password": password}
        except InvalidAddress:
            return {"username": login.lower(), "password": password}


class PresentPasswordForm(ReauthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["password"] = PresentPasswordField()


class SecondFactorForm(AuthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["code"] = CodeTextField(
            label=self.fields["code"].label,
            widget=UnseenInput(attrs={"autocomplete": "one-time-code"}),
            error_messages={"required": _("Enter the code.")},
        )

    def clean_code(self) -> str:
        key = f"user {self.user.pk}"
        limits.count_use("second_factor_at_login", key)
        try:
            code: str = super().clean_code()
        except ValidationError:
            log_security_event("second_factor.failed", user=self.user.pk)
            raise
        limits.clear_limit("second_factor_at_login", key)
        return code


class _WithPresentPassword(forms.Form):
    """Asks for the password, of a user who has one."""

    password = PresentPasswordField(label=_("Your password"))
    field_order = ("code", "password")

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        if not uses_password(user):
            del self.fields["password"]


class SetUpSecondFactorForm(_WithPresentPassword):
    code = CodeField(
        label=_("Code from the app"),
        error_messages={
            "required": _("Enter the code that the app shows."),
            "invalid": _("The code has six digits. Enter it as the app shows it."),
        },
    )


class RemoveSecondFactorForm(_WithPresentPassword):
    code = CodeTextField(
        label=_("Code from the app, or a recovery code"),
        max_length=20,
        widget=UnseenInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages={"required": _("Enter the code.")},
    )
