"""The visitor's mailbox: what the worker would have sent by now."""

import re
from urllib.parse import urlsplit

from django.core import mail

from outbox.services.delivery import MailSender

CODE = re.compile(r"^\d{6}$", re.MULTILINE)
LINK = re.compile(r"^http://\S+$", re.MULTILINE)


def deliver() -> None:
    """Send all that is due, as the worker does; it arrives in `mail.outbox`."""
    courier = MailSender(mail.get_connection())
    while courier.deliver_batch():
        pass


def newest_mail_to(address: str) -> mail.EmailMessage:
    """Return the mail that arrived last at this address."""
    deliver()
    return [found for found in mail.outbox if found.to == [address]][-1]


def code_mailed_to(address: str) -> str:
    """Return the six digits that stand alone on a line of the newest mail."""
    (code,) = CODE.findall(str(newest_mail_to(address).body))
    return str(code)


def links_mailed_to(address: str) -> list[str]:
    """Return the addresses that stand alone on a line of the newest mail."""
    return [str(link) for link in LINK.findall(str(newest_mail_to(address).body))]


def link_mailed_to(address: str, part: str) -> str:
    """Return the one address in the newest mail that contains `part`."""
    (link,) = [link for link in links_mailed_to(address) if part in link]
    return link


def all_links_mailed_to(address: str) -> list[str]:
    """Return the pages to which all mails that have arrived lead, each once."""
    deliver()
    mails = [found for found in mail.outbox if found.to == [address]]
    found = {str(link) for mailed in mails for link in LINK.findall(str(mailed.body))}
    # The signature names the site alone.
    return sorted(link for link in found if urlsplit(link).path)
