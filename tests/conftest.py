"""Fixtures for every suite."""

from __future__ import annotations

from postgres import postgres
from stores import database_url, store

__all__ = ["database_url", "postgres", "store"]
