"""The app, and beside its list of users one that reads each user's items lazily.

ECHO_SQL=1 uvicorn docs.tutorial.lazy_app:app
"""

from comparison.sqlalchemy_app import schemas
from peewee_app.database import Db
from peewee_app.main import create_app
from peewee_app.models import User
from peewee_app.settings import load_settings

app = create_app(load_settings())


@app.get("/lazy/", response_model=list[schemas.User])
def read_users_lazily(db: Db) -> list[schemas.User]:
    """Let Pydantic ask each user for the items, by `from_attributes`."""
    return [schemas.User.model_validate(user) for user in User.select()]
