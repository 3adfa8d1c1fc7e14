"""Attempts at one task, each with a runner of its own, without a loop around them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchgit.engine import dispatch
from orchgit.repository import git, locks, runs

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.model.run import Result, Session
    from orchgit.repository.layout import Layout
    from orchgit.repository.runs import Folder

TASK = "tsk_aaaaaa"
BRANCH = f"orchgit/{TASK}-do-it"


@dataclass
class Bench:
    layout: Layout
    workspace: Path
    number: int = 0

    def begin(
        self,
        command: str,
        *,
        env: tuple[tuple[str, str], ...] = (),
        prompt: str = "Do it.\n",
        adapter: str = "shell",
        before: Session | None = None,
    ) -> Folder:
        """Start a runner and return the folder of its run; `before` is the session that it goes on with."""
        self.number += 1
        place = dispatch.new_run(self.layout)
        base = git.commit_of("refs/heads/main", cwd=self.layout.common)
        assert base is not None
        place.prompt.write_text(prompt)
        place.stdin.write_text(prompt)
        spec = runs.Spec(
            run=place.id, task=TASK, agent="bot", title="Do it", attempt=self.number, adapter=adapter,
            argv=("/bin/sh", "-c", command), env=env, root=str(self.layout.root), common=str(self.layout.common),
            workspace=str(self.workspace), branch=BRANCH, base=base, timeout=120, stall_timeout=120,
            started="2026-11-22T10:00:00+00:00", session=before.id if before else "",
        )  # fmt: skip
        if before:
            runs.write_session(place, before)
        runs.write_spec(place, spec)
        lock = dispatch.lock(place)
        with dispatch.start(place, lock) as runner:
            dispatch.go(runner)
        os.close(lock)
        return place

    def attempt(self, command: str, **how: Any) -> Result:
        """Run a command as an agent and return how its run ended."""
        place = self.begin(command, **how)
        locks.wait_until_free(place.runner_lock)
        result = runs.read_result(place)
        assert result is not None, place.runner_log.read_text()
        assert not place.runner_log.read_text()
        return result
