"""How a call names an account: by its account name, or by the provider's own key of it."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from accounts.models import CustomerAccount
from accounts.models.customers import LONGEST_EXTERNAL_ID
from integration.api.fields import Input, as_on_pages
from integration.api.problems import not_found
from web.text_fields import KeyField, LineField

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
    as_on_pages(KeyField(max_length=LONGEST_EXTERNAL_ID)),
]


class NamedAccount(Input):
    """One account, named in one of the two ways."""

    external_id: ExternalId | None = None
    # A check of the field, not of the whole: it runs beside errors of other fields.
    account: AccountName | None = Field(None, validate_default=True)

    @field_validator("account")
    @classmethod
    def check_names(cls, account: str | None, before: ValidationInfo) -> str | None:
        values = before.data
        if "external_id" in values and (account is None) == (values["external_id"] is None):
            text = "Name the account by account or by external_id."
            raise PydanticCustomError("misplaced", "{text}", {"text": text})
        return account


def account_of(named: NamedAccount) -> CustomerAccount:
    """Return the account that the call names. Raises Problem (404)."""
    if named.external_id is None:
        return account_with_name(named.account or "")
    return account_with_external_id(named.external_id)


def account_with_external_id(text: str) -> CustomerAccount:
    """Return the account that has this key of the provider. Raises Problem (404)."""
    account = CustomerAccount.objects.select_related("owner").filter(external_id=text).first()
    if account is None:
        raise not_found("There is no account with this external_id.")
    return account


def account_with_name(name: str) -> CustomerAccount:
    """Return the account whose owner has this account name. Raises Problem (404)."""
    rows = CustomerAccount.objects.select_related("owner")
    # PostgreSQL refuses a text with NUL.
    account = None if "\0" in name else rows.filter(owner__account_name=name.lower()).first()
    if account is None:
        raise not_found("There is no account with this account name.")
    return account
