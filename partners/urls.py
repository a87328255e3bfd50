"""The addresses of the console's pages about invitations and members."""

from django.urls import URLPattern, path

from partners.views import (
    batches,
    email_invitations,
    invitation_changes,
    invitation_pictures,
    invitation_requests,
    invitations,
    members,
    membership,
)

CONSOLE = "partner/"
BATCHES = f"{CONSOLE}invitations/batches/"
BATCH = f"{BATCHES}<int:batch_id>/"
ONE = f"{CONSOLE}invitations/<int:invitation_id>/"

urlpatterns: list[URLPattern] = [
    path(f"{CONSOLE}invitations/", invitations.invitations, name="console_invitations"),
    path(f"{CONSOLE}invitations/email/new", email_invitations.new_email, name="console_new_email"),
    path(
        f"{CONSOLE}invitations/email/many",
        email_invitations.many_emails,
        name="console_many_emails",
    ),
    path(f"{BATCHES}", batches.batches, name="console_batches"),
    path(f"{BATCHES}new", batches.new_batch, name="console_new_batch"),
    path(f"{BATCH}", batches.batch, name="console_batch"),
    path(f"{BATCH}cancellation", batches.cancel, name="console_cancel_batch"),
    path(f"{BATCH}links.csv", batches.links, name="console_batch_links"),
    path(f"{BATCH}codes.zip", batches.codes, name="console_batch_codes"),
    path(f"{BATCH}labels", batches.labels, name="console_batch_labels"),
    path(f"{BATCH}list", email_invitations.mailing, name="console_mailing"),
    path(f"{BATCH}bad-rows.csv", email_invitations.bad_rows, name="console_bad_rows"),
    path(f"{CONSOLE}invitations/new", invitation_changes.new_link, name="console_new_link"),
    path(ONE, invitations.invitation, name="console_invitation"),
    path(f"{ONE}edit", invitation_changes.edit, name="console_edit_invitation"),
    path(f"{ONE}revoke", invitation_changes.revoke, name="console_revoke_invitation"),
    path(f"{ONE}resend", invitations.resend, name="console_resend_invitation"),
    path(f"{ONE}qr.svg", invitation_pictures.svg, name="console_qr_svg"),
    path(f"{ONE}qr.png", invitation_pictures.png, name="console_qr_png"),
    path(f"{ONE}print", invitation_pictures.sheet, name="console_print_invitation"),
    path(
        f"{CONSOLE}requests/",
        invitation_requests.invitation_requests,
        name="console_invitation_requests",
    ),
    path(
        f"{CONSOLE}requests/<int:invitation_request_id>/invitation",
        invitation_requests.send_invitation,
        name="console_answer_invitation_request",
    ),
    path(
        f"{CONSOLE}requests/<int:invitation_request_id>/dismissal",
        invitation_requests.dismiss,
        name="console_dismiss_invitation_request",
    ),
    path(f"{CONSOLE}members/", members.members, name="console_members"),
    path(f"{CONSOLE}members/invite", members.invite, name="console_invite_member"),
    path(f"{CONSOLE}members/<int:member_id>/edit", members.edit, name="console_edit_member"),
    path(f"{CONSOLE}members/<int:member_id>/remove", members.remove, name="console_remove_member"),
    path(
        f"{CONSOLE}members/invitations/<int:member_invitation_id>/withdraw",
        members.withdraw,
        name="console_withdraw_member_invitation",
    ),
    path(
        f"{CONSOLE}members/invitations/<int:member_invitation_id>/send",
        members.send_again,
        name="console_send_member_invitation",
    ),
    path("account/membership/", membership.membership, name="membership"),
    path(
        "account/membership/<int:member_invitation_id>/accept",
        membership.accept,
        name="accept_membership",
    ),
    path(
        "account/membership/<int:member_invitation_id>/decline",
        membership.decline,
        name="decline_membership",
    ),
]
