"""Every query of the app."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from ..sqlalchemy_app import schemas
from ..sqlalchemy_app.models import Item, User


async def get_user(db: AsyncSession, user_id: int) -> User | None:
    """Return the user, or None."""
    query = select(User).options(selectinload(User.items)).where(User.id == user_id)
    return (await db.scalars(query)).first()


async def get_user_by_email(db: AsyncSession, email: str) -> User | None:
    """Return the user with exactly this email, without the items, or None."""
    return (await db.scalars(select(User).where(User.email == email))).first()


async def get_users(db: AsyncSession, skip: int = 0, limit: int = 100) -> list[User]:
    """Return at most `limit` users, from position `skip` on."""
    query = select(User).options(selectinload(User.items)).order_by(User.id)
    return list(await db.scalars(query.offset(skip).limit(limit)))


async def create_user(db: AsyncSession, user: schemas.UserCreate) -> User:
    """Create a user. Like the tutorial's, it does not really hash the password."""
    fake_hashed_password = user.password + "notreallyhashed"
    # Without a list, the first access would load them: too late.
    db_user = User(email=user.email, hashed_password=fake_hashed_password, items=[])
    db.add(db_user)
    await db.commit()
    return db_user


async def get_items(db: AsyncSession, skip: int = 0, limit: int = 100) -> list[Item]:
    """Return at most `limit` items, from position `skip` on."""
    query = select(Item).order_by(Item.id).offset(skip).limit(limit)
    return list(await db.scalars(query))


async def create_user_item(
    db: AsyncSession, item: schemas.ItemCreate, user_id: int
) -> Item:
    """Create an item."""
    db_item = Item(**item.model_dump(), owner_id=user_id)
    db.add(db_item)
    await db.commit()
    return db_item
