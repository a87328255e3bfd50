"""A browser for two nodes: cookies, redirects, and forms sent with their hidden fields."""

import re
from html import unescape
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, HTTPSHandler, Request, build_opener

from tests.nodes.cluster import Cluster

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?')


class Page:
    def __init__(self, status: int, url: str, text: str) -> None:
        self.status, self.url, self.text = status, url, text

    @property
    def path(self) -> str:
        return re.sub(r"^https://[^/]+", "", self.url)


class Browser:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        handlers = (HTTPCookieProcessor(CookieJar()), HTTPSHandler(context=cluster.trust()))
        self._opener = build_opener(*handlers)
        self.page = Page(0, cluster.base_url, "")

    def get(self, path: str) -> Page:
        return self._open(Request(urljoin(self.page.url, path)))  # noqa: S310

    def post(self, path: str = "", **typed: str) -> Page:
        """Send a form of the present page, with its hidden fields, and follow the redirect."""
        hidden = {name: unescape(value) for name, value in _HIDDEN.findall(self.page.text)}
        url = urljoin(self.page.url, path) if path else self.page.url
        request = Request(url, data=urlencode({**hidden, **typed}).encode())  # noqa: S310
        request.add_header("Origin", self.cluster.base_url)
        return self._open(request)

    def _open(self, request: Request) -> Page:
        try:
            answer = self._opener.open(request, timeout=30)
        except HTTPError as error:
            answer = error
        with answer:
            self.page = Page(answer.status, answer.url, answer.read().decode())
        return self.page
