"""The URLs of the demo."""

from django.urls import URLPattern, path

from demo import views

urlpatterns: list[URLPattern] = [
    path("demo/", views.tour, name="demo"),
    path("demo/log-in", views.log_in_as, name="demo_log_in"),
    path("demo/mailbox/", views.mailbox, name="demo_mailbox"),
    path("demo/mailbox/<slug:key>/", views.email_as_html, name="demo_mail_as_html"),
]
