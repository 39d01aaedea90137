"""The path operations."""

import os
from collections.abc import Callable
from typing import Annotated, TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from fastapi.openapi.models import Example
from peewee import IntegrityError
from pydantic import BaseModel
from pydantic_core import to_json

from . import crud, schemas
from .database import Db
from .models import Item, User
from .openapi import ITEM_LINKS, USER_LINKS, errors, page
from .paging import link_header

router = APIRouter()

T = TypeVar("T")

# The range of an INTEGER column, and of an OFFSET.
MIN_ID, MAX_ID = -(2**31), 2**31 - 1
FIRST: dict[str, Example] = {"first": {"summary": "The first", "value": 1}}
UserId = Annotated[int, Path(ge=MIN_ID, le=MAX_ID, openapi_examples=FIRST)]
ItemId = Annotated[int, Path(ge=MIN_ID, le=MAX_ID, openapi_examples=FIRST)]
Skip = Annotated[
    int, Query(ge=0, le=2**63 - 1, description="How many rows to leave out first.")
]
Limit = Annotated[int, Query(ge=0, le=1000, description="How many rows at most.")]
After = Annotated[
    int | None,
    Query(ge=MIN_ID, le=MAX_ID, description="Only rows with a greater id than this."),
]

# Hashing keeps a core busy and takes 64 MiB, so more at once would only cost memory.
hashing_threads = CapacityLimiter(os.cpu_count() or 1)


async def with_hashed_password(user: schemas.UserCreate) -> schemas.UserCreate:
    """The user to create, hashed on a worker thread, while no connection is held."""
    await run_sync(lambda: user.hashed_password, limiter=hashing_threads)
    return user


async def with_changed_password(user: schemas.UserUpdate) -> schemas.UserUpdate:
    """What to change of a user; a new password is hashed as that of a new user is."""
    if "password" in user.model_fields_set:
        await with_hashed_password(user)
    return user


HashedUser = Annotated[schemas.UserCreate, Depends(with_hashed_password)]
ChangedUser = Annotated[schemas.UserUpdate, Depends(with_changed_password)]


def respond(
    result: BaseModel | crud.Row | list[crud.Row], headers: dict[str, str] | None = None
) -> Response:
    """A JSON response, made on the thread that ran the query.

    Of a result that is no response FastAPI makes one too, on another thread.
    """
    return Response(to_json(result), media_type="application/json", headers=headers)


def respond_with_page(
    request: Request,
    model: type[User | Item],
    rows: list[crud.Row],
    *,
    skip: int,
    limit: int,
    after: int | None,
) -> Response:
    """A page with its links; `rows` has one row more if there is a next page."""
    before = crud.get_start_of_page_before(model, after, limit)
    link = link_header(
        request.url.path, rows, skip=skip, limit=limit, after=after, before=before
    )
    return respond(rows[:limit], {"Link": link})


def unless_email_taken(email: str, write: Callable[[], T]) -> T:
    """What `write` returns; 400 if it fails because another user has the email."""
    try:
        return write()
    except IntegrityError:
        if crud.get_user_by_email(email) is not None:
            raise HTTPException(400, "Email already registered") from None
        return write()  # The other user has gone since.


# Dependencies run in the order of the parameters: first the hash, then the database.
@router.post(
    "/users/",
    response_model=schemas.User,
    tags=["users"],
    responses={200: {"links": USER_LINKS}, **errors(400, 413, 503)},
)
def create_user(user: HashedUser, db: Db) -> Response:
    """Create a user. The email must not be registered yet."""
    created = unless_email_taken(user.email, lambda: crud.create_user(user=user))
    return respond(schemas.User.model_validate(created))


@router.get(
    "/users/", response_model=list[schemas.User], tags=["users"], responses=page()
)
def read_users(
    request: Request,
    db: Db,
    skip: Skip = 0,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """List users with their items, ordered by id."""
    users = crud.get_users(skip=skip, limit=limit + 1, after=after)
    return respond_with_page(request, User, users, skip=skip, limit=limit, after=after)


@router.get(
    "/users/{user_id}",
    response_model=schemas.User,
    tags=["users"],
    responses=errors(404, 503),
)
def read_user(user_id: UserId, db: Db) -> Response:
    """Read one user, with the user's items."""
    user = crud.get_user(user_id=user_id)
    if user is None:
        raise HTTPException(404, "User not found")
    return respond(user)


@router.patch(
    "/users/{user_id}",
    response_model=schemas.User,
    tags=["users"],
    responses=errors(400, 404, 413, 503),
)
def update_user(user_id: UserId, user: ChangedUser, db: Db) -> Response:
    """Change the given fields of a user; the others stay as they are."""
    updated = unless_email_taken(
        user.email, lambda: crud.update_user(user_id=user_id, user=user)
    )
    if updated is None:
        raise HTTPException(404, "User not found")
    return respond(updated)


@router.delete(
    "/users/{user_id}", status_code=204, tags=["users"], responses=errors(404, 503)
)
def delete_user(user_id: UserId, db: Db) -> None:
    """Delete a user with all of the user's items."""
    if not crud.delete_user(user_id=user_id):
        raise HTTPException(404, "User not found")


@router.post(
    "/users/{user_id}/items/",
    response_model=schemas.Item,
    tags=["items"],
    responses={200: {"links": ITEM_LINKS}, **errors(400, 404, 413, 503)},
)
def create_item_for_user(user_id: UserId, item: schemas.ItemCreate, db: Db) -> Response:
    """Create an item that belongs to the user."""
    try:
        created = crud.create_user_item(item=item, user_id=user_id)
    except IntegrityError:
        if crud.get_user(user_id) is None:
            raise HTTPException(404, "User not found") from None
        # The user has come since.
        created = crud.create_user_item(item=item, user_id=user_id)
    return respond(schemas.Item.model_validate(created))


@router.get(
    "/items/", response_model=list[schemas.Item], tags=["items"], responses=page()
)
def read_items(
    request: Request,
    db: Db,
    skip: Skip = 0,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """List items, ordered by id."""
    items = crud.get_items(skip=skip, limit=limit + 1, after=after)
    return respond_with_page(request, Item, items, skip=skip, limit=limit, after=after)


@router.get(
    "/items/{item_id}",
    response_model=schemas.Item,
    tags=["items"],
    responses=errors(404, 503),
)
def read_item(item_id: ItemId, db: Db) -> Response:
    """Read one item."""
    item = crud.get_item(item_id=item_id)
    if item is None:
        raise HTTPException(404, "Item not found")
    return respond(item)


@router.patch(
    "/items/{item_id}",
    response_model=schemas.Item,
    tags=["items"],
    responses=errors(400, 404, 413, 503),
)
def update_item(item_id: ItemId, item: schemas.ItemUpdate, db: Db) -> Response:
    """Change the given fields of an item; the others stay as they are."""
    updated = crud.update_item(item_id=item_id, item=item)
    if updated is None:
        raise HTTPException(404, "Item not found")
    return respond(updated)


@router.delete(
    "/items/{item_id}", status_code=204, tags=["items"], responses=errors(404, 503)
)
def delete_item(item_id: ItemId, db: Db) -> None:
    """Delete an item."""
    if not crud.delete_item(item_id=item_id):
        raise HTTPException(404, "Item not found")
