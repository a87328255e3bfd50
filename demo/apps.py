"""The app `demo`."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Installed only with DEMO=1."""

    name = "demo"
