"""What people type to register, to log in and to look after their log-in."""

import re
import uuid
from collections.abc import Iterable
from functools import cache
from typing import Any

from allauth.account.forms import LoginForm, ReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from accounts.addresses import InvalidAddress, canonical_address
from accounts.models import User

LONGEST_PASSWORD = 1024
# Registration is for the international site; the Chinese mainland has one of its own.
NOT_OFFERED = {"CN"}
_BETWEEN_DIGITS = re.compile(r"[\s\u00ad\u2010-\u2015\u2212.-]+")


@cache
def countries_in(language: str) -> list[tuple[str, str]]:
    """Return the countries and regions to choose from, sorted by their names in a language."""
    with translation.override(language):
        offered = [(code, str(name)) for code, name in countries if code not in NOT_OFFERED]
        return [("", str(_("Choose a country or region"))), *offered]


@cache
def country_options(language: str) -> SafeString:
    """Return the list's HTML, nothing selected."""
    return format_html_join("", '<option value="{}">{}</option>', countries_in(language))


def offered_countries() -> list[tuple[str, str]]:
    """Return the countries and regions to choose from, in the reader's language."""
    return countries_in(get_language() or settings.LANGUAGE_CODE)


class CountrySelect(forms.Select):
    """The list of countries. It is rendered once per language, then one of them is selected.

    Django renders a template for each of the 250 options, which took two thirds of the page's time.
    """

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the HTML that `Select` would, without blanks and line ends."""
        option = format_html('<option value="{}"', "" if value is None else value)
        options = country_options(get_language() or settings.LANGUAGE_CODE)
        return format_html(
            "<select{}>{}</select>",
            flatatt({"name": name, **self.build_attrs(self.attrs, attrs)}),
            SafeString(options.replace(f"{option}>", f"{option} selected>")),
        )


def capitalised(choices: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return the choices as a list of them reads on a page: each begins with a capital."""
    return [(value, capfirst(label)) for value, label in choices]


class CountryField(forms.ChoiceField):
    """A country or region of the international site."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("Country/Region"))
        super().__init__(
            choices=offered_countries,
            widget=CountrySelect(attrs={"autocomplete": "country"}),
            error_messages={
                "required": _("Choose your country or region."),
                "invalid_choice": _("Choose a country or region from the list."),
            },
            **options,
        )


class AddressField(forms.CharField):
    """One e-mail address; the value is as typed, and has a canonical form."""

    widget = forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"})
    default_error_messages = {
        "required": _("Enter your e-mail address."),
        "invalid": _("Enter an e-mail address like name@example.com."),
    }

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("E-mail"))
        super().__init__(strip=False, **options)

    def to_python(self, value: Any) -> str:
        """Return the typed address without the blanks around it. Raises ValidationError."""
        text = (super().to_python(value) or "").strip(" ")
        if text:
            try:
                canonical_address(text)
            except InvalidAddress as error:
                raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        return text


class _UnseenInput(forms.TextInput):
    """A text field that never shows again what was typed."""

    def format_value(self, value: Any) -> None:
        """Return nothing."""
        return


class CodeField(forms.CharField):
    """The six digits of a mail; spaces, hyphens and other scripts' digits are understood."""

    widget = _UnseenInput(
        attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code"}
    )
    default_error_messages = {
        "required": _("Enter the code from the e-mail."),
        "invalid": _("The code has six digits. Enter it as it stands in the e-mail."),
    }

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("Code"))
        super().__init__(**options)

    def to_python(self, value: Any) -> str:
        """Return six ASCII digits, or nothing. Raises ValidationError."""
        text = _BETWEEN_DIGITS.sub("", super().to_python(value) or "")
        if text and not (len(text) == 6 and text.isdecimal()):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return "".join(str(int(digit)) for digit in text)


class _PasswordField(forms.CharField):
    """A password, exactly as typed; never cut short by the browser or by us."""

    def __init__(self, *, autocomplete: str, **options: Any) -> None:
        super().__init__(
            strip=False,
            max_length=LONGEST_PASSWORD,
            widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
            error_messages={
                "required": _("Enter a password."),
                "max_length": _("Use at most 1,024 characters."),
            },
            **options,
        )

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Leave out `maxlength`: browsers cut what is pasted without a word."""
        attributes = super().widget_attrs(widget)
        attributes.pop("maxlength", None)
        return attributes


class NewPasswordField(_PasswordField):
    """A password that is being chosen; `refuse_weak_password()` holds the policy."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("Password"))
        options.setdefault(
            "help_text",
            _(
                "At least 12 characters. A few unrelated words are easy to remember and hard to"
                " guess."
            ),
        )
        super().__init__(autocomplete="new-password", **options)


class PresentPasswordField(_PasswordField):
    """The password that someone already has."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("Password"))
        super().__init__(autocomplete="current-password", **options)


def refuse_weak_password(form: forms.Form, *, user: User) -> None:
    """Add to the field `password` what the policy says against it; `user` may be unsaved."""
    password = form.cleaned_data.get("password")
    if password:
        try:
            validate_password(password, user)
        except ValidationError as error:
            form.add_error("password", error)


class AddressForm(forms.Form):
    """Register, first part: where to bill and where to write."""

    country = CountryField()
    email = AddressField()


class CodeForm(forms.Form):
    """Register, second part: the code from the mail and a password."""

    code = CodeField()
    password = NewPasswordField()

    def __init__(self, *args: Any, address: str, **options: Any) -> None:
        self.address = address
        super().__init__(*args, **options)

    def clean(self) -> dict[str, Any]:
        """Hold the password against the policy and the address."""
        refuse_weak_password(self, user=User(email=self.address))
        return self.cleaned_data


class ResetPasswordForm(forms.Form):
    """Who forgot the password. `flow` makes two clicks one request."""

    email = AddressField()
    flow = forms.UUIDField(required=False, initial=uuid.uuid4, widget=forms.HiddenInput)


class NewPasswordForm(CodeForm):
    """The code from the mail and the new password."""

    password = NewPasswordField(label=_("New password"))


class ChangePasswordForm(forms.Form):
    """The present password and the new one."""

    present_password = PresentPasswordField(label=_("Present password"))
    password = NewPasswordField(label=_("New password"))

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        self.user = user
        super().__init__(*args, **options)

    def clean(self) -> dict[str, Any]:
        """Hold the new password against the policy."""
        refuse_weak_password(self, user=self.user)
        return self.cleaned_data


class RenameForm(forms.Form):
    """The account name of one's own choice."""

    account_name = forms.CharField(
        label=_("New account name"),
        max_length=40,
        help_text=_(
            "4 to 40 letters, digits, dots, hyphens or underscores, beginning with a letter."
        ),
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={"required": _("Enter the new account name.")},
    )


class LogInForm(LoginForm):  # type: ignore[misc]
    """Account name or e-mail, and password."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["login"] = forms.CharField(
            label=_("Account name or e-mail"),
            max_length=254,
            widget=forms.TextInput(
                attrs={
                    "autocomplete": "username",
                    "autocapitalize": "none",
                    "spellcheck": "false",
                }
            ),
            error_messages={"required": _("Enter your account name or e-mail.")},
        )
        self.fields["password"] = PresentPasswordField()
        self.order_fields(["login", "password"])

    def user_credentials(self) -> dict[str, str]:
        """Return the credentials in the form in which they are stored."""
        login, password = self.cleaned_data["login"], self.cleaned_data["password"]
        try:
            return {"email": canonical_address(login), "password": password}
        except InvalidAddress:
            return {"username": login.lower(), "password": password}


class PresentPasswordForm(ReauthenticateForm):  # type: ignore[misc]
    """The password once more, before something that matters."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["password"] = PresentPasswordField()


class SecondFactorForm(AuthenticateForm):  # type: ignore[misc]
    """The code of the authenticator app, or a recovery code."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["code"].widget = _UnseenInput(attrs={"autocomplete": "one-time-code"})
        self.fields["code"].error_messages["required"] = _("Enter the code.")


class SetUpSecondFactorForm(forms.Form):
    """The first code of an authenticator app, and the password."""

    code = CodeField(
        label=_("Code from the app"),
        error_messages={
            "required": _("Enter the code that the app shows."),
            "invalid": _("The code has six digits. Enter it as the app shows it."),
        },
    )
    password = PresentPasswordField(label=_("Your password"))


class RemoveSecondFactorForm(forms.Form):
    """A code of the authenticator app, or a recovery code, and the password."""

    code = forms.CharField(
        label=_("Code from the app, or a recovery code"),
        max_length=20,
        widget=_UnseenInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages={"required": _("Enter the code.")},
    )
    password = PresentPasswordField(label=_("Your password"))


class MailboxForm(forms.Form):
    """Whose mails the demo's mailbox shows: one address, or everybody's."""

    to = AddressField(label=_("Only mails to this address"), required=False)

    def clean_to(self) -> str:
        """Return the canonical form, which mails are compared by; empty for everybody."""
        typed: str = self.cleaned_data["to"]
        return canonical_address(typed) if typed else ""
