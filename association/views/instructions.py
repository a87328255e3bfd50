"""The instructions step, and the legal documents to read and print."""

from datetime import datetime

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from accounts.models import User
from association.enums import Step
from association.forms.documents import InstructionsForm
from association.models import Attempt, DocumentKind
from association.services.attempts import agree_to_instructions
from association.services.documents import Agreed, Documents, current_documents
from association.views.gate import Journey, attempt_step, progress, resume_url
from partners.enums import Channel
from partners.models import Invitation
from web.answers import posted, see_other
from web.origin import current_origin

INSTRUCTIONS, LETTER = DocumentKind.INSTRUCTIONS, DocumentKind.LETTER_OF_AUTHORIZATION


def documents_to_read() -> Documents:
    return current_documents((INSTRUCTIONS, LETTER), get_language() or "")


def show_instructions(
    request: HttpRequest, invitation: Invitation, form: InstructionsForm, *, back_url: str
) -> HttpResponse:
    context = {
        "form": form,
        "invitation": invitation,
        "partner": invitation.partner,
        "is_for_new_accounts": invitation.channel == Channel.LINK,
        "back_url": back_url,
        **progress(invitation, Step.INSTRUCTIONS),
    }
    status = 400 if form.is_bound else 200
    return render(request, "association/instructions.html", context, status=status)


def agree(request: HttpRequest, attempt: Attempt, form: InstructionsForm, *, now: datetime) -> None:
    """Keep what was ticked, and who was signed in."""
    language = get_language() or ""
    agreed = {
        kind: Agreed(form.documents[kind], label, language) for kind, label in form.agreed().items()
    }
    agree_to_instructions(
        attempt=attempt,
        instructions=agreed[INSTRUCTIONS],
        letter=agreed.get(LETTER),
        address=current_origin().network_address,
        by=request.user if isinstance(request.user, User) else None,
        now=now,
    )


def is_letter_ticked(request: HttpRequest, journey: Journey) -> bool:
    """Whether this visitor has ticked the letter in force; another person's tick is not shown."""
    attempt = journey.attempt
    is_own = attempt.is_ticked_by_its_account
    if attempt.account is None:
        is_own = attempt.agreed_by_id == request.user.pk
    return is_own and journey.versions.is_in_force(attempt.letter_id)


@attempt_step(Step.INSTRUCTIONS)
def instructions(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Show the instructions again; the latest choice about the letter counts."""
    attempt = journey.attempt
    if not journey.invitation.is_reseller:
        return see_other(resume_url(attempt))
    ticked = is_letter_ticked(request, journey)
    form = InstructionsForm(posted(request), documents=documents_to_read(), ticked=ticked)
    if request.method != "POST" or not form.is_valid():
        back_url = reverse("landing", args=[journey.invitation.token])
        return show_instructions(request, journey.invitation, form, back_url=back_url)
    agree(request, attempt, form, now=journey.now)
    return see_other(resume_url(attempt))


@login_not_required
@require_safe
def document(request: HttpRequest, kind: str) -> HttpResponse:
    if kind not in DocumentKind.values:
        raise Http404
    document_kind = DocumentKind(kind)
    found = current_documents([document_kind], get_language() or "")[document_kind]
    return render(request, "association/document.html", {"document": found})
