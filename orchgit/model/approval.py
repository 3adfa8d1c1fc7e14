"""How much an agent may do unasked: nobody sits beside it."""

from __future__ import annotations

from typing import Final

from orchgit.model import fields

AUTO: Final = "auto"  # everything
SUGGEST: Final = "suggest"  # change files of its worktree, and what else is allowed by name
MANUAL: Final = "manual"  # read; all else is asked for, or denied
POLICIES: Final = (AUTO, SUGGEST, MANUAL)


def policy(value: object) -> str:
    word = fields.text(value)
    if word not in POLICIES:
        raise ValueError(f"{fields.shown(word)} is not one of {', '.join(POLICIES)}")
    return word
