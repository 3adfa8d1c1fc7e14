"""`orchgit agent`: add, list and change agents."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from orchgit import api
from orchgit.cli import budget, nearest, programs, shop, show, whose
from orchgit.model import approval, fields, mcp, setup, spending, summary, yamltext
from orchgit.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from orchgit.api import Project
    from orchgit.engine.agents import Settings
    from orchgit.model.agent import Agent
    from orchgit.model.breaker import Rest
    from orchgit.model.cooldown import CoolDown

    Rests = Mapping[str, Rest | CoolDown]


_TOLD_APART = frozenset({"name", "role", "state", "rests_until", "cools_until", "limitations"})


@click.group(cls=nearest.Group)
def agent() -> None:
    """Add, list and change agents."""


def _settings(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say what an agent is."""
    options = (
        click.option("--adapter", help="What drives it: claude, codex, opencode, cursor, shell or command."),
        click.option(
            "--command",
            help="The command of a shell agent: `sh -c` runs it in the task's worktree, the prompt on its stdin and "
            "in $ORCHGIT_PROMPT_FILE.",
        ),
        click.option("--argv", metavar="WORDS", help="The words of a command agent's call, as a shell splits them."),
        click.option("--role", help="Its role: the system prompt, or words for the person who reads the file."),
        click.option("--model", help="The model that its CLI is to use."),
        click.option("--approval-policy", type=click.Choice(approval.POLICIES), help="What it may do unasked."),
        click.option("--allowed-tools", help="Tools that it may use unasked, with commas between."),
        click.option("--mcp-servers", metavar="NAME", help="`orchgit`: it may use the team by tools of MCP."),
        click.option("--args", metavar="WORDS", help="Further words for its CLI, as a shell splits them."),
        click.option("--labels", help="Labels of tasks that suit it, with commas between."),
        click.option("--skills", help="Skills, with commas between: files of skills/, or mere words."),
        click.option("--max-concurrent", type=click.IntRange(1), help="How many tasks it may do at once: 1, else."),
        click.option("--max-retries", type=click.IntRange(0, 99), help="Retries after a failed first attempt."),
        click.option("--retry-delay-ms", type=click.IntRange(0), help="Wait before the first retry; it doubles."),
        click.option("--timeout", "timeout_ms", type=click.IntRange(1), help="The longest that a run may take, in ms."),
        click.option("--stall-timeout", "stall_timeout_ms", type=click.IntRange(1), help="The longest silence, in ms."),
        budget.options,
        click.option("--workspace-mode", type=click.Choice(setup.MODES), help="Where it works."),
        click.option(
            "--env", multiple=True, metavar="NAME=VALUE", help="A variable; `NAME=$OTHER` takes it from yours."
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


@agent.command()
@click.argument("name")
@click.option("--from", "template", metavar="ROLE", help="A role of `orchgit agent shop` to begin with.")
@_settings
@click.option("-e", "--edit", "in_editor", is_flag=True, help="Open its file in your editor before it is made.")
@show.as_json
@click.pass_obj
def add(
    directory: Path,
    /,
    name: str,
    role: str | None,
    template: str | None,
    *,
    in_editor: bool,
    wants_json: bool,
    **options: Any,
) -> None:
    """Add an agent: the file .orchestry/agents/NAME.md."""
    project = api.open_project(directory)
    if options["adapter"] is None and template is None:
        options["adapter"] = project.config().agent_adapter
    if in_editor:
        made = _made_in_editor(project, name, _given(options), role, template)
    else:
        made = project.add_agent(name, _given(options), role=role, template=template)
    show.warn(project.doubts_of_agent(made))
    _answer(project, made, f"{made.name} is on the team ({made.path}).", wants_json=wants_json)


@agent.command("list")
@show.as_json
@click.pass_obj
def list_(directory: Path, *, wants_json: bool) -> None:
    """List the agents and what they work on."""
    project = api.open_project(directory)
    found = project.agents()
    rests = project.rests()
    if wants_json:
        show.dump([_data(project, each, rests) for each in found])
    elif found:
        rows = (
            (
                each.name,
                _state(project, each, rests),
                each.adapter or project.config().agent_adapter,
                each.command or shlex.join(each.argv) or each.model or "",
                summary.first_line(each.role),
            )
            for each in found
        )
        show.table(("NAME", "STATE", "ADAPTER", "COMMAND", "ROLE"), rows)
    elif sys.stdout.isatty():
        show.say("No agents yet. `orchgit agent add NAME --adapter shell --command '...'` makes one.")


@agent.command()
@click.argument("name")
@show.as_json
@click.pass_obj
def status(directory: Path, name: str, *, wants_json: bool) -> None:
    """Show an agent: its settings, its role, what it works on, and what it used in the last 30 days."""
    project = api.open_project(directory)
    found, rests = project.agent(name), project.rests()
    name = found.name
    spent = spending.total(each for each in project.spent(since="30 days ago") if each.agent == name)
    if wants_json:
        show.dump({**_data(project, found, rests), "runs": spent.runs, "used": spent.used})
        return
    click.echo(show.style(found.name, bold=True) + f"  {_state(project, found, rests)}")
    if name in rests:
        click.echo(f"  {name} {rests[name]}")
    for key, value in _data(project, found, rests).items():
        if value not in (None, "", {}, [], ()) and key not in _TOLD_APART:
            click.echo(f"  {key:<18}{_words(value)}")
    if spent.runs:
        click.echo(f"  {'used':<18}{spent.used}, by {spent.runs} run{'s' if spent.runs > 1 else ''} in 30 days")
    for each in project.limitations(found):
        click.echo(show.style(f"  {each}", fg="yellow"))
    if found.role:
        click.echo(f"\n{found.role}")


@agent.command()
@click.argument("name")
@_settings
@show.as_json
@click.pass_obj
def edit(directory: Path, /, name: str, role: str | None, *, wants_json: bool, **options: Any) -> None:
    """Change an agent: what the options name, or without any the whole file in your editor."""
    project = api.open_project(directory)
    given = _given(options)
    if given or role is not None:
        after = project.edit_agent(name, given, role=role)
    else:
        from orchgit.cli import editor

        path = project.agent(name).path
        after = editor.rewrite(project, path, lambda base, typed: project.rewrite_agent(name, base=base, typed=typed))
    _answer(
        project, after, f"{after.name} is changed; a run that is under way keeps what it had.", wants_json=wants_json
    )


@agent.command()
@click.argument("name")
@click.option(
    "--on/--off", "on", default=None, help="Take up tasks that are nobody's, or only its own; else the other."
)
@click.pass_obj
def autonomous(directory: Path, name: str, *, on: bool | None) -> None:
    """Let an agent take up tasks that are nobody's, or only those that are assigned to it; else switch that over."""
    project = api.open_project(directory)
    now = not project.agent(name).autonomous if on is None else on
    name = project.edit_agent(name, {"autonomous": now}).name
    takes = "takes up tasks that are nobody's, too" if now else "does only what is assigned to it"
    show.say(f"{name} {takes}.")


@agent.command()
@click.argument("name")
@click.pass_obj
def remove(directory: Path, name: str) -> None:
    """Remove an agent, from its teams too. Its file stays in the history."""
    project = api.open_project(directory)
    gone = project.remove_agent(name).name
    show.say(f"{gone} is removed.")
    whose.warn_of(project, gone)


@agent.command()
@click.argument("name")
@click.pass_obj
def enable(directory: Path, name: str) -> None:
    """Let an agent be given tasks again."""
    _switch(directory, name, on=True)


@agent.command()
@click.argument("name")
@click.pass_obj
def disable(directory: Path, name: str) -> None:
    """Give an agent no more tasks; a run that is under way goes on."""
    _switch(directory, name, on=False)


def _switch(directory: Path, name: str, *, on: bool) -> None:
    after = api.open_project(directory).edit_agent(name, {"enabled": on})
    show.say(f"{after.name} is {'enabled' if on else 'disabled'}.")


def _made_in_editor(project: Project, name: str, settings: Settings, role: str | None, template: str | None) -> Agent:
    from orchgit.cli import editor
    from orchgit.model import document

    draft = document.edit(api.role(template).text if template else "", settings)
    text = draft if role is None else document.replace_body(draft, role)
    typed = editor.edit(project, text, name=f"{name}.md")
    found = editor.keeping(typed, lambda: document.parse(typed))
    wanted: Settings = dict(found.values)
    return editor.keeping(typed, lambda: project.add_agent(name, wanted, role=found.body))


agent.add_command(shop.shop)
agent.add_command(status, "show")  # as it is called of all else


def _given(options: dict[str, Any]) -> Settings:
    """Return the settings that were asked for, in the order that a new file has them."""
    given: Settings = {
        key: _setting(key, value) for key, value in options.items() if value is not None and key != "env"
    }
    if options["env"]:
        given["env"] = dict(_variable(word) for word in options["env"])
    return given


def _setting(key: str, value: yamltext.Value) -> yamltext.Value | yamltext.Remove:
    if key == "mcp_servers":
        _refuse_unknown_servers(fields.words(value))
    if key in ("labels", "skills", "allowed_tools", "mcp_servers"):
        return fields.words(value) or yamltext.REMOVE
    if key in ("argv", "args"):
        return tuple(_split(key, str(value))) or yamltext.REMOVE
    return value


def _refuse_unknown_servers(names: tuple[str, ...]) -> None:
    """UsageError for a server that has to be described: an option has room for its name alone."""
    other = next((name for name in names if name != mcp.OWN.name), None)
    if other is None:
        return
    raise UsageError(
        f"--mcp-servers takes {mcp.OWN.name} alone by its name: of {other!r} it must be said how it is reached.",
        f"Add `{other}: {{url: https://...}}` or `{other}: {{command: ...}}` below `mcp_servers:` in the agent's file:"
        " `orchgit agent edit NAME` opens it.",
    )


def _split(key: str, words: str) -> list[str]:
    try:
        return shlex.split(words)
    except ValueError as error:
        raise UsageError(f"--{key} {words!r} can't be split into words: {error}.", "Close what is quoted.") from None


def _variable(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not name:
        raise UsageError(f"--env {word!r} names no variable.", "Write --env NAME=VALUE, or --env NAME for your own.")
    return name, value if equals else f"${name}"


def _state(project: Project, found: Agent, rests: Rests) -> str:
    from orchgit.engine.agents import working_on

    if not found.enabled:
        return "disabled"
    idle = _away(found, rests) if found.name in rests else "free"
    return working_on(project.state).get(found.name, idle)


def _away(found: Agent, rests: Rests) -> str:
    from orchgit.model.cooldown import CoolDown

    return "cooling" if isinstance(rests[found.name], CoolDown) else "resting"


def _words(value: object) -> str:
    """Return a setting as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(_word, value)) if isinstance(value, tuple) else str(value)


def _word(value: object) -> str:
    """Return one of several values of a setting: a rule or a server by its name."""
    return value if isinstance(value, str) else str(getattr(value, "name", getattr(value, "kind", value)))


def _data(project: Project, found: Agent, rests: Rests) -> dict[str, Any]:
    """Return an agent as `--json` prints it: every setting of its file, what it works on, and until when it rests."""
    named = {key: getattr(found, key) for key in found.__slots__}
    until = {_away(found, rests): rests[found.name].until} if found.name in rests else {}
    return {
        **named, "env": dict(found.env), "hooks": dict(found.hooks),
        "limitations": list(project.limitations(found)), "state": _state(project, found, rests),
        "rests_until": until.get("resting"), "cools_until": until.get("cooling"),
    }  # fmt: skip


def _answer(project: Project, found: Agent, words: str, *, wants_json: bool) -> None:
    if wants_json:
        project.refresh()
        show.dump(_data(project, found, project.rests()))
        return
    show.say(words)
    for each in project.limitations(found):
        click.echo(f"orchgit: {each}", err=True)
    programs.tell_of_missing(project, [found])
