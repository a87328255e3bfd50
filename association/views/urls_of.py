"""The addresses of the journey's pages."""

from django.urls import reverse

from association.models import Attempt
from association.services.steps import Step


def step_url(attempt: Attempt, step: Step) -> str:
    """Return the address of one step of an attempt."""
    return reverse(f"join_{step.value}", args=[attempt.pk])


def resume_url(attempt: Attempt) -> str:
    """Return the address that leads to the first undone step, or to the result."""
    return reverse("join_resume", args=[attempt.pk])
