"""Getter dict: Peewee objects of every kind, read by schema."""

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal

import pytest
from peewee import (
    AutoField,
    CharField,
    DatabaseError,
    DateField,
    ForeignKeyField,
    Load,
    ManyToManyField,
    Model,
    ModelSelect,
    fn,
)
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
)

from peewee_app.fastapi_peewee import (
    ContextDatabase,
    PeeweeGetterDict,
    Pool,
    connector,
    prepared,
    read,
)

from ..engines import on
from ..queries import queries as queries_of

db = ContextDatabase()
queries = partial(queries_of, db)


class Base(Model):
    class Meta:
        database = db


class Author(Base):
    """An author, whose `name` has a column of another name."""

    books: Any
    id = AutoField()
    name = CharField(column_name="author_name")
    secret = CharField(default="secret")
    born = DateField(default=date(1970, 1, 1))
    mentor = ForeignKeyField("self", null=True, backref="pupils")

    @property
    def initial(self) -> str:
        return str(self.name)[0]


class Label(Base):
    id = AutoField()
    text = CharField()


class Book(Base):
    chapters: Any
    id = AutoField()
    title = CharField()
    author = ForeignKeyField(Author, backref="books", object_id_name="author_key")
    labels = ManyToManyField(Label, backref="books")

    @property
    def broken_chapters(self) -> Any:
        return list(Chapter.raw("SELECT * FROM missing"))


class Chapter(Base):
    id = AutoField()
    title = CharField()
    book = ForeignKeyField(Book, backref="chapters")


BookLabel = Book.labels.get_through_model()
MODELS = [Author, Label, Book, BookLabel, Chapter]


class ChapterOut(PeeweeGetterDict):
    title: str


class LabelOut(PeeweeGetterDict):
    text: str


class BookOut(PeeweeGetterDict):
    title: str
    author_key: int
    chapters: list[ChapterOut]
    labels: list[LabelOut]


class AuthorOut(PeeweeGetterDict):
    id: int
    name: str
    books: list[BookOut]


class Named(PeeweeGetterDict):
    name: str


class BookWithAuthor(PeeweeGetterDict):
    title: str
    author: Named


class Pupil(PeeweeGetterDict):
    name: str
    mentor: Named | None
    mentor_id: int | None


class Tree(PeeweeGetterDict):
    name: str
    pupils: list["Tree"]


@pytest.fixture(autouse=True)
def library(url: str) -> Iterator[None]:
    """Authors with 2, 1 and 0 books, of 2 chapters and labels."""
    pool = Pool(db, connector(url), size=1, timeout=1)
    with pool.connection():
        db.create_tables(MODELS)
        labels = [Label.create(text=text) for text in ("new", "old")]
        ada = Author.create(name="Ada")
        bob = Author.create(name="Bob", mentor=ada)
        Author.create(name="Cy", mentor=bob)
        for title, author in (("B1", bob), ("A1", ada), ("A2", ada)):
            book = Book.create(title=title, author=author)
            book.labels.add(labels if title == "A1" else labels[:1])
            for number in range(2):
                Chapter.create(title=f"{title}.{number}", book=book)
        yield
    pool.close()


def book(title: str, author: int, *labels: str) -> dict[str, Any]:
    return {
        "title": title,
        "author_key": author,
        "chapters": [{"title": f"{title}.0"}, {"title": f"{title}.1"}],
        "labels": [{"text": text} for text in labels],
    }


AUTHORS = [
    {
        "id": 1,
        "name": "Ada",
        "books": [book("A1", 1, "new", "old"), book("A2", 1, "new")],
    },
    {"id": 2, "name": "Bob", "books": [book("B1", 2, "new")]},
    {"id": 3, "name": "Cy", "books": []},
]


@prepared
def authors(limit: int = 10, after: int | None = None) -> "ModelSelect[Author]":
    found = Author.select().order_by(Author.id).limit(limit)
    return found if after is None else found.where(Author.id > after)


# Every kind of object that gives the same list.
KINDS: dict[str, Callable[[], Any]] = {
    "prepared": lambda: authors(),
    "query": lambda: Author.select().order_by(Author.id),
    "query of some columns": lambda: Author.select(Author.id, Author.name).order_by(
        Author.id
    ),
    "instances": lambda: list(Author.select().order_by(Author.id)),
    "eagerly loaded": lambda: (
        Author.select()
        .order_by(Author.id)
        .with_related(Load(Author.books).then(Load(Book.chapters)))
    ),
    "query that has run": lambda: run(Author.select().order_by(Author.id)),
    "raw": lambda: Author.raw("SELECT * FROM author ORDER BY id"),
}


def read_as_dicts(annotation: Any, data: Any) -> Any:
    return TypeAdapter(annotation).dump_python(read(annotation, data))


def run(query: Any) -> Any:
    assert len(query) == 3
    return query


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_alike(kind: str) -> None:
    assert read_as_dicts(list[AuthorOut], KINDS[kind]()) == AUTHORS


@pytest.mark.parametrize("kind", ["prepared", "query", "instances"])
def test_the_number_of_queries_does_not_grow(kind: str) -> None:
    with queries() as few:
        read(list[AuthorOut], KINDS[kind]())
    for number in range(30):
        author = Author.create(name=f"{number}")
        for _ in range(3):
            Chapter.create(title="c", book=Book.create(title="b", author=author))
    with queries() as many:
        read(list[AuthorOut], KINDS[kind]())
    # Authors, books, chapters and labels.
    assert len(few) == len(many) == 4


def test_a_page_has_the_relations_of_its_own_rows() -> None:
    assert read_as_dicts(list[AuthorOut], authors(1, 1)) == AUTHORS[1:2]
    assert read_as_dicts(list[AuthorOut], authors(1)) == AUTHORS[:1]
    assert read_as_dicts(list[AuthorOut], authors(0)) == []
    page = Author.select().order_by(-Author.id).limit(2).offset(1)
    assert read_as_dicts(list[AuthorOut], page) == [AUTHORS[1], AUTHORS[0]]


def test_an_instance() -> None:
    for author in AUTHORS:
        instance = Author.get_by_id(author["id"])
        with queries() as statements:
            assert AuthorOut.model_validate(instance).model_dump() == author
        assert len(statements) == (4 if author["books"] else 2) - 1


def test_what_was_loaded_eagerly_costs_no_query() -> None:
    (ada, *_) = Author.select().with_related(Load(Author.books))
    for item in ada.books:
        item.chapters, item.labels = [], []
    loaded = Author.select().with_related(Load(Author.books).then(Load(Book.chapters)))
    (ada, *_) = loaded

    class Chapters(PeeweeGetterDict):
        chapters: list[ChapterOut]

    class Books(PeeweeGetterDict):
        books: list[Chapters]

    with queries() as statements:
        read(Books, ada)
    assert statements == []


def test_related_objects_and_raw_keys() -> None:
    with queries() as statements:
        found = read_as_dicts(list[BookWithAuthor], Book.select().order_by(Book.id))
    assert found == [
        {"title": "B1", "author": {"name": "Bob"}},
        {"title": "A1", "author": {"name": "Ada"}},
        {"title": "A2", "author": {"name": "Ada"}},
    ]
    assert len(statements) == 2
    expected = [
        {"name": "Ada", "mentor": None, "mentor_id": None},
        {"name": "Bob", "mentor": {"name": "Ada"}, "mentor_id": 1},
        {"name": "Cy", "mentor": {"name": "Bob"}, "mentor_id": 2},
    ]
    pupils = Author.select().order_by(Author.id)
    assert read_as_dicts(list[Pupil], pupils) == expected
    assert read_as_dicts(list[Pupil], list(pupils)) == expected
    assert read_as_dicts(Pupil, Author.get_by_id(3)) == expected[2]


def test_a_tree_is_read_with_a_query_for_each_level() -> None:
    with queries() as statements:
        trees = read_as_dicts(
            list[Tree], Author.select().where(Author.mentor.is_null())
        )
    cy = {"name": "Cy", "pupils": []}
    assert trees == [{"name": "Ada", "pupils": [{"name": "Bob", "pupils": [cy]}]}]
    assert len(statements) == 4


def test_what_only_an_instance_has() -> None:
    class Initials(PeeweeGetterDict):
        initial: str
        books: list[ChapterOut]

    expected = [("A", ["A1", "A2"]), ("B", ["B1"]), ("C", [])]
    for source in (authors(), Author.select().order_by(Author.id)):
        with queries() as statements:
            found = read(list[Initials], source)
        titles = [(a.initial, [b.title for b in a.books]) for a in found]
        assert titles == expected
        assert len(statements) == 2


def test_a_column_that_the_query_computes() -> None:
    class Counted(PeeweeGetterDict):
        name: str
        number: int

    query = (
        Author.select(Author, fn.COUNT(Book.id).alias("number"))
        .left_outer_join(Book)
        .group_by(Author)
        .order_by(Author.id)
    )
    found = read(list[Counted], query)
    assert [(a.name, a.number) for a in found] == [
        ("Ada", 2),
        ("Bob", 1),
        ("Cy", 0),
    ]


def test_dicts_are_read_as_pydantic_does() -> None:
    rows = Author.select(Author.id, Author.name).order_by(Author.id)
    assert read(list[Named], rows.dicts())[0] == Named(name="Ada")
    assert read(dict[str, int], {"a": 1}) == {"a": 1}


def test_what_is_read_is_validated() -> None:
    class Short(PeeweeGetterDict):
        name: str = Field(max_length=2)

    with pytest.raises(ValidationError, match="at most 2"):
        read(list[Short], authors())


def test_aliases_are_for_the_json() -> None:
    class Aliased(PeeweeGetterDict):
        name: str = Field(alias="authorName")

    value = read(list[Aliased], authors(1))
    adapter = TypeAdapter(list[Aliased])
    assert adapter.dump_json(value, by_alias=True) == b'[{"authorName":"Ada"}]'


def test_other_objects_are_left_to_pydantic() -> None:
    assert Named.model_validate({"name": "x"}).name == "x"
    with pytest.raises(ValidationError, match="valid dictionary"):
        Named.model_validate(object())


def test_instances_are_as_they_were() -> None:
    ada = Author.get_by_id(1)
    (one,) = read(list[AuthorOut], [ada])
    Book.create(title="A3", author=ada)
    assert len(read(AuthorOut, ada).books) == len(one.books) + 1 == ada.books.count()
    assert set(vars(ada)) == {"__data__", "__rel__", "_dirty"}


def test_objects_are_found_wherever_the_data_has_them() -> None:
    @dataclasses.dataclass
    class Found:
        authors: Any
        more: Any = None

    class Wrapper(BaseModel):
        authors: list[AuthorOut]
        more: dict[str, tuple[BookOut, ...]] | None = None

    def query() -> Any:
        return Author.select().order_by(Author.id)

    books = {"new": Book.select().where(Book.id == 1)}
    for data, number in (
        ({"authors": query()}, 4),
        ({"authors": (author for author in query())}, 4),
        (Found(query()), 4),
        (Found(list(query())), 4),
        ({"authors": query().iterator(), "more": books}, 7),
    ):
        with queries() as statements:
            found = read(Wrapper, data)
        assert [author.model_dump() for author in found.authors] == AUTHORS
        assert len(statements) <= number, statements


def test_data_inside_of_other_objects_is_read_once_and_is_not_changed() -> None:
    @dataclasses.dataclass
    class Found:
        authors: Any

    class Authors(BaseModel):
        authors: dict[str, list[AuthorOut]]

    def query() -> Any:
        return Author.select().order_by(Author.id)

    for data, number in (
        (Found({"all": query()}), 4),
        (Found({"all": iter(list(query()))}), 10),
        ({"authors": OrderedDict(all=query())}, 4),
        ({"authors": {"all": list(query())}}, 4),
    ):
        with queries() as statements:
            found = read(Authors, data)
        assert [author.model_dump() for author in found.authors["all"]] == AUTHORS
        assert len(statements) <= number, statements


def test_a_union_of_wrappers_and_of_schemas() -> None:
    class Names(PeeweeGetterDict):
        kind: Literal["names"] = "names"
        authors: list[Named]

    class Authors(PeeweeGetterDict):
        kind: Literal["authors"] = "authors"
        authors: list[AuthorOut]

    def data(kind: str) -> Any:
        return {"authors": Author.select().order_by(Author.id), "kind": kind}

    names = {"kind": "names", "authors": [{"name": a["name"]} for a in AUTHORS]}
    for annotation in (
        Names | Authors,
        Authors | Names,
        Annotated[Names | Authors, Field(discriminator="kind")],
    ):
        found = read_as_dicts(annotation, data("authors"))
        assert found == {"kind": "authors", "authors": AUTHORS}
        assert read_as_dicts(annotation, data("names")) == names
    mixed: Any = [*Author.select(), *Book.select()]
    with queries() as statements:
        found = read_as_dicts(list[AuthorOut | BookWithAuthor], mixed)
    assert found[:3] == AUTHORS
    assert found[3] == {"title": "B1", "author": {"name": "Bob"}}
    assert len(statements) == 4


def test_a_field_may_have_any_json() -> None:
    class Anything(PeeweeGetterDict):
        name: JsonValue

    for query in (Author.select(), Author.select().distinct()):
        assert {a.name for a in read(list[Anything], query)} == {"Ada", "Bob", "Cy"}


def test_a_schema_may_be_a_dataclass() -> None:
    @dataclasses.dataclass
    class Shelf:
        name: str
        authors: list[AuthorOut]

    with queries() as statements:
        shelf = read(Shelf, {"name": "new", "authors": Author.select()})
    assert [author.model_dump() for author in shelf.authors] == AUTHORS
    assert len(statements) == 4


def test_a_validator_of_a_relation_gets_a_query() -> None:
    class Recent(PeeweeGetterDict):
        name: str
        books: Annotated[
            list[ChapterOut], BeforeValidator(lambda q: q.order_by(-Book.id).limit(1))
        ]

    found = read(list[Recent], Author.select().order_by(Author.id))
    assert [[b.title for b in author.books] for author in found] == [["A2"], ["B1"], []]


def test_a_validator_of_a_many_to_many_gets_a_query() -> None:
    class Latest(PeeweeGetterDict):
        labels: Annotated[
            list[LabelOut], BeforeValidator(lambda q: q.order_by(-Label.id).limit(1))
        ]

    found = read(list[Latest], Book.select().order_by(Book.title))
    assert [b.labels[0].text for b in found] == ["old", "new", "new"]


def test_an_error_of_the_database_is_raised_as_it_is() -> None:
    class Broken(PeeweeGetterDict):
        broken: list[ChapterOut] = Field(validation_alias="broken_chapters")

    class WithBroken(PeeweeGetterDict):
        books: list[Broken]

    with pytest.raises(DatabaseError, match="missing"):
        read(list[WithBroken], Author.select())


def test_what_was_joined_goes_on_in_one_statement() -> None:
    class WithBooks(PeeweeGetterDict):
        books: list[ChapterOut]

    class Joined(PeeweeGetterDict):
        title: str
        author: WithBooks

    for query, number in (
        (Book.select(Book, Author).join(Author), 2),
        (Book.select().with_related(Load(Book.author)), 3),
    ):
        with queries() as statements:
            found = read(list[Joined], query)
        assert len(statements) == number
        assert {len(book.author.books) for book in found} == {1, 2}


def test_a_row_that_is_its_own_ancestor_is_named() -> None:
    Author.update(mentor=3).where(Author.id == 1).execute()
    with pytest.raises(RecursionError, match=r"Author \d is its own ancestor"):
        read(list[Tree], Author.select())


@on("mariadb")
def test_keys_that_are_equal_to_the_database_only() -> None:
    class Country(Base):
        code = CharField(primary_key=True, max_length=5)

    class City(Base):
        name = CharField()
        country = ForeignKeyField(Country, backref="cities")

    class CityOut(PeeweeGetterDict):
        name: str

    class CountryOut(PeeweeGetterDict):
        code: str
        cities: list[CityOut]

    class Located(PeeweeGetterDict):
        country: CountryOut

    db.create_tables([Country, City])
    for code in ("pl", "de"):
        Country.create(code=code)
    for name, code in (("Lodz", "PL"), ("Bonn", "DE"), ("Ulm", "de")):
        City.create(name=name, country=code)
    found = read(list[CountryOut], Country.select().order_by(Country.code))
    assert [[city.name for city in c.cities] for c in found] == [
        ["Bonn", "Ulm"],
        ["Lodz"],
    ]
    cities = read(list[Located], City.select().order_by(City.name))
    assert [city.country.code for city in cities] == ["de", "pl", "de"]
    db.drop_tables([City, Country])
