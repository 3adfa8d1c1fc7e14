"""A CLI of one's own as an agent, by its settings alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from orchgit import adapters
from orchgit.adapters.protocol import Job, Verdict
from orchgit.model import agent, events
from orchgit.model.errors import InvalidFileError
from orchgit.model.run import Outcome, Session
from orchgit.model.usage import Usage

if TYPE_CHECKING:
    from orchgit.adapters.protocol import Listener
    from orchgit.model.agent import Agent
    from orchgit.model.events import Event

COMMAND = adapters.ADAPTERS["command"]
SETTINGS = """\
adapter: command
argv: [mycli, run, --model, "{model}", "--in={workspace}"]
model: large
resume: [--session, "{session}"]
events:
  session: {match: {type: init}, id: session.id, model: session.model}
  text: {match: {type: message, role: [assistant, tool]}, text: content.0.text}
  tool: {match: {type: tool}, name: name, summary: input}
  file: {match: {type: saved}, path: path}
  usage:
    - {match: {type: step}, turns: turns}
    - {match: {type: done}, input: used.in, output: used.out, cost_usd: used.cost, cumulative: true}
  warning: {match: {type: hint}, text: text}
  limited: {match: {type: error, code: [429, 529]}, text: message, seconds: retry_after}
  denied: {match: {type: denied}, name: tool, summary: what}
  fatal: {match: {type: error, code: 401}, text: message}
  error: {match: {type: error, code: 500}, text: message}
  result: {match: {type: done}, text: answer}
"""


def read(text: str = SETTINGS) -> Agent:
    return agent.read("agents/bot.yaml", text)


def listener(before: Session | None = None, text: str = SETTINGS) -> Listener:
    found = read(text)
    return COMMAND.listener(before, COMMAND.launch(found, Job("x")).memo)


def hear(found: Listener, *said: dict[str, Any] | str) -> list[Event]:
    lines = [each if isinstance(each, str) else json.dumps(each) for each in said]
    return [event for line in lines for event in found.hear("stdout", line)]


@pytest.mark.parametrize(
    ("more", "job", "argv", "stdin"),
    [
        ("", Job("Do it."), ("mycli", "run", "--model", "large", "--in=/w"), "Do it."),
        ("", Job("More.", "s-1"), ("mycli", "run", "--model", "large", "--in=/w", "--session", "s-1"), "More."),
        ("prompt_via: argument\n", Job("-x"), ("mycli", "run", "--model", "large", "--in=/w", "\n-x"), ""),
        ("prompt_via: file\n", Job("Do it."), ("mycli", "run", "--model", "large", "--in=/w"), ""),
        ("role: You write.\n", Job("Do it."), ("mycli", "run", "--model", "large", "--in=/w"), "You write.\n\nDo it."),
    ],
)
def test_how_it_is_called(more: str, job: Job, argv: tuple[str, ...], stdin: str) -> None:
    found = COMMAND.launch(read(SETTINGS + more), Job(job.prompt, job.session, "/w", "/runs/prompt.md"))
    assert (found.argv, found.stdin) == (argv, stdin)


@pytest.mark.parametrize(
    ("line", "last"),
    [
        ("argv: [x, '{prompt}', --end]\nprompt_via: argument", ("$(a) {model}", "--end")),
        ("argv: [x, '{prompt_file}']", ("/p",)),
    ],
)
def test_where_the_prompt_goes(line: str, last: tuple[str, ...]) -> None:
    found = COMMAND.launch(read(f"adapter: command\n{line}\n"), Job("$(a) {model}", prompt_file="/p"))
    assert found.argv[1:] == last


def test_its_lines_are_what_the_rules_say() -> None:
    found = listener()
    assert hear(
        found,
        {"type": "init", "session": {"id": "s-1", "model": "large"}},
        {"type": "message", "role": "assistant", "content": [{"text": "I begin."}]},
        {"type": "tool", "name": "sh", "input": {"command": "ls"}},
        {"type": "saved", "path": "a.py"},
        {"type": "step", "turns": 1},
        {"type": "hint", "text": "slow"},
        {"type": "denied", "tool": "rm", "what": "x"},
        {"type": "done", "used": {"in": 5, "out": 3, "cost": 0.5}, "answer": "Done."},
    ) == [
        events.Session("s-1", "large"), events.Text("I begin."), events.Tool("sh", "ls"), events.FileChanged("a.py"),
        Usage(turns=1), events.Warning("slow"), events.Denied("rm", "x"), Usage(5, 3, cost_usd=0.5),
        events.Result("Done."),
    ]  # fmt: skip
    assert found.session == Session("s-1", {"input": 5, "output": 3, "cost_usd": 0.5})
    assert found.verdict(0) == Verdict(Outcome.SUCCEEDED, notes=("it was not allowed to use: rm: x",))


def test_what_no_rule_fits_is_kept() -> None:
    assert hear(listener(), '{"type": "news"}', "plain", '{"half', '{"type": "message", "role": "user"}') == [
        events.Raw('{"type": "news"}'), events.Text("plain"), events.Text('{"half'),
        events.Raw('{"type": "message", "role": "user"}'),
    ]  # fmt: skip
    assert hear(listener(text="adapter: command\nargv: [x]\n"), '{"type": "init"}') == [events.Text('{"type": "init"}')]


def test_counters_that_go_on_through_a_session_are_the_runs_own() -> None:
    found = listener(Session("s-1", {"input": 100.0, "output": 10.0, "cost_usd": 1.0}))
    heard = hear(
        found,
        {"type": "init", "session": {"id": "s-1"}},
        {"type": "done", "used": {"in": 150, "out": 12, "cost": 1.25}},
        {"type": "done", "used": {"in": 151, "out": 12, "cost": 1.25}},
    )
    assert [each for each in heard if isinstance(each, Usage)] == [Usage(50, 2, cost_usd=0.25), Usage(1, cost_usd=0)]


@pytest.mark.parametrize(
    ("said", "code", "outcome", "reason", "again_in"),
    [
        (
            {"type": "error", "code": 429, "message": "slow down", "retry_after": 30},
            1,
            Outcome.LIMITED,
            "slow down",
            30,
        ),
        ({"type": "error", "code": 529, "message": "busy, try again in 5 m"}, 1, Outcome.LIMITED, "busy", 300),
        ({"type": "error", "code": 429, "message": "slow down"}, 0, Outcome.SUCCEEDED, "", None),
        ({"type": "error", "code": 401, "message": "bad key"}, 0, Outcome.FATAL, "bad key", None),
        ({"type": "error", "code": 500, "message": "oops"}, 0, Outcome.FAILED, "oops", None),
        ({"type": "error", "code": "429", "message": "no number"}, 3, Outcome.FAILED, "exit code 3", None),
        ({"type": "done"}, 127, Outcome.FATAL, "not found or can't be run", None),
        ({"type": "done"}, -9, Outcome.FAILED, "ended by signal 9", None),
    ],
)
def test_how_it_ended(said: dict[str, Any], code: int, outcome: Outcome, reason: str, again_in: float | None) -> None:
    found = listener()
    hear(found, said)
    verdict = found.verdict(code)
    assert (verdict.outcome, verdict.again_in) == (outcome, again_in)
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "an agent of the adapter command needs `argv`, the list of its words"),
        ("argv: ['']", "an agent of the adapter command needs `argv`, the list of its words"),
        (
            "argv: [x]\nresume: [-s, '{session}']",
            "`resume` needs a rule for `session` in `events`, which tells the session",
        ),
        ("argv: [x]", None),
    ],
)
def test_what_it_lacks(text: str, complaint: str | None) -> None:
    found = COMMAND.complaint(read(f"adapter: command\n{text}\n"))
    assert (found or "").startswith(complaint or "")
    assert bool(found) == bool(complaint)


def test_what_it_cannot_do_is_known() -> None:
    text = (
        "adapter: command\nargv: [x]\nmodel: m\nmax_turns: 1\nmax_tokens: 1\nmax_cost_usd: 1\nargs: [-x]\ncommand: y\n"
    )
    found = COMMAND.limitations(read(text))
    assert [words.partition(" is set")[0].partition(":")[0] for words in found] == [
        "command", "args", "No rule for `usage` tells turns", "No rule for `usage` tells tokens",
        "No rule for `usage` tells cost_usd", "model",
    ]  # fmt: skip
    assert COMMAND.limitations(read()) == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("events: []", "events: [] is not a mapping of events to rules"),
        ("events: {talk: {match: {a: 1}, text: b}}", "'talk' is not one of session, text, tool"),
        ("events: {text: {text: b}}", "text: say in `match` by which values such a line is known"),
        ("events: {text: {match: {}, text: b}}", "text: say in `match` by which values such a line is known"),
        ("events: {text: [b]}", "text: say in `match` by which values such a line is known"),
        ("events: {text: {match: {a: 1}}}", "text: say in `text` where that lies"),
        ("events: {tool: {match: {a: 1}, summary: b}}", "tool: say in `name` where that lies"),
        ("events: {text: {match: {a: 1}, text: b, path: c}}", "text: 'path' is not one of match, text"),
        ("events: {text: {match: {a: 1}, text: a..b}}", "text: 'a..b' is not a path such as message.content.0.text"),
        ("events: {text: {match: {a: {b: 1}}, text: b}}", "text: {'b': 1} is not a value, or a list of values"),
        ("events: {usage: {match: {a: 1}, input: b, cumulative: 1}}", "usage: 1 is not true or false"),
        ("argv: mycli run", "argv: 'mycli run' is not a list"),
        ("argv: [1, [2]]", "argv: [2] is not text; put it in quotes"),
        ("prompt_via: pipe", "prompt_via: 'pipe' is not one of stdin, argument, file"),
        ("approval_policy: yolo", "approval_policy: 'yolo' is not one of auto, suggest, manual"),
        ("mcp_servers: 1", "mcp_servers: 1 is not a mapping of names to servers"),
        ("mcp_servers: [a]", "mcp_servers: a: say either `command` or `url`"),
        ("mcp_servers: {orchgit: {}}", "mcp_servers: orchgit: say either `command` or `url`"),
        ("mcp_servers: {a: {}}", "mcp_servers: a: say either `command` or `url`"),
        ("mcp_servers: {a: {command: x, url: y}}", "mcp_servers: a: say either `command` or `url`"),
        ("mcp_servers: {a: {command: x, headers: {}}}", "mcp_servers: a: 'headers' is not a setting of such a server"),
        ("mcp_servers: {a.b: {command: x}}", "mcp_servers: 'a.b' is not a server's name"),
        ("mcp_servers: {a: {command: x, env: {A-B: y}}}", "a: 'A-B' is not the name of an environment variable"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(line: str, reason: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        read(f"adapter: command\n\n{line}\n")
    assert str(caught.value).startswith(f"agents/bot.yaml:3: {line.partition(':')[0]}: ")
    assert reason in str(caught.value)


def test_another_name_of_a_key() -> None:
    assert read("max_budget_usd: 2.5\n").max_cost_usd == 2.5
    assert read("max_budget_usd: 2.5\nmax_cost_usd: 1\n").max_cost_usd == 1
    with pytest.raises(InvalidFileError, match=r"agents/bot.yaml:2: max_budget_usd: 'much' is not an amount"):
        read("model: x\nmax_budget_usd: much\n")
