"""Small apps that use what peewee_app has for any app."""
