"""Customer accounts: the provider's programs add, change and find them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field, StrictBool

from accounts.enums import AccountType, RegistrationSite
from accounts.models import CustomerAccount
from accounts.services.customer_accounts import change_account, put_account
from integration.api.answers import (
    Listed,
    Paging,
    answer,
    answer_once,
    answer_once_with_status,
    answer_page,
)
from integration.api.callers import ProviderRequest
from integration.api.fields import (
    COUNTRY,
    Changes,
    Input,
    Moment,
    Name,
    Output,
    Recipient,
    as_country,
    as_on_pages,
    as_stored,
)
from integration.api.gate import provider_needs
from integration.api.provider.named_accounts import AccountName, ExternalId, account_with_name
from integration.enums import ProviderScope
from partners.services.pages import Order
from web.email_addresses import canonical_address
from web.text_fields import LineField

router = Router(tags=["Provider: accounts"])
# By the key, which is a sequence.
_OLDEST_FIRST = Order("id", descending=False)
# A change has no defaults: what is not sent stays as it is.
_NOT_SENT = datetime.min.replace(tzinfo=UTC)
_COUNTRY: Any = CustomerAccount._meta.get_field("country")
_REGISTERED: Any = CustomerAccount._meta.get_field("registered_at")
_PAST = as_stored(_REGISTERED)


Country = Annotated[str, COUNTRY, as_country(_COUNTRY.formfield())]
TaxId = Annotated[str, Field(max_length=40), as_on_pages(LineField(max_length=40, required=False))]
Registered = Annotated[
    Moment,
    _PAST,
    Field(description="An account may join for seven days from then on."),
]
Enabled = Annotated[
    Annotated[Moment, _PAST] | None,
    Field(description="Since when it can use your services; null: not yet."),
]


class AccountFilters(Paging):
    """Which accounts."""

    account: AccountName | None = None
    external_id: ExternalId | None = None
    address: Recipient | None = Field(None, description="Of the owner.")


class AccountChanges(Changes):
    """What to change; a field that is missing stays as it is."""

    external_id: ExternalId | None = Field(None, description="Your own key; null removes it.")
    name: Name = Field("", description="Of the person or company.")
    account_type: AccountType = AccountType.INDIVIDUAL
    registration_site: RegistrationSite = RegistrationSite.INTERNATIONAL
    country: Country = ""
    tax_id: TaxId = ""
    registered_at: Registered = _NOT_SENT
    services_enabled_at: Enabled = None
    is_internal: StrictBool = Field(False, description="Whether it is your own.")


class Account(Input):
    """An account as your systems know it."""

    external_id: ExternalId
    address: Recipient = Field(
        description="Of the owner of a new account. That of a known one stays its owner's."
    )
    country: Country
    name: Name = Field("", description="Of the person or company.")
    account_type: AccountType = AccountType.INDIVIDUAL
    registration_site: RegistrationSite = RegistrationSite.INTERNATIONAL
    tax_id: TaxId = ""
    registered_at: Registered | None = Field(None, description="Without it: now.")
    services_enabled_at: Enabled = None
    is_internal: StrictBool = Field(False, description="Whether it is your own.")


class AccountShown(Output):
    """A customer account."""

    account: str = Field(description="The account name, by which addresses of the API name it.")
    external_id: str | None
    address: str
    name: str
    account_type: AccountType
    registration_site: RegistrationSite
    country: str
    tax_id: str
    registered_at: datetime
    services_enabled_at: datetime | None
    is_internal: bool

    @classmethod
    def of(cls, row: CustomerAccount) -> Self:
        return cls(
            account=row.owner.account_name,
            external_id=row.external_id,
            address=row.owner.email,
            name=row.name,
            account_type=AccountType(row.account_type),
            registration_site=RegistrationSite(row.registration_site),
            country=str(row.country),
            tax_id=row.tax_id,
            registered_at=row.registered_at,
            services_enabled_at=row.services_enabled_at,
            is_internal=row.is_internal,
        )


@router.get(
    "",
    response=Listed[AccountShown],
    summary="List accounts",
    **provider_needs(ProviderScope.ACCOUNTS_READ),
)
def list_accounts(request: ProviderRequest, query: Query[AccountFilters]) -> HttpResponse:
    """List the customer accounts, the oldest first; by a key or address there is at most one."""
    rows = CustomerAccount.objects.select_related("owner")
    if query.account is not None:
        rows = rows.filter(owner__account_name=query.account.lower())
    if query.external_id is not None:
        rows = rows.filter(external_id=query.external_id)
    if query.address is not None:
        rows = rows.filter(owner__email=canonical_address(query.address))
    return answer_page(request, rows, query, order=_OLDEST_FIRST, show=AccountShown.of)


@router.post(
    "",
    response={200: AccountShown, 201: AccountShown},
    summary="Add or change an account",
    **provider_needs(ProviderScope.ACCOUNTS_WRITE),
)
def put(request: ProviderRequest, body: Account) -> HttpResponse:
    """Add the account with your key, which is a 201, or change the one that has it, a 200.

    Of a known account the fields that you leave out stay as they are, and so does its address. The
    owner of a new one gets no e-mail: invite the person, or lead it to the log-in.
    """
    values = body.model_dump(exclude_unset=True, exclude={"external_id", "address"})
    if values.get("registered_at", ...) is None:
        del values["registered_at"]

    def act() -> tuple[int, AccountShown]:
        account, is_new = put_account(
            external_id=body.external_id,
            address=body.address,
            values=values,
            by=request.auth.user,
            now=timezone.now(),
        )
        shown = AccountShown.of(account_with_name(account.owner.account_name))
        return (201 if is_new else 200), shown

    return answer_once_with_status(request, act)


@router.get(
    "/{account}",
    response=AccountShown,
    summary="Get an account",
    **provider_needs(ProviderScope.ACCOUNTS_READ),
)
def get(request: ProviderRequest, account: str) -> HttpResponse:
    """Get the account with this account name. By your own key, list with `external_id`."""
    return answer(AccountShown.of(account_with_name(account)))


@router.patch(
    "/{account}",
    response=AccountShown,
    summary="Change an account",
    **provider_needs(ProviderScope.ACCOUNTS_WRITE),
)
def change(request: ProviderRequest, account: str, body: AccountChanges) -> HttpResponse:
    """Change the account with this account name: give it your key, for instance."""

    def act() -> AccountShown:
        change_account(
            account=account_with_name(account),
            values=body.model_dump(exclude_unset=True),
            by=request.auth.user,
            now=timezone.now(),
        )
        return AccountShown.of(account_with_name(account))

    return answer_once(request, act)
