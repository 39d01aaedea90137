"""Parts of any web service; nothing here knows of users, items or a database."""
