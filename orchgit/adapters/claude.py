"""Claude Code as an agent: `claude -p`, the prompt and messages on stdin, its events from stdout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from orchgit.adapters import claudestream, settings
from orchgit.adapters.protocol import Hears, Launch
from orchgit.model import approval, document, mcp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.adapters.protocol import Job
    from orchgit.model.agent import Agent
    from orchgit.model.mcp import Server
    from orchgit.model.run import Session
    from orchgit.model.skill import Skill

MODES: Final = {approval.AUTO: "bypassPermissions", approval.SUGGEST: "acceptEdits", approval.MANUAL: "default"}
# Its ten retries take three minutes; four take some ten seconds, and then the engine's own waits come.
RETRIES: Final = 4
_MANUAL: Final = (
    "With approval_policy manual nobody is there to be asked: what Claude Code would ask for is denied, and told in "
    "review. `args` can name a tool that answers (--permission-prompt-tool)."
)
_NO_SKILLS: Final = frozenset({"--bare", "--disable-slash-commands"})
_PLUGIN: Final = "skills"  # a folder of the run's
_INPUT: Final = "--input-format"


def complaint(agent: Agent) -> str | None:
    return settings.complaint(agent)


def limitations(agent: Agent) -> tuple[str, ...]:
    return (
        *settings.unused(agent, *settings.OF_COMMANDS),
        *(
            (_MANUAL,)
            if agent.approval_policy == approval.MANUAL and "--permission-prompt-tool" not in agent.args
            else ()
        ),
    )


def resumes(_agent: Agent) -> bool:
    return True


def takes_role(_agent: Agent) -> bool:
    return True


def takes_skills(agent: Agent) -> bool:
    return _NO_SKILLS.isdisjoint(agent.args)


def launch(agent: Agent, job: Job) -> Launch:
    policy = agent.approval_policy or approval.AUTO
    servers = {each.name: _server(each) for each in agent.mcp_servers}
    listens = not any(each.partition("=")[0] == _INPUT for each in agent.args)
    allowed = (*agent.allowed_tools, *((f"mcp__{mcp.OWN.name}",) if mcp.OWN in agent.mcp_servers else ()))
    argv = [
        "claude", "-p", "--output-format", "stream-json", "--verbose",
        *((_INPUT, "stream-json", "--replay-user-messages") if listens else ()),
        *(("--model", agent.model) if agent.model else ()),
        "--permission-mode", MODES[policy],
        *(("--resume", job.session) if job.session else ()),
        *(("--append-system-prompt", agent.role) if agent.role else ()),
        *(("--system-prompt-snapshot", "off") if agent.role and job.session else ()),
        *(("--max-turns", str(job.max_turns)) if job.max_turns else ()),
        *(("--max-budget-usd", f"{job.max_cost_usd:.6f}") if job.max_cost_usd else ()),
        *((f"--allowedTools={','.join(allowed)}",) if allowed else ()),
        *(("--strict-mcp-config", "--mcp-config", json.dumps({"mcpServers": servers})) if servers else ()),
        *(("--plugin-dir", f"{job.folder}/{_PLUGIN}") if job.skills else ()),
        *agent.args,
    ]  # fmt: skip
    env = {
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "CLAUDE_CODE_MAX_RETRIES": str(RETRIES),
        # Or it refuses to work for the superuser; a worktree is what bounds it.
        **({"IS_SANDBOX": "1"} if job.as_root and policy == approval.AUTO else {}),
    }  # fmt: skip
    env = {**settings.unless_set(agent, env), **settings.for_servers(agent)}
    stdin = claudestream.turn(job.prompt) if listens else job.prompt
    return Launch(
        argv=tuple(argv), stdin=stdin, env=env, files=dict(_plugin(job.skills)), hears=Hears.INPUT if listens else None
    )


def listener(before: Session | None = None, memo: str = "") -> claudestream.Listener:  # noqa: ARG001 - it needs none
    return claudestream.Listener(before)


def _plugin(skills: tuple[Skill, ...]) -> Iterator[tuple[str, str]]:
    """Yield the files of a plugin that holds these skills: it is for one run, and none of the project's gives way."""
    if skills:
        about = {"name": "orchgit", "description": "What this agent's team has it mind.", "version": "1.0.0"}
        yield f"{_PLUGIN}/.claude-plugin/plugin.json", json.dumps(about, indent=1)
    for each in skills:
        head = document.edit("", {"name": each.name, "description": each.wanted})
        yield f"{_PLUGIN}/skills/{each.name}/SKILL.md", document.replace_body(head, f"{each.text}\n")


def _server(server: Server) -> dict[str, Any]:
    if server.url:
        return {"type": "http", "url": server.url, "headers": settings.pairs(server.headers, "${{{}}}")}
    return {"command": server.command, "args": [*server.args], "env": settings.pairs(server.env, "${{{}}}")}
