"""What the review of a task looks at, in words that its agent and its reviewer read."""

from __future__ import annotations

from typing import Final

_KNOWN: Final = {
    "test_pass": "the project's tests pass",
    "typecheck": "the project's type checker finds nothing",
    "lint": "the project's linter finds nothing",
}


def words(criterion: str) -> str:
    """Return what a criterion asks for: a word that ORCH's users know says more than itself."""
    return f"{_KNOWN[criterion]} ({criterion})" if criterion in _KNOWN else criterion
