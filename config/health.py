"""`python -m config.health`: ends with 0 if the server of this container is ready, else with 1."""

import http.client
import os
import sys
from urllib.parse import urlsplit


def main() -> None:
    # The application answers to its public name only.
    name = urlsplit(os.environ.get("PUBLIC_BASE_URL", "")).netloc or "127.0.0.1"
    client = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=4)
    try:
        client.request("GET", "/readyz", headers={"Host": name})
        status = client.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"The server does not answer: {error}")
    if status != 200:
        sys.exit(f"The server is not ready: it answers {status}.")


if __name__ == "__main__":
    main()
