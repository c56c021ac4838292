"""The three doors of the stand-in: the API, the pages, and the control for tests."""

from devstack.standins.stripe.api import serve_api
from devstack.standins.stripe.control import serve_control
from devstack.standins.stripe.pages import serve_pages
from devstack.standins.stripe.seeds import plant_prices
from devstack.standins.stripe.world import World
from devstack.standins.web import Application, Request, Response


def make_application(world: World) -> Application:
    """Return the web application over a world, which then has the prices of the plans."""
    plant_prices(world)

    def application(request: Request) -> Response | None:
        if request.path.startswith("/v1/"):
            return serve_api(world, request)
        if request.path.startswith("/_"):
            return serve_control(world, request)
        return serve_pages(world, request)

    return application
