"""A CLI of one's own in a team, by its settings alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support import repos
from tests.support.cli import ok
from tests.support.repos import git

if TYPE_CHECKING:
    from pathlib import Path

AGENT = """\
adapter: command
argv: [{program}, --json]
prompt_via: file
resume: [--session, "{{session}}"]
events:
  session: {{match: {{type: init}}, id: id}}
  text: {{match: {{type: says}}, text: words}}
  tool: {{match: {{type: calls}}, name: name, summary: with}}
  usage: {{match: {{type: done}}, input: tokens, cost_usd: cost, cumulative: true}}
  denied: {{match: {{type: "no"}}, name: name}}
  result: {{match: {{type: done}}, text: words}}
role: You mend.
"""
PROGRAM = """\
#!/bin/sh
echo "$*" >> calls.txt
cp "$ORCHGIT_PROMPT_FILE" prompt.txt
echo '{"type": "init", "id": "s-1"}'
printf '%s\\n' '{"type": "says", "words": "I look.\\nI see."}'
echo '{"type": "calls", "name": "sh", "with": "ls -l"}'
echo '{"type": "no", "name": "net"}'
echo '{"type": "news"}'
n=$(wc -l < calls.txt)
echo "{\\"type\\": \\"done\\", \\"tokens\\": $((n * 100)), \\"cost\\": $n, \\"words\\": \\"Mended, $n.\\"}"
"""


def test_it_works_is_reviewed_and_goes_on(project: Path, tmp_path: Path) -> None:
    program = repos.make_script(tmp_path / "bin" / "mender", PROGRAM)
    (project / ".orchestry" / "agents").mkdir(exist_ok=True)
    (project / ".orchestry" / "agents" / "own.yaml").write_text(AGENT.format(program=program))
    task = ok(project, "task", "add", "Mend it").id
    ok(project, "run", "--all")
    shown = ok(project, "task", "show", task).out
    assert "Mended, 1." in shown
    assert "Note: it was not allowed to use: net" in shown
    said = [line.split("  ", 3)[3] for line in ok(project, "logs").out.splitlines()]
    assert said == [
        "session s-1", "I look.", "I see.", "sh: ls -l", "denied: net", '{"type": "news"}',
        "used 100 in, 0 out, $1.0000", "finished: Mended, 1.",
    ]  # fmt: skip
    lines = [json.loads(line) for line in ok(project, "logs", "--json").out.splitlines()]
    assert [line["type"] for line in lines] == ["session", "text", "tool", "denied", "raw", "usage", "result"]
    assert lines[2]["details"] == {"tool": "sh", "summary": "ls -l"}

    ok(project, "task", "reject", task, "-r", "Again.")
    ok(project, "run", "--all")
    branch = ok(project, "task", "show", task, "--json").data["branch"]
    assert git(project, "show", f"{branch}:calls.txt") == "--json\n--json --session s-1"
    assert "Again." in git(project, "show", f"{branch}:prompt.txt")
    assert ok(project, "task", "show", task, "--json").data["used"]["input"] == 100
