"""Forms as a browser sends them: with the version that their page shows."""

import re
from html import unescape
from typing import Any

from django.http import HttpResponse
from django.test import Client

from web.versioned_forms import SHOWN_VERSION

HIDDEN = re.compile(r'<input type="hidden" name="([\w-]+)"(?: value="([^"]*)")?')


def hidden_fields(page: HttpResponse) -> dict[str, str]:
    """Return the hidden fields of the page's forms; where two have a name in common, the last."""
    return {name: unescape(value) for name, value in HIDDEN.findall(page.content.decode())}


def version_of(page: HttpResponse) -> dict[str, str]:
    """Return the field with the version that the page shows, if it has one."""
    return {name: value for name, value in hidden_fields(page).items() if name == SHOWN_VERSION}


def open_and_send(client: Client, address: str, data: dict[str, Any], **options: Any) -> Any:
    """Open the page, and send its form with `data`."""
    return client.post(address, {**version_of(client.get(address)), **data}, **options)


def confirm_action(client: Client, address: str, data: dict[str, Any], **options: Any) -> Any:
    """Choose an action in an admin's list, and confirm it with `data` on the page that follows."""
    page = client.post(address, {name: data[name] for name in ("action", "_selected_action")})
    return client.post(address, {**version_of(page), **data, "confirmed": "1"}, **options)
