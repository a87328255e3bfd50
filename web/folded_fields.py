"""Forms with fields that few people need: they stand folded beneath the others."""

from collections.abc import Collection

from django import forms


class FoldedFields(forms.Form):
    """A form whose fields of `folded` the form template shows under "More options"."""

    folded: Collection[str] = ()

    def is_unfolded(self) -> bool:
        """Return whether a folded field has an error or says something of its own."""
        return any(
            self[name].errors or (self[name].value() or "") != (self.fields[name].initial or "")
            for name in self.folded
            if name in self.fields
        )
