"""Form fields of the admin that need more care than Django takes."""

from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db import models


def is_key(model: type[models.Model], text: str) -> bool:
    """Whether the text could be the primary key of a row; anything else is not looked up."""
    try:
        model._meta.pk.clean(text, None)
    except ValidationError:
        return False
    return True


class CarefulAutocompleteSelect(AutocompleteSelect):
    """Shows a form again whatever was posted; Django's own looks up what cannot be a key."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        """The options with those posted that can be keys."""
        model: Any = self.field.remote_field.model
        kept = [text for text in value if not text or is_key(model, str(text))]
        return super().optgroups(name, kept, attr)
