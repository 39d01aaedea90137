"""Whether the process lives, and whether its database answers."""

from anyio import fail_after
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response

from .fastapi_peewee import Pool
from .fastapi_peewee.error_classes import why_unavailable
from .models import User

router = APIRouter(prefix="/health", include_in_schema=False)

# Seconds that the database has to answer.
DEADLINE = 0.8


def ask(pool: Pool) -> str | None:
    """The class of the reason why the database does not answer; None if it does."""
    try:
        with pool.connection():
            User.select().exists()
    except Exception as exc:
        return why_unavailable(exc) or "error"
    return None


@router.get("")
async def health() -> dict[str, str]:
    """200: the process lives."""
    return {"status": "ok"}


@router.get("/ready")
async def ready(request: Request, response: Response) -> dict[str, str]:
    """200 if the database answers; else 503, with the class of the reason."""
    pool: Pool = request.state.pool
    limiter = request.app.state.health_thread
    try:
        with fail_after(DEADLINE):
            reason = await run_sync(ask, pool, limiter=limiter, abandon_on_cancel=True)
    except TimeoutError:
        reason = "timeout"
    if reason is None:
        return {"status": "ok"}
    response.status_code = 503
    return {"status": "unavailable", "reason": reason}
