"""The URLs of the demo."""

from django.urls import URLPattern, path

from demo.views import mailbox, tour

urlpatterns: list[URLPattern] = [
    path("demo/", tour.tour, name="demo"),
    path("demo/mailbox/", mailbox.mailbox, name="demo_mailbox"),
    path("demo/mailbox/<slug:key>/", mailbox.mail_as_html, name="demo_mail_as_html"),
]
