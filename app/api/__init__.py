"""The programs' door: JSON over HTTP with tokens, described by itself in OpenAPI 3.1."""
