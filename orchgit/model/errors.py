"""What can go wrong, as a person reads it: what happened, where, and the next step."""

from __future__ import annotations


class OrchgitError(Exception):
    """A request that can't be carried out. Exit code 1.

    `what` names the thing and the place; `next_step` says what to do about it. Neither ever holds a destructive
    command ready to paste.
    """

    exit_code = 1

    def __init__(self, what: str, next_step: str = "") -> None:
        self.what = what
        self.next_step = next_step
        super().__init__(f"{what}\n{next_step}" if next_step else what)


class UsageError(OrchgitError):
    """The words of the request don't fit together. Exit code 2."""

    exit_code = 2


class RefusedError(OrchgitError):
    """A rule says no: the lifecycle, a pin, or a state of the repository that a merge would harm."""


class NotFoundError(OrchgitError):
    """Nothing goes by that name."""


class AmbiguousError(NotFoundError):
    """A prefix names several things."""


class BusyError(OrchgitError):
    """Someone else holds what is needed, and still did when the time limit passed."""


class StaleError(BusyError):
    """Others have just committed to the state branch, and what they did is not judged yet: look again."""


class GitError(OrchgitError):
    """git said no; its own words are in the message."""


class InvalidFileError(OrchgitError):
    """A file that doesn't say what it should: where, which key, and what is allowed.

    `path` is relative to the state folder, `line` counts from 1, `key` is empty where the whole file is meant.
    """

    def __init__(self, path: str, reason: str, *, line: int = 1, key: str = "", next_step: str = "") -> None:
        self.path = path
        self.line = line
        self.key = key
        self.reason = reason
        super().__init__(f"{path}:{line}: {f'{key}: ' if key else ''}{reason}", next_step)

    def at(self, path: str) -> InvalidFileError:
        """Return the same error, about the file at `path`."""
        return InvalidFileError(path, self.reason, line=self.line, key=self.key, next_step=self.next_step)
