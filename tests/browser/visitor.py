"""A person with a browser: opens pages, presses buttons, and notices whatever is wrong."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
)

from accounts.models import User
from partners.models import Invitation
from tests.browser.mails import code_mailed_to
from tests.browser.quality import check_page
from tests.factories import PASSWORD

# The browser's own line for an answer that is no success; which ones come is asserted per page.
PROVOKED = re.compile(
    r"Failed to load resource: the server responded with a status of 4\d\d \(.*\)"
)
# The heading of each page; a page is named after what it is in the journey.
HEADINGS = {
    "landing": r".* invites you to become its customer",
    "instructions": "Read the instructions",
    "account": "Which account do you want to use\\?",
    "register": "Register a new account",
    "code": "Enter the code from your e-mail",
    "reset": r"Which e-mail address do you log in with\?",
    "login": "Log in( to become a customer of .*)?",
    "check": r"Your account cannot join now|You already work with .*|This invitation is not for .*",
    "enable": "Enable services and associate",
    "later": "You can enable services later",
    "confirm": r"Associate with .*\?",
    "done": r"You are a customer of .*",
    "my-partner": "My partner",
    "end": r"End the association with .*\?|.* to end the association",
    "ended": r"You were a customer of .*",
    "no-partner": r"You have no partner (now|yet)",
    "letter": r"May .* order and operate for you\?|.* may order and operate for you",
    "ask": r"Ask .* for an online invitation",
    "asked": r".* has been asked",
    "by-hand": "Enter your invitation",
    "unknown": "There is no such invitation",
    "set-budget": "Set a budget for c-.*",
    "customer": "c-[0-9a-z]{10}",
}


class Visitor:
    """One browser with one page; `look()` after every step holds the page against everything."""

    def __init__(self, context: BrowserContext, site: str, *, scripts: bool) -> None:
        self.context, self.site, self.scripts = context, site, scripts
        # The issuer that may log this visitor in; its own pages are not ours to judge.
        self.issuer: str | None = None
        self.complaints: list[str] = []
        self.answers: list[Response] = []
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", self._see)
        self.page = self.new_tab()

    def new_tab(self) -> Page:
        """Open another tab and stay in it."""
        self.page = self.context.new_page()
        self.page.on("response", self._note)
        return self.page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not PROVOKED.fullmatch(message.text):
            self.complaints.append(message.text)

    def _see(self, request: Request) -> None:
        if request.url.startswith(f"{self.site}/") or self._is_at_issuer(request):
            return
        self.complaints.append(f"asked a foreign host: {request.url}")

    def _is_at_issuer(self, request: Request) -> bool:
        """Whether the issuer is asked for a page, or by one of its own pages for what it needs."""
        by_page = request.url if request.is_navigation_request() else request.frame.url
        return self.issuer is not None and by_page.startswith(f"{self.issuer}/")

    def _note(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self.answers.append(response)
        elif response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")

    def has_no_complaint(self) -> None:
        """Assert that no page had an error, broke its policy or asked a foreign host."""
        assert self.complaints == []

    # --- what there is to see

    @property
    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def step(self) -> str:
        """The last part of the address."""
        return self.path.rstrip("/").rpartition("/")[2]

    def reads(self, text: str) -> bool:
        """Whether the page says this, blanks aside."""
        return text in " ".join(self.page.locator("body").inner_text().split())

    def button(self, label: str) -> Locator:
        return self.page.locator("main").get_by_role("button", name=label, exact=True)

    def look(self, page: str, *, status: int = 200, variant: str = "") -> None:
        """Assert which page it is, how it was answered, and that it is in order."""
        assert re.fullmatch(HEADINGS.get(page, page), self.heading)
        assert self.answers[-1].status == status
        name = "-".join(filter(None, (page, variant, str(status) if status != 200 else "")))
        check_page(self.page, name, scripts=self.scripts)

    # --- what there is to do

    def open(self, url: str, page: str, *, status: int = 200, variant: str = "") -> None:
        """Open an address, of this site unless it is a whole one."""
        self.page.goto(url)
        self.look(page, status=status, variant=variant)

    def follow(self, label: str, page: str, *, status: int = 200, variant: str = "") -> None:
        """Follow the link of this name."""
        link = self.page.locator("main, .back").get_by_role("link", name=label, exact=True)
        with self.page.expect_navigation():
            link.click()
        self.look(page, status=status, variant=variant)

    def press(self, label: str, page: str, *, status: int = 200, variant: str = "") -> None:
        """Press the button of this name."""
        with self.page.expect_navigation():
            self.button(label).click()
        self.look(page, status=status, variant=variant)

    def tick(self, name: str) -> None:
        self.page.locator(f"input[type=checkbox][name={name}]").check()

    def type(self, name: str, text: str) -> None:
        fields = f"input[name={name}]:not([type=hidden]), textarea[name={name}]"
        self.page.locator(fields).fill(text)

    # --- the steps of the journey

    def arrive(self, invitation: Invitation, *, variant: str = "") -> None:
        """Follow the invitation's link."""
        variant = variant or f"{invitation.association_type}-{invitation.channel}"
        self.open(f"{self.site}/i/{invitation.token}", "landing", variant=variant)

    def agree(self, invitation: Invitation, *, letter: bool = False) -> None:
        """Go from the landing page to the choice of account; in reseller, agree on the way."""
        variant = invitation.channel
        if not invitation.is_reseller:
            self.follow("Continue", "account", variant=f"referral-{variant}")
            return
        self.follow("Continue", "instructions")
        assert self.page.locator("input[type=checkbox]:checked").count() == 0
        self.tick("instructions")
        if letter:
            self.tick("letter_of_authorization")
        self.press("Agree and continue", "account", variant=variant)

    def ask_for_code(self, address: str) -> None:
        """Go from the choice of account to the code."""
        self.press("Register for Association", "register")
        self.page.locator("select[name=country]").select_option("DE")
        self.type("email", address)
        self.press("Send code", "code")
        assert self.reads(address)

    def register(self, address: str, *, variant: str = "") -> None:
        """Go from the choice of account to Enable, with the code from the mail."""
        self.ask_for_code(address)
        self.type("code", code_mailed_to(address))
        self.type("password", PASSWORD)
        self.press("Register", "enable", variant=variant)

    def log_in(self, user: User, page: str, *, by: str = "email", variant: str = "") -> None:
        """Go from the log-in to wherever it leads."""
        self.type("login", getattr(user, by))
        self.type("password", PASSWORD)
        self.press("Log In", page, variant=variant)

    def come_as(self, user: User, invitation: Invitation, page: str, *, variant: str = "") -> None:
        """Follow an invitation with an existing account."""
        self.arrive(invitation)
        self.agree(invitation)
        self.press("Login for Association", "login")
        self.log_in(user, page, variant=variant)

    def enable(self, *, page: str = "done", variant: str = "") -> None:
        """Finish a new account's journey."""
        self.tick("agreement")
        self.press("Enable and Associate", page, variant=variant)
