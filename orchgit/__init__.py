"""A persistent team of coding agents for one Git repository."""

__version__ = "0.1.0"
