"""The URLs of the pages of accounts.

allauth's pages stand here one by one under allauth's names: its sign-up, e-mail and confirmation
pages would make unproven users or write while they show, and do not exist.
"""

from django.urls import URLPattern, path

from accounts.issuer_logins import needs_passwords
from accounts.views import credentials, login, mailbox_proof, password_reset, second_factor

about_passwords: list[URLPattern] = [
    path("account/login/mailbox/", mailbox_proof.prove, name="account_prove_mailbox"),
    path("account/login/mailbox/code", mailbox_proof.send_code, name="account_send_log_in_code"),
    path(
        "account/login/mailbox/new-code",
        mailbox_proof.send_new_code,
        name="account_send_new_log_in_code",
    ),
    path("account/reauthenticate/", login.confirm, name="account_reauthenticate"),
    path("account/password/reset/", password_reset.forgotten, name="account_reset_password"),
    path(
        "account/password/reset/confirm/",
        password_reset.reset,
        name="account_confirm_password_reset_code",
    ),
    path("account/password/change/", credentials.change, name="account_change_password"),
]
for _page in about_passwords:
    _page.callback = needs_passwords(_page.callback)

urlpatterns: list[URLPattern] = [
    path("account/login/", login.log_in, name="account_login"),
    path("account/logout/", login.log_out, name="account_logout"),
    path("account/2fa/", second_factor.second_factor, name="second_factor"),
    path("account/2fa/authenticate/", login.second_factor, name="mfa_authenticate"),
    path(
        "account/connected-logins/<int:login_id>/disconnect",
        credentials.disconnect,
        name="account_disconnect_login",
    ),
    path("account/settings/", credentials.settings, name="account_settings"),
    *about_passwords,
]
