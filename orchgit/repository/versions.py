"""The versions of one file of the state branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.repository.layout import Layout


def blobs(layout: Layout, tip: str, path: str, *, most: int) -> Iterator[str]:
    """Yield the blob ids that `path` has had, newest first, `most` at the most; where it had none is left out."""
    options = ("--format=", "--raw", "--no-abbrev", "--no-renames", "-z", f"--max-count={most}")
    said = git.run("log", *options, tip, "--", f":(top,literal){path}", cwd=layout.common)
    for field in said.fields:
        words = field.strip().split(" ")
        if field.strip().startswith(":") and words[3].strip("0"):
            yield words[3]
