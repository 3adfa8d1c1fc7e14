"""Any CLI as an agent, by its settings alone: its words, how it takes the prompt, and which JSON lines mean what."""

from __future__ import annotations

import json
from dataclasses import asdict, field, replace
from typing import TYPE_CHECKING, Any

from orchgit.adapters import jsonlines, provider, settings, stderr, tally
from orchgit.adapters.jsonlines import at, number
from orchgit.adapters.protocol import Launch, Verdict
from orchgit.model import events
from orchgit.model.dataclass import dataclass
from orchgit.model.heard import Rule
from orchgit.model.run import Outcome, Session
from orchgit.model.usage import Usage

if TYPE_CHECKING:
    from orchgit.adapters.protocol import Job
    from orchgit.model.agent import Agent
    from orchgit.model.events import Event


def complaint(agent: Agent) -> str | None:
    if not agent.argv or not agent.argv[0].strip():
        return "an agent of the adapter command needs `argv`, the list of its words"
    if agent.resume and not any(rule.kind == "session" for rule in agent.events):
        return "`resume` needs a rule for `session` in `events`, which tells the session to go on with"
    return settings.complaint(agent)


def limitations(agent: Agent) -> tuple[str, ...]:
    told = {kind for rule in agent.events if rule.kind == "usage" for kind, _ in rule.takes}
    return tuple(filter(None, (
        *settings.unused(agent, "command", *settings.OF_CLIS),
        *settings.unasked(agent),
        "No rule for `usage` tells turns: max_turns has no effect." if agent.max_turns and "turns" not in told else "",
        "No rule for `usage` tells tokens: max_tokens has no effect."
        if agent.max_tokens and not told & {"input", "output"} else "",
        "No rule for `usage` tells cost_usd: max_cost_usd has no effect."
        if agent.max_cost_usd and "cost_usd" not in told else "",
        "model is set, and no word of argv holds {model}."
        if agent.model and not any("{model}" in word for word in agent.argv) else "",
    )))  # fmt: skip


def resumes(agent: Agent) -> bool:
    return bool(agent.resume)


def takes_role(_agent: Agent) -> bool:
    return False


def takes_skills(_agent: Agent) -> bool:
    return False


def launch(agent: Agent, job: Job) -> Launch:
    words = settings.with_role(agent, job)
    more = agent.resume if job.session else ()
    filled = [_filled(word, agent, job) for word in (*agent.argv, *more)]
    if agent.prompt_via == "argument":
        prompt = settings.as_argument(words)
        argv = [prompt if word == "{prompt}" else word for word in filled]
        filled = argv if "{prompt}" in filled else [*argv, prompt]
    rules = json.dumps([asdict(rule) for rule in agent.events])
    return Launch(tuple(filled), stdin=words if agent.prompt_via in (None, "stdin") else "", memo=rules)


def listener(before: Session | None = None, memo: str = "") -> Listener:
    return Listener(tuple(_rule(each) for each in json.loads(memo or "[]")), before)


def _filled(word: str, agent: Agent, job: Job) -> str:
    names = {
        "{model}": agent.model or "", "{session}": job.session, "{prompt_file}": job.prompt_file,
        "{workspace}": job.workspace,
    }  # fmt: skip
    for name, value in names.items():
        word = word.replace(name, value)
    return word


def _rule(values: dict[str, Any]) -> Rule:
    match = tuple((tuple(path), tuple(wanted)) for path, wanted in values["match"])
    takes = tuple((name, tuple(path)) for name, path in values["takes"])
    return Rule(values["kind"], match, takes, is_cumulative=values["is_cumulative"])


@dataclass(slots=True)
class Listener:
    """Hears lines by rules; without any, they are text. The exit code counts, and what was said to have gone wrong."""

    rules: tuple[Rule, ...]
    before: Session | None = None
    session: Session | None = None
    stuck: str = ""
    limited: events.Limited | None = None
    denied: dict[str, str] = field(default_factory=dict)
    _wrong: events.Result | None = None
    _is_fatal: bool = False
    _counted: dict[str, float] = field(default_factory=dict)
    _stderr: stderr.Tail = field(default_factory=stderr.Tail)

    def hear(self, stream: str, line: str) -> tuple[Event, ...]:
        if stream == "stderr":
            return self._stderr.hear(line)
        said = jsonlines.parsed(line) if self.rules else None
        if said is None:
            return (events.Text(line),)
        found = [event for rule in self.rules if _fits(rule, said) for event in self._heard(rule, said)]
        is_known = found or any(_fits(rule, said) for rule in self.rules)
        return tuple(found) if is_known else (events.Raw(line),)

    def verdict(self, exit_code: int) -> Verdict:
        notes = provider.was_denied(self.denied)
        words = self._wrong.text if self._wrong else self._stderr.words
        if self._is_fatal:
            return Verdict(Outcome.FATAL, jsonlines.one_line(words), notes=notes)
        if self.limited and exit_code != 0:
            return provider.limited(self.limited.text, self.limited.seconds)
        if self._wrong:
            return Verdict(Outcome.FAILED, jsonlines.one_line(words) or "it failed without a word", notes=notes)
        if exit_code == 0:
            return Verdict(Outcome.SUCCEEDED, notes=notes)
        return replace(provider.without_result(words, exit_code), notes=notes)

    def _heard(self, rule: Rule, said: dict[str, Any]) -> tuple[Event, ...]:
        got = {name: at(said, *path) for name, path in rule.takes}
        words = {name: value if isinstance(value, str) else jsonlines.summary(value) for name, value in got.items()}
        first = words.get(rule.takes[0][0], "")
        match rule.kind:
            case "session":
                return self._begins(first, words.get("model", ""))
            case "usage":
                return self._used(rule, got)
            case "limited":
                seconds = round(number(got, "seconds")) or None
                self.limited = events.Limited(words.get("text", ""), seconds)
                return (self.limited,)
            case "denied":
                event = events.Denied(first, jsonlines.one_line(words.get("summary", "")))
                self.denied[str(len(self.denied))] = events.words(event).removeprefix("denied: ")
                return (event,)
            case "error" | "fatal":
                self._wrong, self._is_fatal = events.Result(first, failed=True), rule.kind == "fatal" or self._is_fatal
                return (self._wrong,)
            case kind:
                return _simple(kind, first, words.get("summary", ""))

    def _begins(self, name: str, model: str) -> tuple[Event, ...]:
        known = settings.session_id(name)
        if not known or (self.session and self.session.id == known):
            return ()
        self.session = Session(known, self._counted or (self.before.counters if self.before else {}))
        return (events.Session(known, model),)

    def _used(self, rule: Rule, got: dict[str, Any]) -> tuple[Event, ...]:
        self.limited = None
        now = {name: number(got, name) for name in got}
        if rule.is_cumulative:
            counted = self._counted or (self.before.counters if self.before else {})
            own, self._counted = tally.since(counted, now), {**counted, **now}
            if self.session:
                self.session = replace(self.session, counters=self._counted)
        else:
            own = now
        cost = own.pop("cost_usd", None)
        used = Usage(**{name: int(value) for name, value in own.items()}, cost_usd=cost)
        return (used,) if used != Usage() else ()


def _simple(kind: str, first: str, summary: str) -> tuple[Event, ...]:
    match kind:
        case "text":
            return (events.Text(first),) if first else ()
        case "tool":
            return (events.Tool(first, jsonlines.one_line(summary)),)
        case "file":
            return (events.FileChanged(first),) if first else ()
        case "warning":
            return (events.Warning(first),)
        case _:
            return (events.Result(first),)


def _fits(rule: Rule, said: dict[str, Any]) -> bool:
    return all(any(_is(at(said, *path), one) for one in wanted) for path, wanted in rule.match)


def _is(found: object, wanted: object) -> bool:
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)
