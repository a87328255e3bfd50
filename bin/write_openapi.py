"""Writes docs/openapi.json: what the API's code says of itself (`make openapi`)."""

import json
import os
import sys
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Write the document, sorted, so that a difference shows what has changed."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
    django.setup()
    from integration.api.openapi import openapi_document  # noqa: PLC0415 - needs the settings

    text = json.dumps(openapi_document(), indent=1, ensure_ascii=False)
    (ROOT / "docs" / "openapi.json").write_text(f"{text}\n")


if __name__ == "__main__":
    main()
