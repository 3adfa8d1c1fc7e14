"""The command `orchgit`: which commands there are, and what happens when one fails."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchgit import __version__
from orchgit.cli import everywhere, nearest
from orchgit.model.errors import OrchgitError

if TYPE_CHECKING:
    from orchgit.repository.layout import Layout

REFUSED, USAGE, DEFECT, INTERRUPTED = 1, 2, 3, 130
_GARBAGE = 50_000  # new objects before Python looks for cycles: most commands are over before that pays

# A command's module is imported when it is called: what one command needs costs no other one anything.
COMMANDS = {
    "init": "give a project its team, or join the one it has",
    "demo": "watch a team work on a scratch repository",
    "status": "how things stand",
    "task": "add, list, show and move tasks",
    "agent": "add, list and change agents",
    "org": "deploy whole teams, and keep your own as templates",
    "goal": "what tasks are done for, and how far it is",
    "team": "agents that share tasks",
    "context": "what the team keeps for all of its agents",
    "msg": "messages between agents and people",
    "run": "let the team work",
    "serve": "let the team work without a terminal",
    "stop": "end the team that runs",
    "pause": "let nothing be started for a while",
    "resume": "end a pause",
    "logs": "what agents said",
    "workspace": "where tasks are worked on",
    "log": "the audit trail",
    "stats": "what agents used, and what it cost",
    "why": "which task is behind a line of code",
    "blame": "who made a task what it is",
    "undo": "take the last change back",
    "verify": "does the history keep to the rules?",
    "config": "read and change settings",
    "hooks": "let Git itself ask orchgit",
    "check": "are the files of .orchestry/ what they should be?",
    "doctor": "what keeps a team from working, and what to do about it",
    "mcp": "serve the team over the Model Context Protocol",
    "skill": "teach other agents to use the team",
    "import": "bring a project of ORCH over",
    "tui": "a terminal interface: not yet",
    "update": "how this orchgit is brought up to date",
}

_CALLED = {"import": "importing"}  # what Python can't call so


class Commands(click.Group):
    """The table above as a click group."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if name not in COMMANDS:
            return None
        called = _CALLED.get(name, name)
        module = importlib.import_module(f"orchgit.cli.{called}")
        command = getattr(module, called)
        assert isinstance(command, click.Command)
        return everywhere.give(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            nearest.refuse(ctx, args[0], nearest.at_top(args[0], COMMANDS))
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="orchgit %(version)s")
@click.option(
    "-C", "directory", type=click.Path(path_type=Path), default=Path(), help="Act as if started in this folder."
)
@click.pass_context
def orchgit(ctx: click.Context, directory: Path) -> None:
    """A persistent team of coding agents for one Git repository.

    Tasks are Markdown files under .orchestry/, every change of one is a Git commit, and nothing is merged before its
    review.

    \b
    orchgit init
    orchgit agent add fmt --adapter shell --command 'ruff format .'
    orchgit task add "Format the code"
    orchgit run --all
    orchgit task approve tsk_...
    """
    from orchgit.repository import git

    git.forget_other_repositories()
    ctx.obj = directory


orchgit.params += everywhere.options(hidden=False)


def main() -> None:
    """Run the command line. Exit codes: 0 fine, 1 refused, 2 usage, 3 a defect, 130 interrupted."""
    gc.set_threshold(_GARBAGE)
    sys.exit(_run())


def _run() -> int:
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115 - who closed it wants to read nothing
    try:
        result: Any = orchgit.main(prog_name=Path(sys.argv[0]).name or "orchgit", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message())
        return 0
    except click.ClickException as error:
        error.show()
        if isinstance(error, click.NoSuchOption) and error.ctx and _takes_words(error.ctx.command):
            click.echo(f"Words that begin with - go behind --: {error.ctx.command_path} -- '-...'", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _complain("Interrupted.", "", INTERRUPTED)
    except OrchgitError as error:
        return _complain(error.what, error.next_step, error.exit_code)
    except (BrokenPipeError, SystemExit):  # click's own way to say that whoever read us has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
        return 0
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        return _complain(
            f"{error.strerror or error}{where}", "Nothing was lost; mend that and run the command again.", REFUSED
        )
    except Exception as error:  # noqa: BLE001 - the one boundary where a defect ends
        return _complain(
            f"This is a defect in orchgit: {type(error).__name__}: {error}", f"The traceback is in {_log()}.", DEFECT
        )
    return result if isinstance(result, int) else 0


def _takes_words(command: click.Command) -> bool:
    return any(isinstance(each, click.Argument) for each in command.params)


def _complain(what: str, next_step: str, code: int) -> int:
    click.echo(f"orchgit: {what}" + (f"\n{next_step}" if next_step else ""), err=True)
    return code


def _log() -> Path:
    """Write the traceback where its reader finds it, and return the place."""
    import tempfile
    import traceback

    from orchgit.repository import find

    place = Path(tempfile.gettempdir()) / "orchgit.log"
    with suppress(OrchgitError, OSError):
        layout: Layout = find.locate(Path()).layout
        layout.local.mkdir(exist_ok=True)
        place = layout.log
    with place.open("a", encoding="utf-8") as file:
        file.write(f"{' '.join(sys.argv)}\n{traceback.format_exc()}\n")
    return place


if __name__ == "__main__":
    main()
