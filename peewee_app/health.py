"""Health of the process, and readiness of its database."""

import asyncio
import logging
import math
import time
from contextlib import closing
from contextvars import Context

from fastapi import APIRouter, Request, Response

from .database import db
from .fastapi_peewee import Connector, Pool, one_line, run, why_unavailable
from .models import User

# The server's, which is shown.
logger = logging.getLogger("uvicorn.error")

router = APIRouter(prefix="/health", include_in_schema=False)

# Seconds that a check waits for an answer.
DEADLINE = 0.8
# Seconds that an answer is kept.
SHARED = 1
# Seconds between trials of a new connection: requests may need one, and a password that
# was changed shows only then.
TRIAL_INTERVAL = 10
# Seconds to wait for a trial, which takes longer where an address is dead.
TRIAL_TIME = 0.3


class Readiness:
    """Check that the database can be read and written, and requests have threads.

    One check runs at a time, on a thread and a connection of its own, and all callers
    share the answer. So it works when all requests wait or the database hangs, and
    its cost does not grow with the callers.
    """

    def __init__(self, connect: Connector, pool: Pool) -> None:
        self._connect = connect
        self._requests = pool
        self._pool = Pool(db, connect, size=1, timeout=DEADLINE)
        self._trial: asyncio.Task[None] | None = None
        self._succeeded = -math.inf
        self._refusal: Exception | None = None
        self._answer: asyncio.Task[str | None] | None = None
        self._answered = 0.0
        self._reason: str | None = None

    async def why_not(self) -> str | None:
        """Return the reason why the app is not ready, in a word; None if it is."""
        answer = self._answer
        is_due = time.monotonic() - self._answered >= SHARED
        if answer is None or (answer.done() and is_due):
            # No request that waits for it owns it.
            answer = asyncio.create_task(self._ask(), context=Context())
            self._answer = answer
        done, _ = await asyncio.wait([answer], timeout=DEADLINE)
        return answer.result() if done else "timeout"

    async def _ask(self) -> str | None:
        try:
            self._requests.check()
            await self._try_anew()
            async with self._pool.request():
                reason = await run(ask)
        except Exception as exc:
            reason, words = why_unavailable(exc) or "error", one_line(exc)
        else:
            words = reason or "ready again"
        if reason != self._reason:
            logger.warning("/health/ready: %s", words)
        self._reason = reason
        self._answered = time.monotonic()
        return reason

    async def _try_anew(self) -> None:
        """Raise the last new connection's error; try one now and then."""
        is_due = time.monotonic() - self._succeeded >= TRIAL_INTERVAL
        if is_due and (self._trial is None or self._trial.done()):
            self._trial = asyncio.create_task(asyncio.to_thread(self._try))
        if self._trial:
            await asyncio.wait([self._trial], timeout=TRIAL_TIME)
        if self._refusal:
            raise self._refusal

    def _try(self) -> None:
        try:
            with closing(self._connect()) as connection:
                connection.connect()
        except Exception as exc:
            self._refusal = exc
        else:
            self._refusal = None
            self._succeeded = time.monotonic()

    def close(self) -> None:
        """Close the connection; blocks until that is done."""
        self._pool.close()


def ask() -> str | None:
    """Return the problem of a database that answers, or None."""
    User.select().exists()
    reason: str | None = db.why_not_writable(User._meta.table_name)
    return reason


@router.get("")
async def health() -> dict[str, str]:
    """Answer while alive."""
    return {"status": "ok"}


@router.get("/ready")
async def ready(request: Request, response: Response) -> dict[str, str]:
    """Answer 200 if the database can be read and written; else 503, and why."""
    readiness: Readiness = request.state.readiness
    reason = await readiness.why_not()
    if reason is None:
        return {"status": "ok"}
    response.status_code = 503
    return {"status": "unavailable", "reason": reason}
