"""Tables."""

from datetime import UTC, datetime
from typing import Any

from peewee import (
    AutoField,
    CharField,
    DateTimeField,
    ForeignKeyField,
    ManyToManyField,
    Model,
    TextField,
)

from .database import db


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class BaseModel(Model):
    class Meta:
        database = db
        legacy_table_names = False


class Author(BaseModel):
    id = AutoField()
    name = CharField(unique=True)


class Tag(BaseModel):
    id = AutoField()
    name = CharField(unique=True)


class Post(BaseModel):
    id = AutoField()
    title = CharField()
    text = TextField()
    published = DateTimeField(default=now, index=True)
    author = ForeignKeyField(Author, backref="posts")
    tags = ManyToManyField(Tag, backref="posts")
    comments: Any

    @property
    def threads(self) -> Any:
        """Comments that reply to none; each has its `replies`."""
        return self.comments.where(Comment.parent.is_null()).order_by(Comment.id)


class Comment(BaseModel):
    id = AutoField()
    post = ForeignKeyField(Post, backref="comments")
    parent = ForeignKeyField("self", backref="replies", null=True)
    name = CharField()
    text = TextField()


PostTag = Post.tags.get_through_model()
