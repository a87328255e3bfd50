"""Where one-time messages wait for the next page."""

from django.conf import settings
from django.contrib.messages.storage.base import BaseStorage
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.signing import Signer, get_cookie_signer
from django.http import HttpRequest
from django.utils.functional import cached_property


class HostCookieStorage(CookieStorage):
    """Keeps them in a cookie that carries this project's cookie prefix."""

    cookie_name = settings.MESSAGE_COOKIE_NAME

    def __init__(self, request: HttpRequest) -> None:
        # Not CookieStorage's, which makes a signer for every request, with or without messages.
        BaseStorage.__init__(self, request)

    @cached_property
    def signer(self) -> Signer:
        """What signs the messages."""
        return get_cookie_signer(salt=self.key_salt)
