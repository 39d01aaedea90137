"""How a path operation is run: on the thread of its connection, up to the JSON."""

from collections.abc import Callable
from functools import partial, wraps
from inspect import Parameter, iscoroutinefunction, signature
from typing import Any

from fastapi import Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from .getter_dict import has_relations, read
from .paging import PageQuery
from .pool import run
from .typed_dict import typed_dict


def identity(value: Any) -> Any:
    """The value."""
    return value


class PeeweeRoute(APIRoute):
    """A path operation that returns Peewee objects: `APIRouter(route_class=…)`.

    FastAPI would run a `def` path operation on one thread, and on another make its
    answer, which may ask the database again. Here both happen on the thread of the
    request's connection. The answer is validated by the `response_model`, always.

    A GET whose answer takes more than one query, since the `response_model` names
    relations, is made in one snapshot of the database. For that a `def` path operation
    may be called again.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, self._answering(endpoint), **options)
        self._schema: TypeAdapter[Any] = TypeAdapter(self.response_model)
        # What the getter dict makes are dicts.
        self._typed_dict: TypeAdapter[Any] = TypeAdapter(
            typed_dict(self.response_model)
        )
        self._reads_more = self.methods == {"GET"} and has_relations(
            self.response_model
        )

    def _answering(self, endpoint: Callable[..., Any]) -> Callable[..., Any]:
        """The path operation as FastAPI calls it."""

        parameters = signature(endpoint).parameters
        own = [
            n for n, p in parameters.items() if p.annotation in (Response, "Response")
        ]
        name = own[0] if own else "peewee_route_response"

        @wraps(endpoint)
        async def answering(**values: Any) -> Any:
            headers: Response = values[name] if own else values.pop(name)
            call: Callable[[], Any] = partial(endpoint, **values)
            if iscoroutinefunction(endpoint):
                call = partial(identity, await call())
            answer = partial(self._answer, call, headers)
            return await run(answer, snapshot=self._reads_more)

        if not own:
            # FastAPI gives it the headers and the status that dependencies set.
            response = Parameter(name, Parameter.KEYWORD_ONLY, annotation=Response)
            answering.__signature__ = signature(endpoint).replace(  # type: ignore[attr-defined]
                parameters=[*parameters.values(), response]
            )
        return answering

    def _answer(self, call: Callable[[], Any], headers: Response) -> Any:
        result = call()
        if self.response_model is None or isinstance(result, Response):
            return result
        if isinstance(result, PageQuery):
            data = result.cut(read(self.response_model, result.query), headers)
        else:
            data = read(self.response_model, result)
        adapter = self._schema if data is result else self._typed_dict
        content = adapter.dump_json(
            adapter.validate_python(data, by_name=True),
            by_alias=self.response_model_by_alias,
            include=self.response_model_include,
            exclude=self.response_model_exclude,
            exclude_unset=self.response_model_exclude_unset,
            exclude_defaults=self.response_model_exclude_defaults,
            exclude_none=self.response_model_exclude_none,
        )
        status_code = headers.status_code or self.status_code or 200
        response = Response(content, status_code, media_type="application/json")
        response.raw_headers.extend(headers.raw_headers)
        return response
