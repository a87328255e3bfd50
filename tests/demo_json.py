"""The demo, loaded as `manage.py demo --json` does it."""

import json
from io import StringIO
from typing import Any

from django.core.management import call_command


def load() -> Any:
    """Load or repair the demo; return what the command prints."""
    output = StringIO()
    call_command("demo", "--json", stdout=output)
    return json.loads(output.getvalue())
