"""Who causes a change: a person, an agent, or the engine itself."""

from __future__ import annotations

from enum import StrEnum

from orchgit.model.dataclass import dataclass
from orchgit.model.errors import RefusedError


class Kind(StrEnum):
    PERSON = "person"
    AGENT = "agent"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Actor:
    """`email` is what the commit's author line carries; `via` is how it asks, where not by a command: "edit".

    `run` is the run in which an agent asks, where that is known.
    """

    kind: Kind
    name: str
    email: str
    via: str = ""
    run: str = ""


def agent(name: str, *, run: str = "") -> Actor:
    """Return the actor that the agent `name` is, as commits name it."""
    return Actor(Kind.AGENT, name, f"{name}@orchgit", run=run)


def of(name: str, email: str) -> Actor:
    """Return the actor that a commit's author line names. Only a signature proves that it was them."""
    if (name, email) == (ENGINE.name, ENGINE.email):
        return ENGINE
    return Actor(Kind.AGENT if email == f"{name}@orchgit" else Kind.PERSON, name, email)


def refuse_agent(by: Actor, doing: str) -> None:
    """RefusedError where an agent asks for what is a person's to decide, as "change the team"."""
    if by.kind is Kind.AGENT:
        raise RefusedError(f"An agent may not {doing}.", "Ask the person you work for.")


ENGINE = Actor(Kind.ENGINE, "orchgit", "orchgit@orchgit")
