"""Pieces for rules that live in PostgreSQL."""

from typing import Any

import pgtrigger
from django.db import connection, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from apps.common.money import MAX_ABS_MICROS


class AddTenantReference(Operation):
    """Makes a foreign key between two tenant tables unable to cross tenants.

    Adds UNIQUE (tenant_id, id) to the referenced table when it is missing and FOREIGN KEY (tenant_id, <field>_id)
    REFERENCES <target> (tenant_id, id). Django's own single-column key stays for the ORM. Both models need `tenant`.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str, field_name: str) -> None:
        self.model_name = model_name
        self.field_name = field_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The ORM's picture of the models does not change."""

    def _names(self, app_label: str, state: ProjectState) -> tuple[str, str, str]:
        """The referencing table, its column and the referenced table."""
        model = state.apps.get_model(app_label, self.model_name)
        field: Any = model._meta.get_field(self.field_name)
        return model._meta.db_table, field.column, field.related_model._meta.db_table

    @staticmethod
    def _constraint(table: str, column: str) -> str:
        # PostgreSQL cuts longer names silently, and then dropping by the full name would fail.
        return f"{table}_{column}_tenant"[:63]

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table, column, target = self._names(app_label, to_state)
        unique = f"{target}_tenant_id_id_key"
        schema_editor.execute(
            f"""
            DO $$ BEGIN
                IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = '{unique}') THEN
                    ALTER TABLE "{target}" ADD CONSTRAINT "{unique}" UNIQUE (tenant_id, id);
                END IF;
            END $$
            """  # noqa: S608 - names of our own models
        )
        schema_editor.execute(
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{self._constraint(table, column)}"'
            f' FOREIGN KEY (tenant_id, "{column}") REFERENCES "{target}" (tenant_id, id)'
        )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table, column, _ = self._names(app_label, from_state)
        schema_editor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT IF EXISTS "{self._constraint(table, column)}"')

    def describe(self) -> str:
        return f"Keep {self.model_name}.{self.field_name} within one tenant"


def micros_range(field: str, *, name: str, minimum: int = -MAX_ABS_MICROS) -> models.CheckConstraint:
    """CHECK minimum <= field <= 10^15 micro-dollars, the same bound that the API enforces."""
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__gte": minimum, f"{field}__lte": MAX_ABS_MICROS}), name=name
    )


def append_only() -> list[pgtrigger.Trigger]:
    """Triggers that refuse UPDATE, DELETE and TRUNCATE: a wrong row is corrected by a counter-row."""
    return [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name="no_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'append only: % cannot be truncated', TG_TABLE_NAME;",
        ),
    ]


def require_transaction() -> None:
    """Refuses to go on outside a transaction: the caller's lock would be gone with its first statement."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("This must run inside transaction.atomic().")


def forbid_transaction() -> None:
    """Guards a remote call: nothing of ours may stay locked while a stranger thinks.

    The transaction that a test case wraps around itself does not count, as with `atomic(durable=True)`.
    """
    blocks: list[Any] = connection.atomic_blocks
    if any(not block._from_testcase for block in blocks):
        raise transaction.TransactionManagementError("No remote call inside a database transaction.")
