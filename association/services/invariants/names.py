"""I13: the names by which the console lists and searches customers are those of the rows."""

from collections.abc import Iterator

from association.models import Association
from association.services.customer_names import derived_names
from association.services.invariants.violations import CHUNK, Violation


def names_are_derived() -> Iterator[Violation]:
    """I13: what lists sort and search is what the account, its owner and the partner say."""
    rows = Association.objects.select_related("account__owner").order_by()
    for row in rows.iterator(chunk_size=CHUNK):
        wrong = [name for name, text in derived_names(row).items() if getattr(row, name) != text]
        if wrong:
            detail = f"does not follow its names in {', '.join(wrong)}"
            yield Violation("I13", f"association.association:{row.pk}", detail)
