"""`python -m devstack.standins.stripe --port N --database PATH [--webhook-url URL]`: the Stripe stand-in.

The API key and the webhook secret come from STRIPE_STANDIN_SECRET_KEY and STRIPE_STANDIN_WEBHOOK_SECRET.
"""

import argparse
import os
from pathlib import Path

from devstack.net import LOOPBACK
from devstack.standins.stripe.server import make_application
from devstack.standins.stripe.store import Store
from devstack.standins.stripe.webhooks import Sender
from devstack.standins.stripe.world import World
from devstack.standins.web import make_server


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="Stripe stand-in.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--webhook-url", default="")
    options = parser.parse_args()
    world = World(
        store=Store(options.database),
        base_url=f"http://{LOOPBACK}:{options.port}",
        secret_key=os.environ["STRIPE_STANDIN_SECRET_KEY"],
        webhook_url=options.webhook_url,
        webhook_secret=os.environ["STRIPE_STANDIN_WEBHOOK_SECRET"],
    )
    Sender(world).start()
    make_server(make_application(world), port=options.port).serve_forever()


if __name__ == "__main__":
    main()
