"""The database: its tables, their history, and every statement of SQL. Functions take an open session first."""
