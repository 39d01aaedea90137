"""What a web service needs, whatever it serves; nothing here knows of a database."""
