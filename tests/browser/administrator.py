"""The provider's administrator with a browser: acts in the admin, and reads what it says."""

from django.conf import settings
from django.test import Client

from tests.browser.visitor import Visitor
from tests.factories import UserFactory


class Administrator:
    """A visitor who is signed in to the admin; its second factor is tested elsewhere."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(UserFactory.create(staff=True))
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        visitor.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": visitor.site}]
        )

    def open(self, address: str) -> None:
        """Open a page of the admin."""
        self.visitor.page.goto(f"/admin/{address}")
        assert self.visitor.answers[-1].status == 200

    def reads(self, *texts: str) -> bool:
        return all(self.visitor.reads(text) for text in texts)

    def act(self, where: str, action: str, reason: str) -> str:
        """Do an action with the one row of a list; return what the page said before."""
        page = self.visitor.page
        self.open(where)
        page.locator("input.action-select").check()
        page.locator("select[name=action]").select_option(label=action)
        with page.expect_navigation():
            page.locator("button[name=index]").click()
        said = " ".join(page.locator("main").inner_text().split())
        page.locator("input[name=reason]").fill(reason)
        with page.expect_navigation():
            page.locator("input[name=confirmed]").click()
        assert self.visitor.reads(f"{action}: done for")
        return said
