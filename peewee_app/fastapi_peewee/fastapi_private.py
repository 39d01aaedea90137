"""Private parts of FastAPI, which no other module uses."""

from typing import Any

from fastapi.routing import APIRoute, _effective_route_context_var


def effective(route: APIRoute) -> Any:
    """Return the route with the options of the routers around it.

    `get_route_handler` is called once for each router that the route is in.
    """
    context = _effective_route_context_var.get()
    return context if context and context.original_route is route else route
