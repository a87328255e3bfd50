"""Django's database engine for PostgreSQL, for servers that stop answering."""
