"""What an account must have before anything can be bought: the prices of the plans, found by their lookup keys."""

from devstack.standins.stripe import subscriptions
from devstack.standins.stripe.world import World

# Lookup key, name and cents a month.
PLANS = (
    ("afterresume_starter_monthly", "AfterResume Starter", 900),
    ("afterresume_professional_monthly", "AfterResume Professional", 2900),
)


def plant_prices(world: World) -> None:
    """Make the prices that are not there yet; those that somebody made under these keys stay as they are."""
    with world.store.transaction():
        known = {price["lookup_key"] for price in world.store.list_kind("price")}
        for lookup_key, name, cents in PLANS:
            if lookup_key not in known:
                subscriptions.create_price(
                    world,
                    {
                        "currency": "usd",
                        "unit_amount": cents,
                        "recurring": {"interval": "month", "interval_count": 1},
                        "product_data": {"name": name},
                        "lookup_key": lookup_key,
                    },
                )
