"""The order of the journey: which step is undone first, and which pages are open meanwhile."""

from association.enums import Step
from association.models import Attempt
from association.services.admission import Admission, account_of
from association.services.documents import Versions

FINAL_STEPS = frozenset({Step.ENABLE, Step.CONFIRM})


def needs_instructions(attempt: Attempt, versions: Versions) -> bool:
    """Whether the visitor has to agree to the instructions in force; referral has none."""
    return attempt.invitation.is_reseller and not versions.is_in_force(attempt.instructions_id)


def first_undone_step(attempt: Attempt, versions: Versions, admission: Admission | None) -> Step:
    """Return the next step of the visitor; `admission` is None without an account."""
    if needs_instructions(attempt, versions):
        return Step.INSTRUCTIONS
    if admission is None:
        return Step.ACCOUNT
    if not admission.is_admitted:
        return Step.CHECK
    return Step.CONFIRM if account_of(attempt).is_enabled else Step.ENABLE


def is_open(step: Step, *, undone: Step, posted: bool) -> bool:
    """Whether a step's page may be used while `undone` is the first undone step.

    The instructions can always be read again. A final POST that a rule refuses is let through, to
    be answered with the refusals; so is checking again.
    """
    match step:
        case Step.INSTRUCTIONS:
            return True
        case Step.SWITCH:
            return posted and undone != Step.ACCOUNT
        case Step.REGISTER:
            return undone == Step.ACCOUNT
        case Step.ASK:
            return undone in {Step.ACCOUNT, Step.CHECK}
        case Step.CHECK:
            return undone == Step.CHECK or (posted and undone in FINAL_STEPS)
        case Step.ENABLE | Step.CONFIRM:
            return undone == step or (posted and undone == Step.CHECK)
    return undone == step
