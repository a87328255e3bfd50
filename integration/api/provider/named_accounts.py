"""How a call names an account: by its account name, or by the provider's own key of it."""

from typing import Annotated, Self

from django.http import Http404
from django.shortcuts import get_object_or_404
from pydantic import Field, model_validator

from accounts.models import CustomerAccount
from accounts.models.customers import LONGEST_EXTERNAL_ID
from integration.api.fields import Input, as_on_pages, misplaced
from web.text_fields import LineField

AccountName = Annotated[
    str,
    Field(min_length=1, max_length=40, description="The account name, which customers know too."),
    as_on_pages(LineField(max_length=40)),
]
ExternalId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_EXTERNAL_ID,
        description="Your own key of the account, compared as it is.",
    ),
    as_on_pages(LineField(max_length=LONGEST_EXTERNAL_ID)),
]


class NamedAccount(Input):
    """One account, named in one of the two ways."""

    account: AccountName | None = None
    external_id: ExternalId | None = None

    @model_validator(mode="after")
    def check_names(self) -> Self:
        if (self.account is None) == (self.external_id is None):
            raise misplaced("account", "Name the account by account or by external_id.")
        return self


def account_of(named: NamedAccount) -> CustomerAccount:
    """Return the account that the call names. Raises Http404."""
    if named.external_id is None:
        return account_with_name(named.account or "")
    rows = CustomerAccount.objects.select_related("owner")
    return get_object_or_404(rows, external_id=named.external_id)


def account_with_name(name: str) -> CustomerAccount:
    """Return the account whose owner has this account name. Raises Http404."""
    if "\0" in name:
        raise Http404
    rows = CustomerAccount.objects.select_related("owner")
    return get_object_or_404(rows, owner__account_name=name.lower())
