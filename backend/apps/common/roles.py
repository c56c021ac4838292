"""The database role that a service runs as: row-level security binds it only if it is an ordinary one.

`migrate` runs as the owner of the tables (role `afterresume`) and grants the runtime role (DATABASE_RUNTIME_ROLE, such
as `afterresume_app`) what services need. In production a service that is connected as a superuser, with BYPASSRLS or as
the owner of a table with rows of customers refuses to start, and is not ready.
"""

from typing import Any, Final

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

# Tables with rows of customers, and whether each is protected; the flags are those of ProtectTenantRows.
_TABLES: Final = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity
               AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid),
           pg_has_role(current_user, c.relowner, 'MEMBER')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
        AND EXISTS (SELECT 1 FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)
    ORDER BY c.relname
"""
_ROLE: Final = "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"

# Operations that a trigger of `append_only` or a Protect refuses whatever the row: the privilege goes as well.
_REFUSED: Final = """
    SELECT c.relname,
           bool_or(t.tgtype & 16 > 0) AS updates, bool_or(t.tgtype & 8 > 0) AS deletes
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_proc f ON f.oid = t.tgfoid
    WHERE n.nspname = 'public' AND NOT t.tgisinternal AND t.tgqual IS NULL AND f.prosrc LIKE '%pgtrigger: Cannot %'
    GROUP BY c.relname
"""


def is_migrating_role(*, role: str) -> bool:
    """Whether this process is the owner's: it was told of another role as whom the services run."""
    return bool(settings.DATABASE_RUNTIME_ROLE) and role != settings.DATABASE_RUNTIME_ROLE


def find_role_problems(*, using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Why row-level security would not hold for the connected role; empty when it does."""
    with connections[using].cursor() as cursor:
        cursor.execute(_ROLE)
        role, is_superuser, bypasses = cursor.fetchone()
        cursor.execute(_TABLES)
        tables: list[tuple[str, bool, bool]] = cursor.fetchall()
    problems = []
    if is_superuser:
        problems.append(f"The role {role} is a superuser: no policy binds it.")
    if bypasses:
        problems.append(f"The role {role} has BYPASSRLS: no policy binds it.")
    owned = [name for name, _, is_owned in tables if is_owned]
    if owned and not is_superuser:
        problems.append(f"The role {role} owns {owned[0]} and may switch its policies off: run services as another.")
    problems += [f"The table {name} has no forced row-level security." for name, is_bound, _ in tables if not is_bound]
    return problems


def check_role(*, databases: Any = None, **_: Any) -> list[checks.CheckMessage]:
    """Django's check of the database (`manage.py check --database default`)."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT current_user")
        [role] = cursor.fetchone()
    if is_migrating_role(role=role):
        return []
    kind = checks.Error if settings.REFUSE_POWERFUL_ROLE else checks.Warning
    return [kind(problem, id="afterresume.E001") for problem in find_role_problems()]


def require_runtime_role() -> None:
    """Refuses to start a service whose role row-level security does not bind. Raises ImproperlyConfigured.

    Where the database cannot be asked yet the service starts all the same and reports itself as not ready. The
    connection is given up again: the process may fork.
    """
    if not settings.REFUSE_POWERFUL_ROLE:
        return
    connection: Any = connections[DEFAULT_DB_ALIAS]
    try:
        problems = find_role_problems()
    except OperationalError:
        return
    finally:
        connection.close()
        connection.close_pool()
    if problems:
        raise ImproperlyConfigured(f"DATABASE_URL: {problems[0]} See the runbook, section 8.")


def grant_runtime_role(*, using: str, **signal: Any) -> None:
    """After `migrate`: rows to the runtime role, and neither TRUNCATE nor what append-only tables refuse."""
    connection = connections[using]
    role = settings.DATABASE_RUNTIME_ROLE
    # `flush` sends the same signal, without a plan; it changes no privilege.
    if not role or "plan" not in signal:
        return
    name = connection.ops.quote_name(role)
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}")
        cursor.execute(f"REVOKE TRUNCATE, REFERENCES, TRIGGER ON ALL TABLES IN SCHEMA public FROM {name}")
        cursor.execute(f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {name}")
        cursor.execute(_REFUSED)
        for table, updates, deletes in cursor.fetchall():
            refused = [word for word, is_refused in (("UPDATE", updates), ("DELETE", deletes)) if is_refused]
            cursor.execute(f"REVOKE {', '.join(refused)} ON {connection.ops.quote_name(table)} FROM {name}")
