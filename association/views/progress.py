"""How far along the journey a page is."""

from typing import Any

from association.services.steps import Step
from partners.models import Invitation

_STAGES = (
    {Step.INSTRUCTIONS},
    {Step.ACCOUNT, Step.ASK},
    {Step.REGISTER, Step.CHECK},
    {Step.ENABLE, Step.CONFIRM},
)


def progress(invitation: Invitation, step: Step) -> dict[str, Any]:
    """Return "step 2 of 4" for the layout; referral has no instructions and so one step less."""
    stages = _STAGES if invitation.is_reseller else _STAGES[1:]
    number = next(number for number, stage in enumerate(stages, start=1) if step in stage)
    return {"step": number, "step_count": len(stages)}
