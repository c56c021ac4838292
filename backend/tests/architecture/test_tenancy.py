"""Tenancy in the catalogue of PostgreSQL: no row can point to a row of another tenant."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models

from apps.common.tenancy import TenantOwned

pytestmark = pytest.mark.django_db

_COMPOSITE_KEYS = """
    SELECT source.relname, target.relname,
           (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(c.conkey) WITH ORDINALITY k(number, place)
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number),
           (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(c.confkey) WITH ORDINALITY k(number, place)
            JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number)
    FROM pg_constraint c
    JOIN pg_class source ON source.oid = c.conrelid JOIN pg_class target ON target.oid = c.confrelid
    WHERE c.contype = 'f' AND cardinality(c.conkey) = 2 AND c.convalidated
"""


def list_tenant_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if issubclass(model, TenantOwned)]


def list_references() -> list[tuple[type[models.Model], Any]]:
    """Every foreign key from one tenant table to another."""
    return [
        (model, field)
        for model in list_tenant_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and issubclass(field.related_model, TenantOwned)
    ]


def test_there_are_tenant_tables_that_refer_to_one_another() -> None:
    assert len(list_tenant_models()) > 5
    assert len(list_references()) > 5


def test_every_reference_between_tenant_tables_is_kept_within_one_tenant() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_COMPOSITE_KEYS)
        kept = {(source, target, tuple(columns), tuple(keys)) for source, target, columns, keys in cursor.fetchall()}
    missing = [
        f"{model.__name__}.{field.name}"
        for model, field in list_references()
        if (
            model._meta.db_table,
            field.related_model._meta.db_table,
            ("tenant_id", field.column),
            ("tenant_id", "id"),
        )
        not in kept
    ]
    assert missing == []


def test_every_row_of_a_tenant_table_has_a_tenant() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns WHERE column_name = 'tenant_id' AND is_nullable = 'NO'"
        )
        strict = {row[0] for row in cursor.fetchall()}
    assert {model._meta.db_table for model in list_tenant_models()} <= strict


def test_nothing_of_ours_is_deleted_in_passing() -> None:
    cascades = [
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        if model.__module__.startswith("apps.")
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is models.CASCADE
    ]
    # knox's own base class (a token is nothing without its person), and the lines of a draft that is thrown away.
    assert sorted(cascades) == ["ApiToken.user", "RateLineItem.version"]
