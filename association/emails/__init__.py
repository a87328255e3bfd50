"""The e-mails about joining and about associations, to the customer and to the partner.

Each function is named after its kind, and raises Stale when its e-mail is no longer useful.
"""

from association.emails.advice import advice
from association.emails.endings import (
    customer_end_declined,
    customer_end_requested,
    customer_end_withdrawn,
    customer_ended,
    end_declined,
    end_requested,
    end_withdrawn,
    ended,
)
from association.emails.freezes import (
    customer_frozen,
    customer_unfrozen,
    frozen,
    unfrozen,
)
from association.emails.joining import (
    associated,
    customer_refused,
    customer_waiting,
    reminder,
    resume,
    resume_reminder,
)
from association.emails.terms import (
    authorization_decided,
    authorization_requested,
    budget_alert,
    budget_requested,
    customer_budget_alert,
)

__all__ = [
    "advice",
    "associated",
    "authorization_decided",
    "authorization_requested",
    "budget_alert",
    "budget_requested",
    "customer_budget_alert",
    "customer_end_declined",
    "customer_end_requested",
    "customer_end_withdrawn",
    "customer_ended",
    "customer_frozen",
    "customer_refused",
    "customer_unfrozen",
    "customer_waiting",
    "end_declined",
    "end_requested",
    "end_withdrawn",
    "ended",
    "frozen",
    "reminder",
    "resume",
    "resume_reminder",
    "unfrozen",
]
