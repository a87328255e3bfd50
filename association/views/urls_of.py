"""The addresses of the journey's pages."""

from django.http import HttpRequest
from django.urls import reverse

from association.models import Attempt
from association.services.steps import Step
from partners.models import Invitation


def step_url(attempt: Attempt, step: Step) -> str:
    """Return the address of one step of an attempt."""
    return reverse(f"join_{step.value}", args=[attempt.pk])


def resume_url(attempt: Attempt) -> str:
    """Return the address that leads to the first undone step, or to the result."""
    return reverse("join_resume", args=[attempt.pk])


def first_step_url(request: HttpRequest, invitation: Invitation) -> str:
    """Return the address of the first step, with the language that was chosen on the way."""
    name = "first_instructions" if invitation.is_reseller else "first_account"
    url = reverse(name, args=[invitation.token])
    language = request.GET.get("lang")
    return f"{url}?lang={request.LANGUAGE_CODE}" if language else url
