"""The sentences for what association refuses to a partner, by the code of the refusal."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from association.services.customers import CustomerRefused

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SENTENCES: dict[str, Any] = {
    "ended": _("This association has ended."),
    "not_reseller": _(
        "Only reseller customers are frozen and unfrozen by their partner, and have a budget."
    ),
    "no_budget": _("A budget has to be set first: without one the account stays frozen."),
    "not_a_member": _("Only a member of the partner can manage its customers."),
}


def sentence_for(refused: CustomerRefused) -> "StrOrPromise":
    """Return what to tell whoever wanted it."""
    sentence: StrOrPromise = SENTENCES[refused.code]
    return sentence
