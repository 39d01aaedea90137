"""/docs and /redoc, which load nothing from another host."""

from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

STATIC_URL = "/static-offline-docs"
# ReDoc always asks for this image, and removes it if it cannot be loaded.
LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"


@cache
def _redoc() -> bytes:
    script = files("fastapi_offline") / "static" / "redoc.standalone.js"
    return script.read_bytes().replace(LOGO, b"data:,")


def _redoc_without_logo(_request: Request) -> Response:
    return Response(_redoc(), media_type="text/javascript")


def create_app_with_docs(*routers: APIRouter, **options: Any) -> FastAPI:
    """Make a FastAPI app of these routers that serves the assets of its docs.

    The options are FastAPI's. The docs are matched last, since requests for them are
    rare.
    """
    app = FastAPIOffline(static_url=STATIC_URL, **options)
    for page in app.routes:  # FastAPI's own pages take HEAD, too.
        if isinstance(page, APIRoute) and page.methods:
            page.methods.add("HEAD")
    route = Route(f"{STATIC_URL}/redoc.standalone.js", _redoc_without_logo)
    docs = [route, *app.routes]  # It comes before the mount of all the assets.
    app.routes.clear()
    for router in routers:
        app.include_router(router)
    app.routes.extend(docs)
    return app
