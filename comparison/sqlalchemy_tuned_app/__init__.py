"""Tutorial's design, with what somebody who knows SQLAlchemy adds to it.

What is not here is as in `sqlalchemy_app`.
"""
