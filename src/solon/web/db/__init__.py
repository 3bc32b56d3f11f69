"""The database: its tables, their history, and every statement of SQL. Functions take an open session first."""

from solon.web.db import arena_tables, tables

__all__ = ["arena_tables", "tables"]
