"""Same application several times, and the figures that compare them.

`python -m comparison` measures `peewee_app`, the apps that a user might choose in its
place, and a floor that has no ORM at all.
"""
