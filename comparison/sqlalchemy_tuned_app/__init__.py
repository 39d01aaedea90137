"""Tutorial's design, tuned by somebody who knows SQLAlchemy.

The rest is imported from `sqlalchemy_app`.
"""
