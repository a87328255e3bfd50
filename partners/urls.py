"""The addresses of the console's pages about invitations."""

from django.urls import URLPattern, path

from partners.views import requests

urlpatterns: list[URLPattern] = [
    path(
        "partner/requests/<int:request_id>/invitation",
        requests.send_invitation,
        name="console_send_invitation",
    ),
]
