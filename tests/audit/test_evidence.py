"""Evidence: SQL of the application cannot change or delete it, except in two documented ways."""

import threading

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from association.models import Consent, LegalDocument
from audit.evidence import AUDIT_EVENTS
from audit.models import AuditEvent, Erasure
from audit.services import record_audit_event
from tests.evidence import EVIDENCE, unprotected
from tests.factories import CustomerAccountFactory, LegalDocumentFactory, UserFactory

pytestmark = pytest.mark.django_db

# A value for any column, by the field's type, that differs from what the rows have.
OTHER = {
    models.DateTimeField: "2001-01-01 00:00:00+00:00",
    models.ForeignKey: 999_999_999,
    models.GenericIPAddressField: "203.0.113.99",
    models.JSONField: '{"other": "erased-1"}',
    models.IntegerField: 999_999_999,
}
MODELS = (AuditEvent, Consent, LegalDocument)
COLUMNS = [(model, field.column) for model in MODELS for field in model._meta.concrete_fields]


def make_row(model, address="192.0.2.7"):
    if model is LegalDocument:
        return LegalDocumentFactory.create()
    if model is AuditEvent:
        user, now = UserFactory.create(), timezone.now()
        event = record_audit_event(action="a.b", about=user, by=None, now=now, after={"n": 1})
        AuditEvent.objects.bulk_create(
            [AuditEvent(pk=event.pk + 1, occurred_at=now, network_address=address)]
        )
        return AuditEvent.objects.get(pk=event.pk + 1)
    return Consent.objects.create(
        account=CustomerAccountFactory.create(),
        document=LegalDocumentFactory.create(),
        agreed_at=timezone.now(),
        network_address=address,
    )


def sentence(model):
    return EVIDENCE[model._meta.db_table].sentence


def execute(sql, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def change(row, **columns):
    names = ", ".join(f"{name} = %s" for name in columns)
    sql = f"UPDATE {row._meta.db_table} SET {names} WHERE id = %s"  # noqa: S608 - our own names
    execute(sql, *columns.values(), row.pk)


def delete(row):
    sql = f"DELETE FROM {row._meta.db_table} WHERE id = %s"  # noqa: S608 - our own names
    execute(sql, row.pk)


def other_value(model, column):
    field = next(field for field in model._meta.concrete_fields if field.column == column)
    if isinstance(field, models.ForeignKey) and isinstance(field.target_field, models.UUIDField):
        return "0" * 32
    return next((value for kind, value in OTHER.items() if isinstance(field, kind)), "other")


@pytest.mark.parametrize(("model", "column"), COLUMNS)
def test_no_column_of_evidence_can_be_changed(model, column):
    row = make_row(model)

    with pytest.raises(IntegrityError, match=sentence(model)):
        change(row, **{column: other_value(model, column)})


@pytest.mark.parametrize("model", MODELS)
def test_evidence_cannot_be_deleted(model):
    row = make_row(model)

    with pytest.raises(IntegrityError, match=sentence(model)):
        delete(row)


def replace(row):
    """Write another row over this one, as SQLite's REPLACE does."""
    columns = [field.column for field in row._meta.concrete_fields]
    names, table = ", ".join(columns), row._meta.db_table
    sql = f"REPLACE INTO {table} ({names}) SELECT {names} FROM {table} WHERE id = %s"  # noqa: S608
    execute(sql, row.pk)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has REPLACE")
@pytest.mark.parametrize("model", MODELS)
def test_evidence_cannot_be_replaced(model):
    row = make_row(model)

    with pytest.raises(IntegrityError, match=sentence(model)):
        replace(row)

    # Without this setting of the connection SQLite's REPLACE runs no trigger.
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers=OFF")
    replace(row)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers=ON")


@pytest.mark.parametrize("model", MODELS)
def test_without_the_triggers_it_could(model):
    row = make_row(model)

    rows = unprotected(model).filter(pk=row.pk)
    delete(row)

    assert not rows.exists()


@pytest.mark.postgresql
@pytest.mark.parametrize("model", MODELS)
def test_tables_of_evidence_cannot_be_emptied(model):
    with pytest.raises(IntegrityError, match=sentence(model)):
        execute(f"TRUNCATE {model._meta.db_table} CASCADE")


def test_a_draft_can_be_changed_published_and_deleted():
    draft = LegalDocumentFactory.create(published_at=None)
    other = LegalDocumentFactory.create(published_at=None)

    change(draft, title="Another title", published_at=timezone.now())
    delete(other)

    assert LegalDocument.objects.published().filter(title="Another title").count() == 1


@pytest.mark.parametrize("model", [AuditEvent, Consent])
@pytest.mark.parametrize(
    ("address", "shortened"),
    [
        ("192.0.2.7", "192.0.2.0"),
        ("2001:db8:1:2::5", "2001:db8:1::"),
        ("2001:db8::5", "2001:db8::"),
        ("::ffff:192.0.2.7", "::"),
        ("::3:4:5:6:7:8", "0:0:3::"),
    ],
)
def test_a_network_address_can_be_shortened(model, address, shortened):
    row = make_row(model, address)

    change(row, network_address=shortened)

    assert model.objects.get(pk=row.pk).network_address == shortened


@pytest.mark.parametrize("model", [AuditEvent, Consent])
@pytest.mark.parametrize("address", ["192.0.2.8", "192.0.0.0", "192.0.3.0", "::", None])
def test_a_network_address_cannot_become_another(model, address):
    row = make_row(model)

    with pytest.raises(IntegrityError):
        change(row, network_address=address)


def test_nothing_else_is_changed_while_an_address_is_shortened():
    event, consent = make_row(AuditEvent), make_row(Consent)

    with pytest.raises(IntegrityError):
        change(event, network_address="192.0.2.0", action="other")
    with pytest.raises(IntegrityError):
        change(consent, network_address="192.0.2.0", agreed_at="2001-01-01 00:00:00+00:00")


def test_an_erasure_puts_its_pseudonym_into_values():
    event = make_row(AuditEvent)

    with transaction.atomic():
        erasure = Erasure.objects.create(pseudonym="erased-1")
        change(event, after='{"name": "erased-1"}')
        for other in ({"after": '{"name": "erased-2"}'}, {"action": "erased-1"}):
            with pytest.raises(IntegrityError):
                change(event, **other)
        erasure.delete()
    with pytest.raises(IntegrityError):
        change(event, after='{"name": "erased-1", "more": 1}')

    assert AuditEvent.objects.get(pk=event.pk).after == {"name": "erased-1"}


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_an_erasure_permits_nothing_to_another_transaction():
    event, errors = make_row(AuditEvent), []

    def change_elsewhere():
        try:
            change(event, after='{"name": "erased-1"}')
        except IntegrityError as error:
            errors.append(str(error).splitlines()[0])
        finally:
            connection.close()

    with transaction.atomic():
        Erasure.objects.create(pseudonym="erased-1")
        elsewhere = threading.Thread(target=change_elsewhere)
        elsewhere.start()
        elsewhere.join()

    assert errors == [AUDIT_EVENTS.sentence]
