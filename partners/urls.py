"""The addresses of the console's pages about invitations and members."""

from django.urls import URLPattern, path

from partners.views import invitations, members, requests

CONSOLE = "partner/"

urlpatterns: list[URLPattern] = [
    path(f"{CONSOLE}invitations/", invitations.invitations, name="console_invitations"),
    path(f"{CONSOLE}requests/", requests.requests, name="console_requests"),
    path(
        f"{CONSOLE}requests/<int:request_id>/invitation",
        requests.send_invitation,
        name="console_send_invitation",
    ),
    path(
        f"{CONSOLE}requests/<int:request_id>/dismissal",
        requests.dismiss,
        name="console_dismiss_request",
    ),
    path(f"{CONSOLE}members/", members.members, name="console_members"),
]
