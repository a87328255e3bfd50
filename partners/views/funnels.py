"""How far people came, as `components/funnel.html` draws it."""

from typing import Any

from django.utils.translation import gettext as _

from partners.services.pages import Count


def bars_of(
    *, started: Count, registered: Count, associated: Count, refused: Count
) -> list[dict[str, Any]]:
    counts = (
        (_("Started"), started, ""),
        (_("Registered"), registered, ""),
        (_("Associated"), associated, ""),
        (_("Refused"), refused, "refused"),
    )
    most = max(count.number for _label, count, _kind in counts) or 1
    return [
        {"label": label, "count": count, "width": round(100 * count.number / most), "kind": kind}
        for label, count, kind in counts
    ]
