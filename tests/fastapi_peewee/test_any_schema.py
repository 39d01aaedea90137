"""Any model, rows, query and schema, compared with Pydantic's `from_attributes`.

The oracle reads the same Peewee objects by a plain Pydantic schema, with a statement
for each relation of each object. Only the order of a backref is added to it.
"""

import datetime
import decimal
import enum
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from peewee import (
    AutoField,
    BackrefAccessor,
    BigAutoField,
    BinaryUUIDField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    Field,
    FixedCharField,
    ForeignKeyField,
    IntegerField,
    Load,
    ManyToManyField,
    ManyToManyFieldAccessor,
    Model,
    TextField,
    TimeField,
    UUIDField,
    fn,
)
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    create_model,
)
from pydantic import Field as Info

from peewee_app.fastapi_peewee import (
    ContextDatabase,
    PeeweeGetterDict,
    connect,
    prepared,
)
from peewee_app.fastapi_peewee.getter_dict import Reader
from peewee_app.fastapi_peewee.rows import FastReader, NotFast

T = TypeVar("T")
Fixed: Any = FixedCharField
ForeignKey: Any = ForeignKeyField
db = ContextDatabase()


class Color(enum.Enum):
    RED = "r"
    GREEN = "g"
    BLUE = "b"
    WHITE = "w"
    BLACK = "k"


class ColorField(CharField):
    def db_value(self, value: Any) -> Any:
        return value.value if isinstance(value, Color) else value

    def python_value(self, value: Any) -> Any:
        return value if value is None else Color(value)


def day(number: int) -> datetime.date:
    return datetime.date(2026, 1, 1 + number)


# A field, and its values; the first five are for keys.
KEYS: dict[str, tuple[Callable[..., Field], Callable[[int], Any]]] = {
    "auto": (AutoField, lambda n: n + 1),
    "big auto": (BigAutoField, lambda n: 2**40 + n),
    "integer": (IntegerField, lambda n: 7 - n),
    "char": (CharField, lambda n: f"key {n}"),
    "fixed": (lambda **o: Fixed(max_length=5, **o), lambda n: f"k{n}"),
    "uuid": (UUIDField, lambda n: uuid.UUID(int=n + 1)),
    "binary uuid": (BinaryUUIDField, lambda n: uuid.UUID(int=n + 1)),
    "date": (DateField, day),
    "time": (TimeField, lambda n: datetime.time(n)),
    "datetime": (DateTimeField, lambda n: datetime.datetime(2026, 1, 1, n)),
    "decimal": (
        lambda **o: DecimalField(max_digits=8, decimal_places=2, **o),
        lambda n: decimal.Decimal(n) / 4,
    ),
    "enum": (lambda **o: ColorField(max_length=9, **o), lambda n: list(Color)[n]),
}
VALUES: dict[str, tuple[Callable[..., Field], Callable[[int], Any], Any]] = {
    "flag": (BooleanField, lambda n: n % 2 == 0, bool),
    "born": (DateField, day, datetime.date),
    "price": (KEYS["decimal"][0], KEYS["decimal"][1], decimal.Decimal),
    "text": (TextField, lambda n: f"ż{n}", str),
    "color": (KEYS["enum"][0], KEYS["enum"][1], Color),
    "token": (UUIDField, lambda n: uuid.UUID(int=n), uuid.UUID),
}


@dataclass
class Models:
    """Owners with items, which have tags, and parts that are items."""

    Owner: Any
    Item: Any
    Tag: Any
    Link: Any

    def all(self) -> list[Any]:
        return [self.Owner, self.Item, self.Tag, self.Link]


def make_models(key: str, item_key: str, *, by_name: bool, null: bool) -> Models:
    class Base(Model):
        class Meta:
            database = db

    class Owner(Base):
        id = KEYS[key][0](primary_key=True)
        name = CharField(unique=True, max_length=50)
        born = DateField(null=True)
        flag = BooleanField(default=True)
        price = VALUES["price"][0](default=0)
        text = TextField(default="ż")
        color = VALUES["color"][0](default=Color.RED)
        token = UUIDField(null=True)

        @property
        def shout(self) -> str:
            return str(self.name).upper()

        class Meta:
            table_name = "any_owner"

    class Tag(Base):
        text = CharField()

        class Meta:
            table_name = "any_tag"

    class Item(Base):
        parts: Any
        id = KEYS[item_key][0](primary_key=True)
        title = CharField(column_name="heading")
        owner = ForeignKey(
            Owner, field="name" if by_name else None, backref="items", null=null
        )
        parent = ForeignKeyField("self", null=True, backref="parts")
        tags = ManyToManyField(Tag, backref="items")

        @property
        def first_part(self) -> Any:
            return self.parts.order_by(Item.id).first()

        @property
        def recent(self) -> Any:
            return self.parts.order_by(Item.id.desc()).limit(2)

        class Meta:
            table_name = "any_item"

    return Models(Owner, Item, Tag, Item.tags.get_through_model())


@st.composite
def rows(draw: Any, models: Models, key: str, item_key: str, null: bool) -> None:
    """Fill the tables."""
    number = draw(st.integers(0, 5))
    owners = []
    for n in range(number):
        some = {f: make(n) for f, (_, make, _) in VALUES.items() if f != "flag"}
        owner = models.Owner.create(id=KEYS[key][1](n), name=f"owner {n}", **some)
        owners.append(models.Owner.get_by_id(owner.id))
    tags = [models.Tag.create(text=text) for text in ("b", "a")]
    items: list[Any] = []
    for n in range(draw(st.integers(0, 5)) if owners or null else 0):
        owner = draw(st.sampled_from([*owners, None] if null else owners))
        parent = draw(st.sampled_from([*items, None]))
        values = {"title": f"item {n % 3}", "owner": owner, "parent": parent}
        items.append(models.Item.create(id=KEYS[item_key][1](n), **values))
        links = draw(st.lists(st.sampled_from(tags), unique_by=lambda tag: tag.text))
        items[-1].tags.add(links)


@dataclass
class Schemas:
    """A schema of ours, the same for the oracle, and its relations."""

    ours: Any
    plain: Any
    relations: int
    names_itself: bool = False


COLUMNS = {
    "Owner": {"name": str} | {name: kind for name, (*_, kind) in VALUES.items()},
    "Item": {"title": str, "owner_id": Any, "parent_id": Any, "id": Any},
    "Tag": {"text": str, "id": int},
}
RELATIONS = {
    "Owner": {"items": "Item"},
    "Item": {"owner": "Owner", "parent": "Item", "parts": "Item", "tags": "Tag"},
    "Tag": {"items": "Item"},
}
MANY = {"items", "parts", "tags"}
METADATA: list[tuple[Any, ...]] = [
    (),
    (),
    (AfterValidator(lambda value: value),),
    (BeforeValidator(lambda value: value),),
    (PlainSerializer(lambda value: repr(value)),),
]


@st.composite
def schemas(draw: Any, model: str, depth: int) -> Schemas:
    fields: dict[str, tuple[Any, Any]] = {}
    plain: dict[str, tuple[Any, Any]] = {}
    relations = 0

    def add(name: str, annotation: Any, other: Any, **info: Any) -> None:
        metadata = draw(st.sampled_from(METADATA))
        if metadata:
            annotation = Annotated[annotation, *metadata]
            other = Annotated[other, *metadata]
        alias = info.pop("alias", None)
        fields[name] = annotation, Info(**info, **({"alias": alias} if alias else {}))
        serialized = {"serialization_alias": alias} if alias else {}
        plain[name] = other, Info(**info, **serialized)

    columns = COLUMNS[model]
    names = st.lists(st.sampled_from(sorted(columns)), min_size=1, unique=True)
    chosen = draw(names)
    # No two fields read the same name.
    looked_up: set[str] = set()
    ways: dict[str, str] = {}
    for name in chosen:
        way = draw(st.sampled_from(["plain", "plain", "alias", "validation", "choice"]))
        ways[name] = way
        if way != "alias":
            looked_up.add(name)
    for name, way in ways.items():
        kind = columns[name]
        optional = kind if kind is Any else kind | None
        if way == "alias":
            # Maybe the name of another field.
            alias = draw(st.sampled_from(["Alias", *columns]))
            if alias not in looked_up:
                looked_up.add(alias)
                add(name, optional, optional, alias=alias)
            continue
        if way == "plain":
            add(name, optional, optional)
        elif way == "validation":
            add(f"x_{name}", optional, optional, validation_alias=name)
        else:
            choices = AliasChoices("nothing", name)
            add(f"x_{name}", optional, optional, validation_alias=choices)
    if draw(st.booleans()):
        add("lacking", int, int, default=3)
    if model == "Owner" and draw(st.integers(0, 3)) == 0:
        add("shout", str, str)
    if model == "Item" and draw(st.integers(0, 5)) == 0:
        path = AliasPath("parent", "title")
        relations += 1
        add("above", str | None, str | None, validation_alias=path, default=None)
    names_itself = model == "Item" and draw(st.integers(0, 4)) == 0
    for name, other in RELATIONS[model].items() if depth else ():
        if draw(st.booleans()) or (names_itself and name == "parts"):
            continue
        inner: Schemas = draw(schemas(other, depth - 1))
        relations += 1 + inner.relations
        names_itself |= inner.names_itself
        if name == "tags" or model == "Tag":
            # A function before it gets each object's query.
            names_itself = True
        if name in MANY:
            add(name, list[inner.ours], list[inner.plain])  # type: ignore[name-defined]
        else:
            add(name, inner.ours | None, inner.plain | None)
    base = draw(st.sampled_from([PeeweeGetterDict, PeeweeGetterDict, BaseModel]))
    is_other = base is BaseModel
    if is_other and any(info.alias for _, info in fields.values()):
        base, is_other = PeeweeGetterDict, False
    own: dict[str, Any] = {"__base__": PeeweeGetterDict}
    if is_other:
        own = {"__config__": ConfigDict(from_attributes=True)}
    if names_itself and model == "Item" and "parts" not in fields:
        fields["parts"] = plain["parts"] = ("list[Row]", ...)
        relations += 1
    config = {"__config__": ConfigDict(from_attributes=True)}
    ours = create_model("Row", **own, **fields)  # type: ignore[call-overload]
    return Schemas(
        ours,
        create_model("Row", **config, **plain),  # type: ignore[call-overload]
        relations,
        names_itself,
    )


def queries_of(models: Models) -> dict[str, Callable[[], Any]]:
    owner, item = models.Owner, models.Item

    @prepared
    def kept(limit: int) -> Any:
        return owner.select().order_by(owner.name).limit(limit)

    def grouped() -> Any:
        key = item.owner.rel_field
        query = owner.select(owner).join(item, on=(item.owner == key))
        return query.group_by(*owner._meta.sorted_fields).order_by(owner.name)

    return {
        "all": lambda: owner.select().order_by(owner.id),
        "some": lambda: owner.select().order_by(-fn.LENGTH(owner.name), owner.id)[:3],
        "limited": lambda: (
            owner.select().order_by(owner.name.desc()).limit(2).offset(1)
        ),
        "columns": lambda: owner.select(owner.id, owner.name).order_by(owner.id),
        "distinct": lambda: owner.select().distinct().order_by(owner.name),
        "grouped": grouped,
        "instances": lambda: list(owner.select().order_by(owner.id)),
        "generator": lambda: (o for o in owner.select().order_by(owner.id)),
        "iterator": lambda: owner.select().order_by(owner.id).iterator(),
        "loaded": lambda: (
            owner.select()
            .order_by(owner.id)
            .with_related(Load(owner.items, item.select().order_by(item.id)))
        ),
        "alias": lambda: (lambda a: a.select().order_by(a.name))(owner.alias("a")),
        "raw": lambda: owner.raw("SELECT * FROM any_owner ORDER BY name"),
        "prepared": lambda: kept(3),
        "union": lambda: (
            owner.select().where(owner.name == "owner 0")
            | owner.select().where(owner.name == "owner 0")
        ),
    }


class Page(BaseModel, Generic[T]):
    items: list[T]
    total: int


WRAPPERS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "list": (
        lambda schema: list[schema],  # type: ignore[valid-type]
        lambda data: data,
    ),
    "page": (
        lambda schema: Page[schema],  # type: ignore[valid-type]
        lambda data: {"items": data, "total": 1},
    ),
    "dict": (
        lambda schema: dict[str, list[schema]],  # type: ignore[valid-type]
        lambda data: {"a": data},
    ),
    "tuple": (
        lambda schema: tuple[list[schema], int],  # type: ignore[valid-type]
        lambda data: (data, 1),
    ),
    "lists": (
        lambda schema: list[list[schema]],  # type: ignore[valid-type]
        lambda data: [data, []],
    ),
}


@contextmanager
def ordered_backrefs() -> Iterator[None]:
    """Make Peewee's own accessors select in the order of the primary key."""
    backref: Any = BackrefAccessor.__get__
    many: Any = ManyToManyFieldAccessor.get_query

    def in_order(query: Any) -> Any:
        return query.order_by(*query.model._meta.get_primary_keys())

    def get_backref(self: Any, instance: Any, owner: Any = None) -> Any:
        found = backref(self, instance, owner)
        return found if instance is None else in_order(found)

    BackrefAccessor.__get__ = get_backref  # type: ignore[method-assign]
    ManyToManyFieldAccessor.get_query = (  # type: ignore[method-assign]
        lambda self, instance: in_order(many(self, instance))
    )
    try:
        yield
    finally:
        BackrefAccessor.__get__ = backref  # type: ignore[method-assign]
        ManyToManyFieldAccessor.get_query = many  # type: ignore[method-assign]


@contextmanager
def counted() -> Iterator[list[Any]]:
    seen: list[Any] = []
    db.query_hooks.append(seen.append)
    yield seen
    db.query_hooks.remove(seen.append)


def json_of(read: Callable[[], Any], adapter: TypeAdapter[Any]) -> bytes | str:
    try:
        return adapter.dump_json(read(), by_alias=True)
    except ValidationError as exc:
        return str([(error["type"], error["input"]) for error in exc.errors()])


def some(examples: int) -> settings:
    """Return settings for `examples` examples, without slow shrinking."""
    return settings(
        deadline=None,
        database=None,
        max_examples=examples,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@some(5)
@given(data=st.data())
def test_any_schema(url: str, data: st.DataObject) -> None:
    read_some(url, data.draw)


@pytest.mark.slow
@some(150)
@given(data=st.data())
def test_many_schemas(url: str, data: st.DataObject) -> None:
    read_some(url, data.draw)


def read_some(url: str, draw: Any) -> None:
    """Make models and rows, and read them by some schemas."""
    # psycopg prepares statements, for columns that have other types the next time.
    with connect(db, url):
        read_by_some(draw)


def read_by_some(draw: Any) -> None:
    kinds = st.sampled_from(sorted(KEYS))
    key, item_key = draw(kinds), draw(st.one_of(st.just("auto"), kinds))
    by_name, null = draw(st.booleans()), draw(st.booleans())
    models = make_models(key, item_key, by_name=by_name, null=null)
    db.drop_tables(models.all()[::-1], safe=True)
    db.create_tables(models.all())
    try:
        draw(rows(models, key, item_key, null))
        for _ in range(4):
            compare(models, draw)
    finally:
        db.drop_tables(models.all()[::-1])


def compare(models: Models, draw: Any) -> None:
    schema: Schemas = draw(schemas("Owner", 3))
    kind = draw(st.sampled_from(sorted(queries_of(models))))
    wrapper = draw(st.sampled_from(sorted(WRAPPERS)))
    note(f"{kind} {wrapper} {schema.ours.model_fields}")
    annotate, wrap = WRAPPERS[wrapper]
    query = queries_of(models)[kind]
    plain: TypeAdapter[Any] = TypeAdapter(annotate(schema.plain))
    with ordered_backrefs():
        expected = json_of(
            lambda: plain.validate_python(wrap(query()), from_attributes=True), plain
        )
    reader = Reader(annotate(schema.ours))
    # A validator that gets the value first is given Peewee's own query.
    with ordered_backrefs(), counted() as statements:
        got = json_of(lambda: reader.read(wrap(query())), reader.adapter)
    note(f"{got!r:.900}")
    note(f"{expected!r:.900}")
    assert got == expected
    if not schema.names_itself and isinstance(expected, bytes):
        assert len(statements) <= 1 + schema.relations + (kind == "loaded"), statements
    slow = Reader(annotate(schema.ours))
    slow._fast = Never()
    with ordered_backrefs():
        assert json_of(lambda: slow.read(wrap(query())), slow.adapter) == expected


class Never(FastReader):
    """Reader that is never fast."""

    def read(self, node: Any, data: Any) -> Any:
        raise NotFast
