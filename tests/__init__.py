"""Tests: unit, db (SQLite and PostgreSQL), web, api, browser, scenarios, architecture."""
