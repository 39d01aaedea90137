"""Peewee under FastAPI, for any app; imports nothing from the rest."""

from .database import ContextDatabase, connect
from .engines import connector, pool_size
from .engines.connection import Connector
from .engines.errors import (
    ForeignKeyViolation,
    UniqueViolation,
    one_line,
    why_unavailable,
)
from .engines.url import is_in_memory, without_password
from .fields import BigId, Id, Text
from .getter_dict import PeeweeGetterDict, read
from .migrations import migrate
from .paging import Page, PageQuery, PageRequest, page_after
from .pool import Pool, PoolTimeoutError, run
from .prepared import prepared, prepared_first
from .registered import MakeConnection
from .responses import add_database_error_handlers
from .route import PeeweeRoute
from .scope import (
    EventLoopError,
    NoConnectionError,
    SharedTransactionError,
)

__all__ = [
    "BigId",
    "Connector",
    "ContextDatabase",
    "EventLoopError",
    "ForeignKeyViolation",
    "Id",
    "MakeConnection",
    "NoConnectionError",
    "Page",
    "PageQuery",
    "PageRequest",
    "PeeweeGetterDict",
    "PeeweeRoute",
    "Pool",
    "PoolTimeoutError",
    "SharedTransactionError",
    "Text",
    "UniqueViolation",
    "add_database_error_handlers",
    "connect",
    "connector",
    "is_in_memory",
    "migrate",
    "one_line",
    "page_after",
    "pool_size",
    "prepared",
    "prepared_first",
    "read",
    "run",
    "why_unavailable",
    "without_password",
]
