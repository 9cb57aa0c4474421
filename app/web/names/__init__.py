"""The names behind a document's history, for those people's own supervisor and super user."""
