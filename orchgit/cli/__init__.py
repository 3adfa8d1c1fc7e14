"""The command line: one file per noun, each command a few lines over the API."""
