"""The versions of one file of the state branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.repository.layout import Layout

_FORMAT = "%x01%H %(trailers:key=Corrects,valueonly,separator=%x20)"


def blobs(layout: Layout, tip: str, path: str, *, most: int) -> Iterator[str]:
    """Yield the blob ids that `path` has had, newest first, `most` at the most.

    What was no legal state, and corrected, is left out, and so is where there was no file.
    """
    options = (f"--format={_FORMAT}", "--raw", "--no-abbrev", "--no-renames", "-z", f"--max-count={most}")
    said = git.run("log", *options, tip, "--", f":(top,literal){path}", cwd=layout.common)
    corrected: set[str] = set()
    commit = ""
    for field in said.fields:
        words = field.split()
        if field.startswith("\x01"):
            commit = words[0].removeprefix("\x01")
            corrected.update(words[1:])
        elif words and words[0].startswith(":") and words[3].strip("0") and commit not in corrected:
            yield words[3]
