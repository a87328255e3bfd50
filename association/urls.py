"""The URLs of the journey, documents, the account area, and the console's customer pages."""

from django.urls import URLPattern, path, re_path

from association.views import (
    account,
    authorization,
    check,
    confirm,
    done,
    ending,
    first_steps,
    instructions,
    landing,
    later,
    my_partner,
    register,
)
from association.views.console import (
    activity,
    budgets,
    bulk_customers,
    customer_actions,
    customers,
    endings,
    history,
    overview,
    search,
)

# A QR code has the token in capitals, older ones also /I/; all are answered directly.
INVITATION = "^[iI]/(?P<token>[0-9A-Za-z]{26})"
JOIN = "join/<uuid:attempt_id>/"
HISTORY = "partner/history/"
BULK = "partner/customers/bulk/"
BULK_ACTION = f"{BULK}<int:bulk_action_id>"
CUSTOMER = "partner/customers/<int:association_id>/"

urlpatterns: list[URLPattern] = [
    re_path(f"{INVITATION}$", landing.landing, name="landing"),
    re_path(
        f"{INVITATION}/instructions$", first_steps.first_instructions, name="first_instructions"
    ),
    re_path(f"{INVITATION}/account$", first_steps.first_account, name="first_account"),
    re_path("^[iI]/(?P<rest>.*)", landing.malformed_invitation, name="malformed_invitation"),
    path("", landing.front, name="front"),
    path("join/", landing.enter_by_hand, name="enter_by_hand"),
    path(JOIN, done.resume, name="join_resume"),
    path(f"{JOIN}instructions", instructions.instructions, name="join_instructions"),
    path(f"{JOIN}account", account.account, name="join_account"),
    path(f"{JOIN}ask", account.ask, name="join_ask"),
    path(f"{JOIN}switch", account.switch, name="join_switch"),
    path(f"{JOIN}register", register.register, name="join_register"),
    path(f"{JOIN}register/code", register.send_code, name="join_send_code"),
    path(f"{JOIN}register/address", register.change_address, name="join_change_address"),
    path(f"{JOIN}register/account", register.create_account, name="join_create_account"),
    path(f"{JOIN}check", check.check, name="join_check"),
    path(f"{JOIN}check/tell", check.tell, name="join_tell_partner"),
    path(f"{JOIN}enable", confirm.enable, name="join_enable"),
    path(f"{JOIN}enable/later", later.enable_later, name="join_enable_later"),
    path(f"{JOIN}enable/later.ics", later.calendar, name="join_calendar"),
    path(f"{JOIN}confirm", confirm.confirm, name="join_confirm"),
    path(f"{JOIN}done", done.done, name="join_done"),
    path("documents/<slug:kind>/", instructions.document, name="document"),
    path("account/", my_partner.account_home, name="account_home"),
    path("account/partner/", my_partner.my_partner, name="my_partner"),
    path("account/partner/authorization/", authorization.authorization, name="my_authorization"),
    path("account/partner/ask-budget", my_partner.ask_partner, name="ask_partner"),
    path("account/partner/end/", ending.end, name="my_end"),
    path("account/attempts/<uuid:attempt_id>/dismiss", my_partner.dismiss, name="dismiss_attempt"),
    path("account/consents/<int:consent_id>/", my_partner.consent, name="consent"),
    path("account/consents/<int:consent_id>/text", my_partner.consent_text, name="consent_text"),
    path("partner/", overview.overview, name="console_overview"),
    path("partner/search", search.search, name="console_search"),
    path("partner/activity/", activity.activity, name="console_activity"),
    path(HISTORY, history.history, name="console_history"),
    path("partner/history.csv", history.history_csv, name="console_history_csv"),
    path(f"{HISTORY}<uuid:attempt_id>/", history.attempt, name="console_attempt"),
    path(f"{HISTORY}<uuid:attempt_id>/reveal", history.reveal, name="console_reveal_address"),
    path(f"{HISTORY}<uuid:attempt_id>/follow-up", history.send_follow_up, name="console_follow_up"),
    path(f"{HISTORY}<uuid:attempt_id>/remind", history.remind, name="console_remind"),
    path("partner/customers/", customers.customers, name="console_customers"),
    path("partner/customers.csv", customers.customers_csv, name="console_customers_csv"),
    path(BULK, bulk_customers.choose_customers, name="console_choose_customers"),
    path(f"{BULK_ACTION}/", bulk_customers.bulk_customers, name="console_bulk_customers"),
    path(
        f"{BULK_ACTION}.csv", bulk_customers.bulk_customers_csv, name="console_bulk_customers_csv"
    ),
    path(CUSTOMER, customers.customer, name="console_customer"),
    path(f"{CUSTOMER}reveal", customers.reveal, name="console_reveal_customer"),
    path(f"{CUSTOMER}name", customer_actions.rename, name="console_rename_customer"),
    path(f"{CUSTOMER}budget", budgets.set_budget, name="console_set_budget"),
    path(f"{CUSTOMER}freeze", customer_actions.freeze, name="console_freeze"),
    path(f"{CUSTOMER}unfreeze", customer_actions.unfreeze, name="console_unfreeze"),
    path(f"{CUSTOMER}end", endings.end, name="console_end"),
    path(f"{CUSTOMER}manager", customer_actions.manager, name="console_assign_manager"),
    path(
        f"{CUSTOMER}authorization",
        customer_actions.request_customer_authorization,
        name="console_request_authorization",
    ),
]
