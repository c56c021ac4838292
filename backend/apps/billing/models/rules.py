"""Rules of money that PostgreSQL itself holds, as trigger functions.

They look at the rows, not at who wrote them: a mistake of ours, Django admin, psql and a raw INSERT meet the same wall.
Those that compare several tables are deferred to the commit, when a balanced change is complete. A refusal reads
as a broken constraint, so Django raises IntegrityError.
"""

from typing import Final

import pgtrigger

# The bytes that an entry's hash covers: the previous hash and every other column, as the text of a JSON array.
# apps.billing.services.chain builds the same text in Python; both must change together.
CANONICAL_ENTRY: Final = """jsonb_build_array(
        NEW.previous_hash, NEW.id, NEW.tenant_id, NEW.account_id, NEW.seq, NEW.kind, NEW.amount_micros,
        NEW.balance_after_micros, NEW.floor_micros, NEW.currency, NEW.idempotency_key, NEW.request_hash,
        NEW.payment_intent_id, NEW.refund_id, NEW.dispute_id, NEW.dispute_phase, NEW.hold_id, NEW.promo_source,
        NEW.adjustment_id, NEW.expired_entry_id, NEW.actor_id, NEW.description,
        (extract(epoch FROM NEW.created_at) * 1000000)::bigint
    )::text"""

_CHECK_CHAIN: Final = """
    IF NEW.seq = 1 THEN
        before_balance := 0;
        before_hash := repeat('0', 64);
    ELSE
        SELECT balance_after_micros, hash INTO before_balance, before_hash
        FROM billing_reserveledgerentry WHERE account_id = NEW.account_id AND seq = NEW.seq - 1;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'ledger: entry % has no predecessor', NEW.seq USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF NEW.balance_after_micros <> before_balance + NEW.amount_micros THEN
        RAISE EXCEPTION 'ledger: entry % does not add up', NEW.seq USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.previous_hash <> before_hash
        OR NEW.hash <> encode(sha256(convert_to(<canonical>, 'UTF8')), 'hex') THEN
        RAISE EXCEPTION 'ledger: entry % breaks the hash chain', NEW.seq USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.floor_micros <> (SELECT floor_micros FROM billing_reserveaccount WHERE id = NEW.account_id) THEN
        RAISE EXCEPTION 'ledger: entry % names another floor than its account', NEW.seq
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""

_CHECK_ACCOUNT: Final = """
    SELECT * INTO account FROM billing_reserveaccount WHERE id = NEW.%s;
    SELECT seq, balance_after_micros, hash INTO head_seq, head_balance, head_hash
    FROM billing_reserveledgerentry WHERE account_id = NEW.%s ORDER BY seq DESC LIMIT 1;
    IF account.last_seq <> coalesce(head_seq, 0) OR account.balance_micros <> coalesce(head_balance, 0)
        OR account.last_hash <> coalesce(head_hash, repeat('0', 64)) THEN
        RAISE EXCEPTION 'reserve: account % differs from its last entry', NEW.%s USING ERRCODE = 'check_violation';
    END IF;
    IF account.held_micros <> (
        SELECT coalesce(sum(amount_micros), 0) FROM billing_reservehold
        WHERE account_id = NEW.%s AND state = 'open'
    ) THEN
        RAISE EXCEPTION 'reserve: account % differs from its open holds', NEW.%s USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""

_CHECK_USAGE_ENTRY: Final = """
    IF -NEW.amount_micros <> (
        SELECT coalesce(sum(cost_micros), 0) FROM billing_usageevent
        WHERE settlement_id = NEW.id AND hold_id = NEW.hold_id
    ) THEN
        RAISE EXCEPTION 'ledger: usage entry % differs from its usage event', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""

_CHECK_NEW_HOLD: Final = """
    IF NEW.state NOT IN ('open', 'settled') THEN
        RAISE EXCEPTION 'hold: begins open or settled' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.amount_micros > 0 AND (
        SELECT account.balance_micros - NEW.amount_micros - (
            SELECT coalesce(sum(amount_micros), 0) FROM billing_reservehold
            WHERE account_id = NEW.account_id AND state = 'open'
        ) < CASE account.policy WHEN 'block' THEN 0 ELSE account.floor_micros END OR account.is_stopped
        FROM billing_reserveaccount account WHERE account.id = NEW.account_id
    ) THEN
        RAISE EXCEPTION 'hold: beyond what may be spent' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""

_CHECK_HOLD_CHANGE: Final = """
    IF OLD.state <> 'open' THEN
        RAISE EXCEPTION 'hold: % is final', OLD.state USING ERRCODE = 'check_violation';
    END IF;
    IF to_jsonb(NEW) - '{state,closed_at,expires_at}'::text[]
        IS DISTINCT FROM to_jsonb(OLD) - '{state,closed_at,expires_at}'::text[] THEN
        RAISE EXCEPTION 'hold: only its state and lease may change' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""

# Every call served has exactly one of usage event and loss, and a hold's end says which.
_CHECK_HOLD_OUTCOME: Final = """
    SELECT state INTO hold_state FROM billing_reservehold WHERE id = NEW.%s;
    SELECT count(*), coalesce(sum(excess_micros), 0) INTO events, excess
    FROM billing_usageevent WHERE hold_id = NEW.%s;
    SELECT count(*) FILTER (WHERE reason IN ('outcome_unknown', 'usage_unknown')),
        coalesce(sum(unbilled_micros) FILTER (WHERE reason IN ('above_hold', 'below_floor')), 0)
    INTO unmetered, unbilled FROM billing_lossentry WHERE hold_id = NEW.%s;
    IF events <> (hold_state = 'settled')::int OR unmetered <> (hold_state = 'expired')::int
        OR excess <> unbilled THEN
        RAISE EXCEPTION 'hold: % does not fit its usage and losses', hold_state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""

# A hold that begins settled was never seen open beside the others, so its entry is asked how far down it went.
_CHECK_SETTLED_AT_ONCE: Final = """
    IF EXISTS (
        SELECT 1 FROM billing_reserveledgerentry entry
        JOIN billing_reserveaccount account ON account.id = entry.account_id
        WHERE entry.hold_id = NEW.id AND entry.kind = 'usage'
            AND entry.balance_after_micros < CASE account.policy WHEN 'block' THEN 0 ELSE account.floor_micros END
    ) THEN
        RAISE EXCEPTION 'hold: beyond what may be spent' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""


_CHECK_EVENT: Final = """
    SELECT <price>, <provider price>,
        coalesce(sum(c.quantity) FILTER (WHERE c.token_class = 'input'), 0) = NEW.input_tokens
            AND coalesce(sum(c.quantity) FILTER (WHERE c.token_class = 'cached_input'), 0) = NEW.cached_input_tokens
            AND coalesce(sum(c.quantity) FILTER (WHERE c.token_class = 'cache_write'), 0) = NEW.cache_write_tokens
            AND coalesce(sum(c.quantity) FILTER (WHERE c.token_class = 'output'), 0) = NEW.output_tokens
            AND coalesce(sum(c.quantity) FILTER (WHERE c.token_class = 'reasoning'), 0) = NEW.reasoning_tokens
            AND coalesce(sum(c.quantity) FILTER (WHERE c.token_class = ''), 0) = NEW.quantity
            AND coalesce(sum(c.quantity), 0) = NEW.input_tokens + NEW.cached_input_tokens + NEW.cache_write_tokens
                + NEW.output_tokens + NEW.reasoning_tokens + NEW.quantity,
        count(*) FILTER (
            WHERE line.id IS NULL OR c.quantity IS NULL OR c.quantity < 0 OR c.quantity <> trunc(c.quantity)
        )
    INTO price, provider_price, is_counted, strange
    FROM jsonb_to_recordset(NEW.charges) AS c(
        line uuid, token_class text, quantity numeric, unit_size numeric, price_micros numeric,
        provider_cost_micros numeric
    )
    LEFT JOIN billing_ratelineitem line ON line.id = c.line
        AND line.version_id = NEW.rate_version_id AND line.meter = NEW.meter
        AND (line.model_pattern = NEW.model
            OR (right(line.model_pattern, 1) = '*' AND starts_with(NEW.model, left(line.model_pattern, -1))))
        AND (line.token_class = c.token_class
            OR (line.token_class = 'input' AND c.token_class IN ('cached_input', 'cache_write'))
            OR (line.token_class = 'output' AND c.token_class = 'reasoning'))
        AND line.unit_size = c.unit_size AND line.price_micros = c.price_micros
        AND line.provider_cost_micros = c.provider_cost_micros;
    IF strange > 0 THEN
        RAISE EXCEPTION 'usage: a charge does not follow its rate line' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT is_counted THEN
        RAISE EXCEPTION 'usage: the counts differ from the charges' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.cost_micros + NEW.excess_micros <> price OR NEW.provider_cost_micros <> provider_price THEN
        RAISE EXCEPTION 'usage: the cost is %, not %', price, NEW.cost_micros + NEW.excess_micros
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM billing_reservehold hold
        WHERE hold.id = NEW.hold_id AND hold.rate_version_id = NEW.rate_version_id AND hold.meter = NEW.meter
            AND hold.model = NEW.model AND hold.job_id = NEW.job_id AND hold.call_id = NEW.call_id
            AND NEW.cost_micros <= hold.amount_micros
    ) THEN
        RAISE EXCEPTION 'usage: the event does not fit its hold' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.settlement_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM billing_reserveledgerentry entry
        WHERE entry.id = NEW.settlement_id AND entry.kind = 'usage' AND entry.hold_id = NEW.hold_id
    ) THEN
        RAISE EXCEPTION 'usage: the event is not settled by an entry of its hold' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""

# A published version keeps its prices for ever; the one change left is to end it, once.
_CHECK_VERSION_CHANGE: Final = """
    IF OLD.state = 'published' AND (TG_OP = 'DELETE' OR OLD.valid_to IS NOT NULL
        OR to_jsonb(NEW) - 'valid_to' IS DISTINCT FROM to_jsonb(OLD) - 'valid_to') THEN
        RAISE EXCEPTION 'rate card: a published version is frozen' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
"""

_CHECK_LINE_CHANGE: Final = """
    IF EXISTS (
        SELECT 1 FROM billing_ratecardversion version WHERE version.state = 'published'
            AND ((TG_OP <> 'INSERT' AND version.id = OLD.version_id)
                OR (TG_OP <> 'DELETE' AND version.id = NEW.version_id))
    ) THEN
        RAISE EXCEPTION 'rate card: the lines of a published version are frozen' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
"""


def rounded_sum(price: str) -> str:
    """The one rounding, half up, of the exact sum of quantity x price / unit size, scaled to whole numbers."""
    return f"div(2 * coalesce(sum(c.quantity * c.{price} * (1000000 / c.unit_size)), 0) + 1000000, 2000000)"


def check_chain() -> pgtrigger.Trigger:
    """Each entry continues the one before it: sequence, balance and hash. Runs when all rows of a statement are in."""
    return pgtrigger.Trigger(
        name="check_chain",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        declare=[("before_balance", "bigint"), ("before_hash", "text")],
        func=_CHECK_CHAIN.replace("<canonical>", CANONICAL_ENTRY),
    )


def check_account(
    *,
    column: str,
    operation: pgtrigger.Operation | pgtrigger.Operations,
    name: str = "check_account",
    condition: pgtrigger.Condition | None = None,
) -> pgtrigger.Trigger:
    """At commit the account whose id is in `column` equals its last entry and its open holds."""
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.After,
        operation=operation,
        timing=pgtrigger.Deferred,
        condition=condition,
        declare=[
            ("account", "billing_reserveaccount%ROWTYPE"),
            ("head_seq", "bigint"),
            ("head_balance", "bigint"),
            ("head_hash", "text"),
        ],
        func=_CHECK_ACCOUNT.replace("NEW.%s", f"NEW.{column}"),
    )


def check_usage_entry() -> pgtrigger.Trigger:
    """At commit a usage entry equals the usage event that it settles."""
    return pgtrigger.Trigger(
        name="check_usage",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__kind="usage"),
        func=_CHECK_USAGE_ENTRY,
    )


def check_new_hold() -> pgtrigger.Trigger:
    """A hold begins open, or settled for what is over, and within what the account's policy lets be spent."""
    return pgtrigger.Trigger(name="check_new", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_CHECK_NEW_HOLD)


def check_settled_at_once() -> pgtrigger.Trigger:
    """At commit the entries of holds that began settled have together kept to the account's policy."""
    return pgtrigger.Trigger(
        name="check_at_once",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__state="settled"),
        func=_CHECK_SETTLED_AT_ONCE,
    )


def check_hold_change() -> pgtrigger.Trigger:
    """A hold ends once, and nothing but its state and lease ever changes."""
    return pgtrigger.Trigger(
        name="check_change", when=pgtrigger.Before, operation=pgtrigger.Update, func=_CHECK_HOLD_CHANGE
    )


def check_hold_outcome(*, column: str, operation: pgtrigger.Operation | pgtrigger.Operations) -> pgtrigger.Trigger:
    """At commit the hold whose id is in `column` has exactly the usage event or loss that its state says."""
    return pgtrigger.Trigger(
        name="check_outcome",
        when=pgtrigger.After,
        operation=operation,
        timing=pgtrigger.Deferred,
        declare=[
            ("hold_state", "text"),
            ("events", "bigint"),
            ("excess", "numeric"),
            ("unmetered", "bigint"),
            ("unbilled", "numeric"),
        ],
        func=_CHECK_HOLD_OUTCOME.replace("NEW.%s", f"NEW.{column}"),
    )


def check_event() -> pgtrigger.Trigger:
    """A usage event's cost is recomputed from its frozen charges, and these from the published rate lines."""
    return pgtrigger.Trigger(
        name="check_event",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        declare=[("price", "numeric"), ("provider_price", "numeric"), ("is_counted", "boolean"), ("strange", "bigint")],
        func=_CHECK_EVENT.replace("<price>", rounded_sum("price_micros")).replace(
            "<provider price>", rounded_sum("provider_cost_micros")
        ),
    )


def check_version_change() -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name="frozen",
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete,
        func=_CHECK_VERSION_CHANGE,
    )


def check_line_change() -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name="frozen",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func=_CHECK_LINE_CHANGE,
    )


def never_removed() -> list[pgtrigger.Trigger]:
    """Refuses DELETE and TRUNCATE of rows that change but never go away."""
    return [
        pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        pgtrigger.Trigger(
            name="no_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'never removed: % cannot be truncated', TG_TABLE_NAME;",
        ),
    ]
