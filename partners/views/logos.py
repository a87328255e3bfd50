"""The partners' logos, served like static files: without log-in, cookie or session."""

from typing import Literal

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from partners.services.logos import find_picture
from web.downloads import as_static


@login_not_required
@require_safe
def logo(
    request: HttpRequest, sha256: str, size: Literal["picture", "preview"] = "picture"
) -> HttpResponseBase:
    """Send the logo with this key, small for pages and e-mails or large for link previews."""
    picture = find_picture(sha256=sha256, size=size)
    if picture is None:
        raise Http404
    response = HttpResponse(picture, content_type="image/png")
    return as_static(request, response, etag=f"{sha256}-{size}")
