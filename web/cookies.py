"""The names of our cookies, and the storage of one-time messages in one of them."""

from django.conf import settings
from django.contrib.messages.storage.base import BaseStorage, Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.signing import Signer, get_cookie_signer
from django.http import HttpRequest
from django.utils.functional import cached_property


def personal_cookies() -> set[str]:
    return {
        settings.SESSION_COOKIE_NAME,
        settings.BROWSER_COOKIE_NAME,
        settings.MESSAGE_COOKIE_NAME,
    }


def has_personal_cookie(request: HttpRequest) -> bool:
    return bool(request.COOKIES) and not personal_cookies().isdisjoint(request.COOKIES)


def has_any_cookie(request: HttpRequest) -> bool:
    """Return whether the browser sent any cookie of ours; other sites' cookies do not count."""
    ours = {*personal_cookies(), settings.LANGUAGE_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    return not ours.isdisjoint(request.COOKIES)


class MessageStorage(CookieStorage):
    cookie_name = settings.MESSAGE_COOKIE_NAME

    def __init__(self, request: HttpRequest) -> None:
        # CookieStorage.__init__ makes a signer for every request, also without messages.
        BaseStorage.__init__(self, request)

    @cached_property
    def signer(self) -> Signer:
        return get_cookie_signer(salt=self.key_salt)

    def add(self, level: int, message: str, extra_tags: str | None = "") -> None:
        """Say a sentence once: an action that runs again after a deadlock adds it again."""
        if Message(level, message) not in self._queued_messages:  # type: ignore[attr-defined]
            super().add(level, message, extra_tags)
