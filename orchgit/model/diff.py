"""What a commit of the state branch did, file by file, as the audit takes it."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from orchgit.model.actor import Actor
    from orchgit.model.agent import Agent
    from orchgit.model.config import Config
    from orchgit.model.errors import InvalidFileError
    from orchgit.model.goal import Goal
    from orchgit.model.task import Task
    from orchgit.model.team import Team
    from orchgit.model.trailers import Message


@dataclass(frozen=True, slots=True)
class File:
    """One version of a file: the id of its blob, what was read in it (None: a file of another kind), a task's text."""

    blob: str
    item: Task | Agent | Goal | Team | Config | InvalidFileError | None = None
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the file at `path`; None where there is none before, or after.

    Where what lay there before can't be read, `before` had better be the last version that could.
    """

    path: str
    before: File | None
    after: File | None


@dataclass(frozen=True, slots=True)
class Commit:
    """`parents` are the changes against each parent; a first commit has one, against nothing.

    Of a merge they are the files, in the same order for each parent, that are as none of its parents has them.
    """

    message: Message
    author: Actor
    parents: tuple[tuple[Change, ...], ...]
