"""`python -m orchgit` is `orchgit`."""

from orchgit.cli.main import main

main()
