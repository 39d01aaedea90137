"""First tables, which stay as they are when the models change."""

from typing import Any

from peewee import (
    CharField,
    Database,
    DateTimeField,
    ForeignKeyField,
    ManyToManyField,
    Model,
    TextField,
)


def models(db: Database) -> list[type[Model]]:
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Author(Base):
        name = CharField(unique=True)

    class Tag(Base):
        name = CharField(unique=True)

    class Post(Base):
        title = CharField()
        text = TextField()
        published = DateTimeField(index=True)
        author = ForeignKeyField(Author)
        tags = ManyToManyField(Tag)

    class Comment(Base):
        post = ForeignKeyField(Post)
        parent = ForeignKeyField("self", null=True)
        name = CharField()
        text = TextField()

    return [Author, Tag, Post, Post.tags.get_through_model(), Comment]


def up(migrator: Any, db: Database) -> None:
    db.create_tables(models(db))


def down(migrator: Any, db: Database) -> None:
    db.drop_tables(models(db))
