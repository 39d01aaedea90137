"""Fast way: when it reads rows, and when it leaves them to the plain way.

test_any_schema.py tests with any schema that both give the same.
"""

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Annotated, Any

import pytest
from peewee import (
    SQL,
    AutoField,
    CharField,
    ForeignKeyField,
    IntegerField,
    Model,
    fn,
)
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from peewee_app.fastapi_peewee import (
    ContextDatabase,
    PeeweeGetterDict,
    Pool,
    connector,
    prepared,
    read,
)
from peewee_app.fastapi_peewee.core_schemas import CoreSchema
from peewee_app.fastapi_peewee.rows import FastReader, Light

db = ContextDatabase()


class Author(Model):
    books: Any
    id = AutoField()
    name = CharField()
    secret = CharField(default="secret")

    class Meta:
        database = db


class Book(Model):
    title = CharField()
    secret = CharField(default="secret")
    author = ForeignKeyField(Author, backref="books")

    class Meta:
        database = db


class BookOut(PeeweeGetterDict):
    title: str


class AuthorOut(PeeweeGetterDict):
    name: str
    books: list[BookOut]


@pytest.fixture(autouse=True)
def scope(url: str) -> Iterator[None]:
    pool = Pool(db, connector(url), size=1, timeout=1)
    with pool.connection():
        db.create_tables([Author, Book])
        for name in ("Ada", "Bob"):
            Book.create(title=f"by {name}", author=Author.create(name=name))
        yield
    pool.close()


def statements_of(annotation: Any, data: Callable[[], Any]) -> list[str]:
    """Return the SQL that reads the data."""
    seen: list[Any] = []
    db.query_hooks.append(seen.append)
    read(annotation, data())
    db.query_hooks.remove(seen.append)
    return [event.sql for event in seen]


@prepared
def authors(limit: int) -> Any:
    return Author.select().order_by(Author.id).limit(limit)


NARROW: dict[str, Callable[[], Any]] = {
    "query": lambda: Author.select().order_by(Author.id.desc()).limit(1),
    "prepared": lambda: authors(2),
    "filtered": lambda: Author.select().where(Author.secret == "secret"),
}


@pytest.mark.parametrize("kind", NARROW)
def test_no_column_is_selected_that_the_schema_does_not_name(kind: str) -> None:
    statements = statements_of(list[AuthorOut], NARROW[kind])
    assert len(statements) == 2
    for sql in statements:
        assert "secret" not in sql.partition(" FROM ")[0]


# Fewer columns would change the rows or their order, or fail.
WHOLE: dict[str, Callable[[], Any]] = {
    "distinct": lambda: Author.select().distinct(),
    "grouped": lambda: Author.select().group_by(Author.id, Author.name, Author.secret),
    "by the place of a column": lambda: Author.select().order_by(SQL("3"), SQL("1")),
    "joined": lambda: Author.select(Author, Book).join(Book),
    "computed": lambda: Author.select(Author, fn.LENGTH(Author.name).alias("length")),
    "alias": lambda: Author.alias().select(),
    "compound": lambda: Author.select() | Author.select(),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_query_runs_as_it_is_where_its_columns_matter(kind: str) -> None:
    first, *others = statements_of(list[AuthorOut], WHOLE[kind])
    assert "secret" in first.partition(" FROM ")[0]
    assert len(others) == 1


def test_a_validator_gets_the_instance() -> None:
    class Checked(PeeweeGetterDict):
        name: str

        @model_validator(mode="before")
        @classmethod
        def check(cls, data: Any) -> Any:
            assert isinstance(data, Author)
            assert data.books.where(Book.title == "by Ada").count() <= 1
            return data

    assert len(read(list[Checked], Author.select())) == 2


def test_a_strict_schema_is_read_as_pydantic_reads_it() -> None:
    class Strict(PeeweeGetterDict):
        model_config = ConfigDict(strict=True)
        name: str

    assert [row.name for row in read(list[Strict], Author.select())] == ["Ada", "Bob"]


def test_a_renamed_table_is_read_at_once() -> None:
    query = Author.select().order_by(Author.id)
    assert read(list[AuthorOut], query.clone())[0].books == [BookOut(title="by Ada")]
    Book._meta.set_table_name("other_book")
    try:
        db.create_tables([Book])
        assert read(list[AuthorOut], query.clone())[0].books == []
    finally:
        db.drop_tables([Book])
        Book._meta.set_table_name("book")


def test_a_select_of_ones_own_is_asked_each_time() -> None:
    hidden: list[str] = []

    class Shown(Model):
        title = CharField()
        author = ForeignKeyField(Author, backref="shown")

        @classmethod
        def select(cls, *fields: Any) -> Any:
            return super().select(*fields).where(cls.title.not_in(hidden))

        class Meta:
            database = db

    class WithShown(PeeweeGetterDict):
        shown: list[BookOut]

    db.create_tables([Shown])
    Shown.create(title="a", author=1)
    assert read(WithShown, Author.get_by_id(1)).shown == [BookOut(title="a")]
    hidden.append("a")
    assert read(WithShown, Author.get_by_id(1)).shown == []
    db.drop_tables([Shown])


def test_what_is_loaded_of_some_or_is_of_another_kind_is_read_as_it_is() -> None:
    def titles(*loaded: Any) -> list[list[str]]:
        found = list(Author.select().order_by(Author.id))
        for author, books in zip(found, loaded, strict=False):
            author.books = books
        return [[book.title for book in a.books] for a in read(list[AuthorOut], found)]

    assert titles() == [["by Ada"], ["by Bob"]]
    assert titles([Book(title="a"), Book(title="b")]) == [["a", "b"], ["by Bob"]]
    assert titles([Book(title="a")], []) == [["a"], []]
    assert titles([{"title": "a"}], [Author(name="b"), BookOut(title="c")][1:]) == [
        ["a"],
        ["c"],
    ]


def test_what_is_loaded_takes_no_statement() -> None:
    authors = list(Author.select().with_related(Author.books))
    assert statements_of(list[AuthorOut], lambda: authors) == []


def test_instances_take_a_statement_for_a_relation_and_no_more_instances() -> None:
    core = CoreSchema(list[AuthorOut])
    found = FastReader().read(core.root, list(Author.select()))
    assert all(isinstance(row, Light) for row in found)
    assert all(isinstance(book, Light) for row in found for book in row.books)


def test_an_alias_of_another_base_names_the_attribute() -> None:
    class Aliased(BaseModel):
        model_config = ConfigDict(from_attributes=True)
        name: str = Field(alias="secret")

    found = read(list[Aliased], Author.select())
    assert [author.name for author in found] == ["secret", "secret"]


def test_fields_that_are_looked_up_in_one_place_or_in_several() -> None:
    class Name(PeeweeGetterDict):
        name: str = Field(validation_alias="title")

    class Twice(PeeweeGetterDict):
        first: str = Field(validation_alias=AliasChoices("name", "secret"))
        second: str = Field(validation_alias=AliasChoices("secret", "name"))
        secret: str
        books: list[BookOut]
        names: list[Name] = Field(validation_alias="books")

    for query in (Author.select(), Author.select().distinct()):
        found = read(list[Twice], query.order_by(Author.id))[0]
        assert found.model_dump() == {
            "first": "Ada",
            "second": "secret",
            "secret": "secret",
            "books": [{"title": "by Ada"}],
            "names": [{"name": "by Ada"}],
        }


class Code:
    """A value that Python cannot hash."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Code) and other.text == self.text


class CodeField(CharField):
    def db_value(self, value: Any) -> Any:
        return value.text if isinstance(value, Code) else value

    def python_value(self, value: Any) -> Any:
        return value if value is None else Code(value)


class Shelf(Model):
    boards: Any
    code = CodeField(primary_key=True, max_length=9)
    next = ForeignKeyField("self", null=True, backref="before")

    class Meta:
        database = db


class Board(Model):
    width = IntegerField()
    shelf = ForeignKeyField(Shelf, backref="boards")

    class Meta:
        database = db


class BoardOut(PeeweeGetterDict):
    width: int


class ShelfOut(PeeweeGetterDict):
    code: Annotated[str, BeforeValidator(lambda code: code.text)]
    boards: list[BoardOut]


class BoardWithShelf(PeeweeGetterDict):
    width: int
    shelf: ShelfOut


class Endless(PeeweeGetterDict):
    next: "Endless"


def test_keys_that_python_cannot_hash() -> None:
    db.create_tables([Shelf, Board])
    try:
        for text in ("a", "b"):
            shelf = Shelf.create(code=Code(text), force_insert=True)
            Board.create(width=ord(text), shelf=shelf)
        found: Any
        for query in (Shelf.select().order_by(Shelf.code), Shelf.select().distinct()):
            found = [shelf.model_dump() for shelf in read(list[ShelfOut], query)]
            assert sorted(found, key=itemgetter("code")) == [
                {"code": "a", "boards": [{"width": 97}]},
                {"code": "b", "boards": [{"width": 98}]},
            ]
        for boards in (Board.select(), Board.select().distinct()):
            found = read(list[BoardWithShelf], boards)
            assert {(b.width, b.shelf.code) for b in found} == {(97, "a"), (98, "b")}
        Shelf.update(next="a").execute()
        with pytest.raises(RecursionError, match="255 levels"):
            read(list[Endless], Shelf.select())
    finally:
        db.drop_tables([Board, Shelf])
