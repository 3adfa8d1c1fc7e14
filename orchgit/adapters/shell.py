"""A shell command as an agent: the prompt on stdin and in a file, exit code 0 is success, `::` lines say the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orchgit.adapters import settings
from orchgit.adapters.protocol import Launch, Verdict
from orchgit.model import events
from orchgit.model.dataclass import dataclass
from orchgit.model.run import Outcome

if TYPE_CHECKING:
    from orchgit.adapters.protocol import Job
    from orchgit.model.agent import Agent
    from orchgit.model.events import Event
    from orchgit.model.run import Session

_TEMPORARY, _NOT_EXECUTABLE, _NOT_FOUND = 75, 126, 127  # the first is EX_TEMPFAIL of sysexits.h: come back later
_COUNTS: Final = frozenset({"input", "output", "cache", "reasoning", "turns"})
_AMOUNT = re.compile(r"(?P<key>[a-z-]+)=(?P<number>[0-9]{1,12}(?P<rest>\.[0-9]{1,12})?)")
_LIMITED = re.compile(r"::limited(?:\s+seconds=(?P<seconds>[0-9]{1,9}))?(?:\s+(?!seconds=)(?P<words>.*))?")


def complaint(agent: Agent) -> str | None:
    return None if agent.command and agent.command.strip() else "a shell agent needs a `command`"


def limitations(agent: Agent) -> tuple[str, ...]:
    others = (key for key in settings.OF_COMMANDS if key != "command")
    return (*settings.unused(agent, *others, *settings.OF_CLIS), *settings.unasked(agent))


def resumes(_agent: Agent) -> bool:
    return False


def takes_role(_agent: Agent) -> bool:
    return False


def takes_skills(_agent: Agent) -> bool:
    return False


def launch(agent: Agent, job: Job) -> Launch:
    assert agent.command is not None
    return Launch(argv=("/bin/sh", "-c", agent.command), stdin=job.prompt)


def listener(before: Session | None = None, memo: str = "") -> Listener:  # noqa: ARG001 - it has no sessions
    return Listener()


@dataclass(slots=True)
class Listener:
    """Remembers the provider's limit, until what is used after it shows that the provider answers again."""

    limited: events.Limited | None = None
    session: None = None
    stuck: str = ""

    def hear(self, stream: str, line: str) -> tuple[Event, ...]:
        if stream == "stderr":
            return (events.Warning(line),)
        said = _command(line) if line.startswith("::") else None
        match said:
            case events.Limited():
                self.limited = said
            case events.Usage():
                self.limited = None
        return (said or events.Text(line),)

    def verdict(self, exit_code: int) -> Verdict:
        if exit_code == 0:
            return Verdict(Outcome.SUCCEEDED)
        if exit_code in (_NOT_EXECUTABLE, _NOT_FOUND):
            return Verdict(Outcome.FATAL, f"a command was not found or can't be run (exit code {exit_code})")
        if self.limited or exit_code == _TEMPORARY:
            said = self.limited or events.Limited()
            words = f"the provider's limit was hit{f': {said.text}' if said.text else ''}"
            return Verdict(Outcome.LIMITED, words, again_in=said.seconds)
        if exit_code < 0:
            return Verdict(Outcome.FAILED, f"ended by signal {-exit_code}")
        return Verdict(Outcome.FAILED, f"exit code {exit_code}")


def _command(line: str) -> events.Limited | events.Usage | None:
    """Return what a line that begins with `::` tells us, as a CI's workflow commands do; None where it is mere text."""
    words = line.rstrip()
    if words.startswith("::usage "):
        return _usage(words.split()[1:])
    found = _LIMITED.fullmatch(words)
    if found is None:
        return None
    return events.Limited((found["words"] or "").strip(), int(found["seconds"]) if found["seconds"] else None)


def _usage(words: list[str]) -> events.Usage | None:
    found = [_AMOUNT.fullmatch(word) for word in words]
    amounts = {match["key"]: match for match in found if match}
    if not words or len(amounts) < len(words):
        return None
    cost = amounts.pop("cost-usd", None)
    if not amounts.keys() <= _COUNTS or any(match["rest"] for match in amounts.values()):
        return None
    counts = {key: int(match["number"]) for key, match in amounts.items()}
    return events.Usage(**counts, cost_usd=float(cost["number"]) if cost else None)
