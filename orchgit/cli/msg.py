"""`orchgit msg`: messages between agents and people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from orchgit import api
from orchgit.cli import given, nearest, show, span
from orchgit.model import jsonable, letter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from orchgit.api import Project
    from orchgit.model.letter import Letter

_subject = click.option("-s", "--subject", default="", help="What it is about.")
_sender = click.option("--from", "sender", metavar="NAME", help="Who says it, where not you: an agent, say.")
_BOXES = {letter.NEW: "unread", letter.READ: "read", letter.ARCHIVE: "expired"}


@click.group(cls=nearest.Group)
def msg() -> None:
    """Send and read messages: files under .orchestry/messages/, a mailbox for each agent and person."""


@msg.command()
@click.argument("to")
@click.argument("body")
@_subject
@_sender
@click.option("--reply-to", metavar="ID", help="The message that it answers.")
@span.ttl
@show.as_json
@click.pass_obj
def send(directory: Path, /, to: str, body: str, *, wants_json: bool, **said: Any) -> None:
    """Send BODY to the agent or the person TO, and say when it gets there; `-` reads it from standard input."""
    from orchgit.engine.letters import Draft

    project = api.open_project(directory)
    made = project.send(to, Draft(given.text(body), **said))
    delivery = project.delivery(made)
    if wants_json:
        show.dump(_data(made, delivery=delivery))
    else:
        show.say(f"{made.id} is sent to {made.to}: {letter.DELIVERIES[delivery]}.")


@msg.command()
@click.argument("body")
@_subject
@_sender
@click.option("--team", metavar="NAME", help="Only to those of this team.")
@span.ttl
@show.as_json
@click.pass_obj
def broadcast(directory: Path, /, body: str, team: str | None, *, wants_json: bool, **said: Any) -> None:
    """Send BODY to every agent but the one who sends it; `-` reads it from standard input."""
    from orchgit.engine.letters import Draft

    project = api.open_project(directory)
    made = project.broadcast(Draft(given.text(body), **said), team=team)
    if wants_json:
        show.dump([_data(each, delivery=project.delivery(each)) for each in made])
    else:
        show.say(f"Sent to {', '.join(each.to for each in made)}.")


@msg.command()
@click.argument("agent", required=False)
@show.at
@show.as_json
@click.pass_obj
def inbox(directory: Path, agent: str | None, at: str | None, *, wants_json: bool) -> None:
    """List unread messages: yours, in an agent's run that agent's, or those of AGENT. They stay unread."""
    project = api.open_project(directory, at=at)
    found = project.inbox(agent)
    show.warn(project.doubts_of_files())
    if not found and not wants_json and sys.stdout.isatty():
        show.say("Nothing is unread.")
    _list(found, wants_json=wants_json, others=False)


@msg.command("list")
@click.option("--agent", metavar="NAME", help="Only those for this agent or person.")
@show.at
@show.as_json
@click.pass_obj
def list_(directory: Path, agent: str | None, at: str | None, *, wants_json: bool) -> None:
    """List all messages, oldest first: unread, read and expired ones."""
    project = api.open_project(directory, at=at)
    found = project.messages(agent)
    if not found and not wants_json and sys.stdout.isatty():
        show.say("No messages.")
    _list(found, wants_json=wants_json, others=True)


@msg.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@show.as_json
@click.pass_obj
def read(directory: Path, ids: tuple[str, ...], *, wants_json: bool) -> None:
    """Print messages, these or all unread ones of yours, and count yours as read."""
    project = api.open_project(directory)
    found = project.read_messages(*ids)
    if wants_json:
        show.dump([_data(each) for each in found])
        return
    click.echo("\n".join(_shown(project, each) for each in found), nl=bool(found))
    if not found and sys.stdout.isatty():
        show.say("Nothing is unread.")


def _list(found: Sequence[Letter], *, wants_json: bool, others: bool) -> None:
    if wants_json:
        show.dump([_data(each) for each in found])
        return
    if not found:
        return
    headers = ["ID", "WHEN", "FROM", *(("TO", "STATE") if others else ()), "WHAT"]
    show.table(headers, [_row(each, others=others) for each in found])


def _row(each: Letter, *, others: bool) -> list[str]:
    when = show.local(each.created) if each.created else "-"
    state = [each.to, _BOXES[each.box]] if others else []
    return [each.id, when, each.sender, *state, each.subject or each.text.strip().partition("\n")[0]]


def _shown(project: Project, each: Letter) -> str:
    facts = {
        "from": each.sender, "to": each.to if each.to != project.caller.name else "",
        "sent": show.local(each.created) if each.created else "", "subject": each.subject,
        "reply to": each.reply_to or "",
    }  # fmt: skip
    lines = [show.style(each.id, bold=True), *(f"  {name:<12}{value}" for name, value in facts.items() if value)]
    return "\n".join([*lines, "", each.text, ""])


def _data(each: Letter, **more: object) -> dict[str, object]:
    return jsonable.letter(each, path=each.path, state=_BOXES[each.box], **more)
