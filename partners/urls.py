"""The addresses of the pages of partners."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
