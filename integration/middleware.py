"""Middleware: what the API answers is never a page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from integration.api.problems import CONTENT_TYPE, answer_of, problem_of_status

GetResponse = Callable[[HttpRequest], HttpResponseBase]
API = "/api/v1/"


class ProblemMiddleware:
    """Answers a problem where another part of the site answered the API with an error page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < 400 or not request.path_info.startswith(API):
            return response
        if response.headers.get("Content-Type") == CONTENT_TYPE:
            return response
        return answer_of(problem_of_status(response.status_code, response.headers))
