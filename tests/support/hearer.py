"""Adapters whose CLIs take messages while they work, as installed packages: shell commands.

A `hearer` reads its stdin. The first line there is the prompt, each further one a message, `ID "WORDS"` with the words
as JSON has them. It says `ready` when it takes them, `took ID` when its model has one, and `over` when it has come to
its end. A `fetcher` makes a file `ready` and takes away what is offered, a file `words`; `over WORDS` are its last
ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import talker

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_MODULE = """\
import json
from orchgit.adapters.protocol import Hears, Launch, Verdict
from orchgit.model import events
from orchgit.model.run import Outcome


def complaint(agent):
    return None


def limitations(agent):
    return ()


def takes_role(agent):
    return False


def resumes(agent):
    return False


def launch(agent, job):
    return Launch(("/bin/sh", "-c", agent.command), stdin=json.dumps(job.prompt) + "\\n", hears=Hears.INPUT)


def listener(before=None, memo=""):
    return Listener()


class Listener:
    stuck = ""
    session = None
    takes_messages = False
    is_over = False

    def __init__(self):
        self.names = {}

    def say(self, name, text):
        key = name.rpartition(" ")[2]
        self.names[key] = name
        return f"{key} {json.dumps(text)}\\n"

    def withdraw(self, name):
        return f"withdrawn {name.rpartition(' ')[2]}\\n"

    def hear(self, stream, line):
        word, _, rest = line.partition(" ")
        if word == "ready":
            self.takes_messages = True
        if word == "over":
            self.is_over, self.takes_messages = True, False
        if word == "took":
            return (events.Told(self.names[rest]),)
        return (events.Text(line),)

    def verdict(self, exit_code):
        return Verdict(Outcome.FAILED, f"exit code {exit_code}") if exit_code else Verdict(Outcome.SUCCEEDED)
"""

_FETCHER = (
    _MODULE.partition("def launch")[0]
    + """\
def launch(agent, job):
    return Launch(("/bin/sh", "-c", agent.command), stdin=job.prompt, hears=Hears.HOOKS)


def listener(before=None, memo=""):
    return Listener()


class Listener:
    stuck = ""
    session = None
    most = 1000
    at_end = True

    def offer(self, text):
        return {"words": text}

    def hear(self, stream, line):
        word, _, rest = line.partition(" ")
        return (events.Result(rest, failed=word == "failed") if word in ("over", "failed") else events.Text(line),)

    def verdict(self, exit_code):
        return Verdict(Outcome.FAILED, f"exit code {exit_code}") if exit_code else Verdict(Outcome.SUCCEEDED)
"""
)

# Takes one message, as a shell function: what it said is in the file `told`, its id in `$id`.
HEARS = 'hears() { read -r said; id=${said%% *}; printf "%s\\n" "$said" >> told; }; read -r prompt; '
# Waits for one message, as a shell function, and takes it away: what it said is added to the file `told`.
FETCHES = (
    ': > "$ORCHGIT_OFFERS/ready"; fetch() { while ! mv "$ORCHGIT_OFFERS/offer" "$ORCHGIT_OFFERS/$1" '
    '2> /dev/null; do sleep 0.02; done; cat "$ORCHGIT_OFFERS/$1/words" >> told; }; '
)


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let them be found, in this process and in those that it starts."""
    talker.install(folder, monkeypatch, name="hearer", module=_MODULE)
    talker.install(folder, monkeypatch, name="fetcher", module=_FETCHER)
