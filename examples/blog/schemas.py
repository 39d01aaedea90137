"""JSON that goes in and out."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from peewee_app.fastapi_peewee import Id, PeeweeGetterDict, Text

Name = Annotated[Text, Field(min_length=1, max_length=255)]


class AuthorIn(BaseModel):
    name: Name


class AuthorOut(PeeweeGetterDict):
    id: int
    name: str


class TagOut(PeeweeGetterDict):
    name: str


class PostIn(BaseModel):
    title: Name
    text: Text
    author_id: Id
    tags: set[Name] = set()


class PostSummary(PeeweeGetterDict):
    id: int
    title: str
    published: datetime
    author: AuthorOut
    tags: list[TagOut]
    comment_count: int


class CommentIn(BaseModel):
    name: Name
    text: Text
    parent_id: Id | None = None


class CommentOut(PeeweeGetterDict):
    id: int
    name: str
    text: str


class Thread(CommentOut):
    replies: list["Thread"]


class PostOut(PostSummary):
    text: str
    threads: list[Thread]
