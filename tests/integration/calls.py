"""Calls of the API as a program makes them."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from integration.enums import ProviderScope, Scope
from integration.services.keys import create_key, create_provider_key
from tests.factories import PartnerMemberFactory, UserFactory

API = "/api/v1"


def make_key(partner, scopes=tuple(Scope), name="CRM"):
    """Return a live key and its secret, made by an administrator of the partner."""
    now = timezone.now()
    return create_key(
        partner=partner,
        name=name,
        scopes=scopes,
        expires_at=now + timedelta(days=90),
        by=PartnerMemberFactory(partner=partner).user,
        now=now,
    )


def make_provider_key(scopes=tuple(ProviderScope), name="Billing"):
    """Return a live key of the provider and its secret, made by an administrator."""
    now = timezone.now()
    return create_provider_key(
        name=name,
        scopes=scopes,
        expires_at=now + timedelta(days=90),
        by=UserFactory(staff=True),
        now=now,
    )


class Program:
    """A program with this secret."""

    def __init__(self, key, secret):
        self.key, self.secret = key, secret
        self.client = Client()

    def get(self, path, **query):
        return self.client.get(f"{API}{path}", query, headers=self.headers())

    def post(self, path, body=None, **headers):
        return self._send(self.client.post, path, body, headers)

    def patch(self, path, body=None, **headers):
        return self._send(self.client.patch, path, body, headers)

    def headers(self, **more):
        names = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Authorization": f"Bearer {self.secret}", **names}

    def _send(self, send, path, body, headers):
        return send(
            f"{API}{path}",
            {} if body is None else body,
            content_type="application/json",
            headers=self.headers(**headers),
        )


class Caller(Program):
    """A program with a key of this partner."""

    def __init__(self, partner, scopes=tuple(Scope)):
        super().__init__(*make_key(partner, scopes))


class ProviderCaller(Program):
    """A program with a key of the provider."""

    def __init__(self, scopes=tuple(ProviderScope)):
        super().__init__(*make_provider_key(scopes))
