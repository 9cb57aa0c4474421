"""The API, described for people from its own description."""
