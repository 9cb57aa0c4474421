"""The history of the schema: numbered revisions, one purpose each, both directions, on SQLite and PostgreSQL."""
