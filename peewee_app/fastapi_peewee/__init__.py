"""What an app needs to use Peewee under FastAPI; it imports nothing from the rest."""

from .database import ContextDatabase, connect
from .engines import connector, pool_size
from .engines.errors import ForeignKeyViolation, UniqueViolation, why_unavailable
from .getter_dict import PeeweeGetterDict, read
from .middleware import DatabaseMiddleware
from .paging import Page
from .pool import Pool, PoolTimeoutError, run
from .prepared import prepared, prepared_first
from .responses import add_database_error_handlers
from .route import PeeweeRoute
from .scope import MakeConnection, NoConnectionError, SharedTransactionError

__all__ = [
    "ContextDatabase",
    "DatabaseMiddleware",
    "ForeignKeyViolation",
    "MakeConnection",
    "NoConnectionError",
    "Page",
    "PeeweeGetterDict",
    "PeeweeRoute",
    "Pool",
    "PoolTimeoutError",
    "SharedTransactionError",
    "UniqueViolation",
    "add_database_error_handlers",
    "connect",
    "connector",
    "pool_size",
    "prepared",
    "prepared_first",
    "read",
    "run",
    "why_unavailable",
]
