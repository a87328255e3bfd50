"""The addresses of the console's pages about invitations, members and settings, and of logos."""

from django.urls import URLPattern, path, re_path

from partners.models.logos import LOGOS
from partners.views import (
    batches,
    bulk_invitations,
    email_invitations,
    invitation_changes,
    invitation_pictures,
    invitation_requests,
    invitations,
    logos,
    mailings,
    members,
    membership,
    notifications,
    settings,
    unsubscribe,
)

INVITATIONS = "partner/invitations/"
INVITATION = f"{INVITATIONS}<int:invitation_id>/"
BATCHES = f"{INVITATIONS}batches/"
BATCH = f"{BATCHES}<int:batch_id>/"
BULK = f"{INVITATIONS}bulk/"
BULK_ACTION = f"{BULK}<int:bulk_action_id>"
REQUESTS = "partner/requests/"
REQUEST = f"{REQUESTS}<int:invitation_request_id>/"
MEMBERS = "partner/members/"
MEMBER = f"{MEMBERS}<int:member_id>/"
MEMBER_INVITATION = f"{MEMBERS}invitations/<int:member_invitation_id>/"
SETTINGS = "partner/settings/"
LOGO = f"{LOGOS}(?P<sha256>[0-9a-f]{{64}})"
UNSUBSCRIBE = "no-more-invitations/<str:signed>"
MEMBERSHIPS = "account/membership/"
MEMBERSHIP = f"{MEMBERSHIPS}<int:member_invitation_id>/"

urlpatterns: list[URLPattern] = [
    path(INVITATIONS, invitations.invitations, name="console_invitations"),
    path(f"{INVITATIONS}email/new", email_invitations.new_email, name="console_new_email"),
    path(f"{INVITATIONS}email/many", mailings.many_emails, name="console_many_emails"),
    path(f"{INVITATIONS}email/template.csv", mailings.template, name="console_list_template"),
    path(BATCHES, batches.batches, name="console_batches"),
    path(f"{BATCHES}new", batches.new_batch, name="console_new_batch"),
    path(BATCH, batches.batch, name="console_batch"),
    path(f"{BATCH}name", batches.rename, name="console_rename_batch"),
    path(f"{BATCH}actions", bulk_invitations.choose_of_batch, name="console_choose_of_batch"),
    path(f"{BATCH}outcomes.csv", batches.outcomes, name="console_batch_outcomes"),
    path(f"{BATCH}undelivered.csv", batches.undelivered, name="console_batch_undelivered"),
    path(f"{BATCH}cancellation", batches.cancel, name="console_cancel_batch"),
    path(f"{BATCH}links.csv", batches.links, name="console_batch_links"),
    path(f"{BATCH}codes.zip", batches.codes, name="console_batch_codes"),
    path(f"{BATCH}labels", batches.labels, name="console_batch_labels"),
    path(f"{BATCH}list", mailings.mailing, name="console_mailing"),
    path(f"{BATCH}bad-rows.csv", mailings.bad_rows, name="console_bad_rows"),
    path(f"{BATCH}remarks.csv", mailings.remarks, name="console_list_remarks"),
    path(f"{INVITATIONS}new", invitation_changes.new_link, name="console_new_link"),
    path(BULK, bulk_invitations.choose_invitations, name="console_choose_invitations"),
    path(f"{BULK_ACTION}/", bulk_invitations.bulk_invitations, name="console_bulk_invitations"),
    path(
        f"{BULK_ACTION}.csv",
        bulk_invitations.bulk_invitations_csv,
        name="console_bulk_invitations_csv",
    ),
    path(INVITATION, invitations.invitation, name="console_invitation"),
    path(f"{INVITATION}edit", invitation_changes.edit, name="console_edit_invitation"),
    path(f"{INVITATION}revoke", invitation_changes.revoke, name="console_revoke_invitation"),
    path(f"{INVITATION}resend", invitations.resend, name="console_resend_invitation"),
    path(f"{INVITATION}qr.svg", invitation_pictures.svg, name="console_qr_svg"),
    path(f"{INVITATION}qr.png", invitation_pictures.png, name="console_qr_png"),
    path(f"{INVITATION}print", invitation_pictures.sheet, name="console_print_invitation"),
    path(REQUESTS, invitation_requests.invitation_requests, name="console_invitation_requests"),
    path(
        f"{REQUEST}invitation",
        invitation_requests.send_invitation,
        name="console_answer_invitation_request",
    ),
    path(
        f"{REQUEST}dismissal",
        invitation_requests.dismiss,
        name="console_dismiss_invitation_request",
    ),
    path(MEMBERS, members.members, name="console_members"),
    path(f"{MEMBERS}invite", members.invite, name="console_invite_member"),
    path(f"{MEMBER}edit", members.edit, name="console_edit_member"),
    path(f"{MEMBER}remove", members.remove, name="console_remove_member"),
    path(
        f"{MEMBER_INVITATION}withdraw", members.withdraw, name="console_withdraw_member_invitation"
    ),
    path(f"{MEMBER_INVITATION}send", members.send_again, name="console_send_member_invitation"),
    path("partner/notifications/", notifications.notifications, name="console_notifications"),
    path(SETTINGS, settings.settings_page, name="console_settings"),
    path(f"{SETTINGS}contact", settings.contact, name="console_edit_contact"),
    path(f"{SETTINGS}logo", settings.logo, name="console_edit_logo"),
    path(f"{SETTINGS}time-zone", settings.zone, name="console_edit_zone"),
    path(f"{SETTINGS}files", settings.files, name="console_edit_files"),
    path(f"{SETTINGS}budget", settings.default_budget, name="console_edit_default_budget"),
    re_path(rf"^{LOGO}[.]png$", logos.logo, name="logo"),
    re_path(rf"^{LOGO}/preview[.]png$", logos.logo, {"size": "preview"}, name="logo_preview"),
    path(MEMBERSHIPS, membership.membership, name="membership"),
    path(f"{MEMBERSHIP}accept", membership.accept, name="accept_membership"),
    path(f"{MEMBERSHIP}decline", membership.decline, name="decline_membership"),
    path(UNSUBSCRIBE, unsubscribe.unsubscribe, name="unsubscribe"),
    path(f"{UNSUBSCRIBE}/stop", unsubscribe.unsubscribe_now, name="unsubscribe_now"),
    path(f"{UNSUBSCRIBE}/undo", unsubscribe.subscribe_again, name="subscribe_again"),
]
