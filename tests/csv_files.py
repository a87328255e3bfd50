"""What a downloaded CSV file says."""

import csv
from typing import Any


def lines_of(answer: Any) -> list[str]:
    """Return its lines without quotes; for files whose cells have no comma."""
    text = b"".join(answer).decode("utf-8-sig")
    return [",".join(cells) for cells in csv.reader(text.splitlines())]
