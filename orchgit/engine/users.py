"""Who has a workspace open: a process that stands in it, a file that an editor holds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Sequence

# What vim, emacs and office programs lay beside a file while they have it open.
_HELD: Final = (":(glob)**/.*.sw[a-p]", ":(glob)**/.#*", ":(glob)**/.~lock.*#")


def of(paths: Sequence[Path]) -> dict[Path, str]:
    """Return what a person reads of each path that somebody has open."""
    edited = ((path, _edited(path)) for path in paths)
    return {**{path: why for path, why in edited if why}, **(_processes(paths) if paths else {})}


def _processes(paths: Sequence[Path]) -> dict[Path, str]:
    import psutil

    found = {}
    for process in psutil.process_iter():
        try:
            here = Path(process.cwd())
            who = f"process {process.pid} ({process.name()}) is at work in it"
        except (psutil.Error, OSError):
            continue
        if process.pid != os.getpid():
            found.update({path: who for path in paths if here.is_relative_to(path)})
    return found


def _edited(path: Path) -> str:
    """Return which file an editor has open, by what it lays beside it; ignored ones count."""
    held = git.call("ls-files", "--others", "-z", "--", *_HELD, cwd=path).fields if path.is_dir() else []
    return f"an editor has a file open in it ({held[0]})" if held else ""
