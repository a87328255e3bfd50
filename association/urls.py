"""The addresses of the pages of association."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
