"""Path operations on the thread of their connection, up to the JSON."""

import inspect
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any

from fastapi import Request, Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.exceptions import ResponseValidationError
from fastapi.routing import APIRoute
from fastapi.utils import is_body_allowed_for_status_code
from pydantic import ValidationError

from .fastapi_private import effective
from .getter_dict import Reader
from .pagination import unread_pages
from .paging import PageQuery
from .pool import run
from .size_limit import one_large_answer

# FastAPI's name for the response that dependencies change.
RESPONSE = "peewee_route_response"


class PeeweeRoute(APIRoute):
    """A path operation that returns Peewee objects: `APIRouter(route_class=…)`.

    FastAPI would run a `def` path operation on one thread, and on another make its
    answer, which may ask the database again. Here both happen on the thread of the
    request's connection. The rest is FastAPI's.

    A GET whose answer takes several statements, since the `response_model` names
    relations or is more than a list, is made in one snapshot of the database. For that
    a `def` path operation may be called again (see `in_snapshot`).

    An answer that does not fit the `response_model` raises ResponseValidationError,
    which names the route, the schema and the field, and no value.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of a request, for each router that has the route."""
        route = effective(self)
        dependant = route.dependant
        if not is_generator(dependant.call):
            name = dependant.response_param_name or RESPONSE
            dependant.response_param_name = name
            dependant.call = Answer(route, dependant.call, name).call
        return super().get_route_handler()


class Answer:
    """Answer of a route."""

    def __init__(self, route: Any, endpoint: Callable[..., Any], name: str) -> None:
        self._route = route
        self._endpoint = endpoint
        self._reader = Reader(route.response_model) if route.response_model else None
        self._in_snapshot = (
            route.methods == {"GET"}
            and self._reader is not None
            and self._reader.may_read_more
        )
        is_async = is_coroutine_function(endpoint)

        @wraps(endpoint)
        async def call(**values: Any) -> Any:
            headers = values.pop(RESPONSE) if name == RESPONSE else values[name]
            function: Callable[[], Any] = partial(endpoint, **values)
            if is_async:
                result = await function()
                function = lambda: result  # noqa: E731
            answer = partial(self._answer, function, headers)
            return await run(answer, snapshot=self._in_snapshot)

        self.call = call

    @one_large_answer()
    def _answer(self, function: Callable[[], Any], headers: Response) -> Any:
        with unread_pages(self._route.response_model):
            result = function()
        if self._reader is None or isinstance(result, Response):
            return result
        route = self._route
        if isinstance(result, PageQuery):
            result = result.read(self._reader.fetch)
        value = self._read(self._reader, result)
        options = {
            "by_alias": route.response_model_by_alias,
            "include": route.response_model_include,
            "exclude": route.response_model_exclude,
            "exclude_unset": route.response_model_exclude_unset,
            "exclude_defaults": route.response_model_exclude_defaults,
            "exclude_none": route.response_model_exclude_none,
        }
        status: dict[str, Any] = {}
        if status_code := headers.status_code or route.status_code:
            status["status_code"] = status_code
        adapter = self._reader.adapter
        if isinstance(route.response_class, DefaultPlaceholder):
            content: Any = adapter.dump_json(value, **options)
            response = Response(content, media_type="application/json", **status)
        else:
            content = adapter.dump_python(value, mode="json", **options)
            response = route.response_class(content, **status)
        if not is_body_allowed_for_status_code(response.status_code):
            response.body = b""
        response.headers.raw.extend(headers.headers.raw)
        return response

    def _read(self, reader: Reader, result: Any) -> Any:
        try:
            return reader.read(result)
        except ValidationError as exc:
            found = exc.errors(
                include_url=False, include_context=False, include_input=False
            )
            errors = [
                {"schema": exc.title} | error | {"loc": ("response", *error["loc"])}
                for error in found
            ]
            for error in errors:
                if error["type"] == "get_attribute_error":
                    # The attribute's own error may have values in it.
                    error["msg"] = "Error extracting attribute"
        except RecursionError as exc:
            errors = [{"type": "recursion", "loc": ("response",), "msg": str(exc)}]
        raise ResponseValidationError(errors=errors, endpoint_ctx=self._where())

    def _where(self) -> Any:
        function = inspect.unwrap(self._endpoint)
        where = {"path": f"{'/'.join(sorted(self._route.methods))} {self._route.path}"}
        if code := getattr(function, "__code__", None):
            where |= {"file": code.co_filename, "function": function.__name__}
            where |= {"line": code.co_firstlineno}
        return where


def is_coroutine_function(call: Any) -> bool:
    """Return whether calling it gives an awaitable."""
    while isinstance(call, partial):
        call = call.func
    method = getattr(call, "__call__", None)  # noqa: B004 - its kind, not whether
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(method)


def is_generator(call: Any) -> bool:
    """Return whether FastAPI streams what it yields."""
    return inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call)
