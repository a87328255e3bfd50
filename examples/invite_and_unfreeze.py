"""Invites one customer, waits until it has joined, sets its budget and unfreezes it.

API_URL=http://127.0.0.1:8000/api/v1 API_KEY=pak_… python invite_and_unfreeze.py ada@example.com
The key needs the scopes invitations:write, events:read and budgets:write.
"""

import json
import os
import sys
import time
from urllib.parse import urlencode
from urllib.request import Request, urlopen

URL, KEY = os.environ["API_URL"], os.environ["API_KEY"]


def call(method, path, body=None, *, once=None, **query):
    """Call the API; a change is done once for its key `once`, also if the program runs again."""
    headers = {"Authorization": f"Bearer {KEY}"}
    if once is not None:
        headers |= {"Content-Type": "application/json", "Idempotency-Key": once}
    data = None if body is None else json.dumps(body).encode()
    address = f"{URL}{path}?{urlencode(query)}" if query else f"{URL}{path}"
    with urlopen(Request(address, data, headers, method=method), timeout=30) as answer:
        return json.load(answer)


def invite(address):
    terms = {"channel": "email", "association_type": "reseller", "reference": "CRM-4711"}
    body = {**terms, "label": address, "recipient": address}
    return call("POST", "/invitations", body, once=f"invite-{address}")


def wait_for_customer(invitation_id):
    """Read the feed until the invitation has led to an association; return the customer's id."""
    last = ""
    while True:
        for event in call("GET", "/events", after=last)["items"]:
            last, data = event["id"], event["data"]
            if event["type"] == "association.created" and data["invitation_id"] == invitation_id:
                return data["customer_id"]
        time.sleep(2)


if __name__ == "__main__":
    invitation = invite(sys.argv[1])
    print("Invited:", invitation["link"])
    customer_id = wait_for_customer(invitation["id"])
    limit = {"amount": "500.00", "currency": "USD"}
    budget = {"limit": limit, "period": "monthly", "on_exhaustion": "freeze", "unfreeze": True}
    path, key = f"/customers/{customer_id}/budget", f"budget-{customer_id}"
    customer = call("POST", path, budget, once=key)
    print(customer["name"], "has joined and is", customer["status"])
