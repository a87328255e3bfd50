"""The instructions step, and the legal documents to read and print."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from association.enums import Step
from association.forms.joining import InstructionsForm
from association.models import DocumentKind
from association.services.attempts import agree_to_instructions
from association.services.documents import Documents, current_documents
from association.views.gate import Journey, attempt_step, progress, resume_url
from partners.models import Invitation
from web.answers import posted, see_other
from web.origin import current_origin

TO_READ = (DocumentKind.INSTRUCTIONS, DocumentKind.LETTER_OF_AUTHORIZATION)


def documents_to_read() -> Documents:
    return current_documents(TO_READ, get_language() or "")


def show_instructions(
    request: HttpRequest, invitation: Invitation, form: InstructionsForm, *, back_url: str
) -> HttpResponse:
    context = {
        "form": form,
        "invitation": invitation,
        "partner": invitation.partner,
        "back_url": back_url,
        **progress(invitation, Step.INSTRUCTIONS),
    }
    status = 400 if form.is_bound else 200
    return render(request, "association/instructions.html", context, status=status)


@attempt_step(Step.INSTRUCTIONS)
def instructions(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Show the instructions again; the latest choice about the letter counts."""
    attempt = journey.attempt
    if not journey.invitation.is_reseller:
        return see_other(resume_url(attempt))
    ticked = journey.versions.is_in_force(attempt.letter_id)
    form = InstructionsForm(posted(request), documents=documents_to_read(), ticked=ticked)
    if request.method != "POST" or not form.is_valid():
        back_url = reverse("landing", args=[journey.invitation.token])
        return show_instructions(request, journey.invitation, form, back_url=back_url)
    agree_to_instructions(
        attempt=attempt,
        instructions=form.instructions_document,
        letter=form.agreed_letter(),
        address=current_origin().network_address,
        now=journey.now,
    )
    return see_other(resume_url(attempt))


@login_not_required
@require_safe
def document(request: HttpRequest, kind: str) -> HttpResponse:
    if kind not in DocumentKind.values:
        raise Http404
    document_kind = DocumentKind(kind)
    found = current_documents([document_kind], get_language() or "")[document_kind]
    return render(request, "association/document.html", {"document": found})
