"""Blog: `BLOG_TOKEN=secret uvicorn examples.blog.main:app`."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi_pagination import LimitOffsetPage, add_pagination
from fastapi_pagination.ext.peewee import paginate

from peewee_app.fastapi_peewee import (
    ForeignKeyViolation,
    Id,
    Page,
    PageQuery,
    PeeweeRoute,
    Text,
    UniqueViolation,
    add_database_error_handlers,
)

from . import crud, schemas
from .database import get_db, pool, update_tables
from .models import Author, Comment, Post

TOKEN = os.environ.get("BLOG_TOKEN", "")
Bearer = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


async def check_token(bearer: Bearer) -> None:
    given = bearer.credentials.encode()
    if not TOKEN or not secrets.compare_digest(given, TOKEN.encode()):
        raise HTTPException(401, "Wrong token")


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    await run_sync(update_tables)
    yield
    await run_sync(pool.close)


# The token comes first: without it, take no connection.
WITH_TOKEN = [Depends(check_token)]
router = APIRouter(
    route_class=PeeweeRoute, dependencies=[Depends(get_db, scope="function")]
)


@router.post("/authors/", response_model=schemas.AuthorOut, dependencies=WITH_TOKEN)
def create_author(author: schemas.AuthorIn) -> Author:
    try:
        return crud.create_author(author.name)
    except UniqueViolation:
        raise HTTPException(400, "There is such an author already") from None


@router.post("/posts/", response_model=schemas.PostSummary, dependencies=WITH_TOKEN)
def create_post(post: schemas.PostIn) -> Post:
    try:
        return crud.create_post(**post.model_dump())
    except ForeignKeyViolation:
        raise HTTPException(404, "Author not found") from None


@router.get("/posts/", response_model=LimitOffsetPage[schemas.PostSummary])
def read_posts(tag: Text | None = None) -> Any:
    return paginate(crud.get_posts(tag))


@router.get("/posts/{post_id}", response_model=schemas.PostOut)
def read_post(post_id: Id) -> Post:
    post = crud.get_posts().where(Post.id == post_id).get_or_none()
    if post is None:
        raise HTTPException(404, "Post not found")
    return post


@router.get("/posts/{post_id}/comments/", response_model=list[schemas.CommentOut])
def read_comments(post_id: Id, page: Page) -> PageQuery:
    return page.of(crud.get_comments(post_id))


@router.post("/posts/{post_id}/comments/", response_model=schemas.CommentOut)
def create_comment(post_id: Id, comment: schemas.CommentIn) -> Comment:
    try:
        created = crud.create_comment(post_id, **comment.model_dump())
    except ForeignKeyViolation:
        raise HTTPException(404, "Post not found") from None
    if created is None:
        raise HTTPException(400, "It replies to a comment of another post")
    return created


app = FastAPI(title="Blog", lifespan=lifespan)
app.include_router(router)
add_database_error_handlers(app)
add_pagination(app)
