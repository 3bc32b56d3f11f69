"""Publics of which the truth is known."""
