"""Skills that a real Claude Code loads by itself: named beside the project's own, and nothing of them in the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.agents import bench as benches
from tests.support import clis, repos
from tests.support.model_server.script import Say, Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.agents.bench import Bench

pytestmark = pytest.mark.agents

OWN = "---\nname: sql\ndescription: Says how the project itself asks.\n---\nAs it likes.\n"
OURS = "---\ndescription: Says which keys a query uses.\n---\nUse primroses.\n"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield from benches.make(tmp_path / "skilled")


def test_a_skill_that_says_when_is_named_to_the_model_and_left_out_of_the_work(bench: Bench) -> None:
    repos.commit(bench.project, {".claude/skills/sql/SKILL.md": OWN}, "Skills")
    repos.write(bench.layout.state, {"skills/sql.md": OURS, "skills/house.md": "Be kind to marigolds.\n"})
    bench.agent(clis.CLAUDE, "writer", Shell("echo one > one.txt"), Say("Done."), skills="sql,house")
    task = bench.task("writer")
    bench.ok("run", task)
    assert bench.status(task) == "review"
    said = "\n".join(bench.model.asked("writer")[0].said)
    assert "- sql: Says how the project itself asks." in said
    assert "- orchgit:sql: Says which keys a query uses." in said
    assert ("Use primroses." in said, "Be kind to marigolds." in said) == (False, True)
    assert [each["path"] for each in bench.show(task)["changes"]] == ["one.txt"]
