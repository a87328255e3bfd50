"""Where one-time messages wait for the next page."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage


class HostCookieStorage(CookieStorage):
    """Keeps them in a cookie that carries this project's cookie prefix."""

    cookie_name = settings.MESSAGE_COOKIE_NAME
