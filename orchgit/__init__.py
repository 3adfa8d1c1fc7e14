"""A persistent team of coding agents for one Git repository."""
