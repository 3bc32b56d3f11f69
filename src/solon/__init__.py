"""Solon: Constitutional AI in the open. A written constitution in, a measurably better model out."""

__version__ = "0.1.0"
