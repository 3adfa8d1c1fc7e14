"""The state: how it lies in `.orchestry/`, what can be read of it, and how it stands to remotes and the clock."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING

from orchgit.engine import check, mending
from orchgit.engine.doctor.finding import Finding, Level, of_error
from orchgit.model import config, document, misspelt, prompt
from orchgit.model.errors import InvalidFileError, RefusedError
from orchgit.repository import (
    exclude,
    find,
    git,
    index,
    judged,
    ledger,
    loose,
    mount,
    objects,
    preflight,
    states,
    store,
)
from orchgit.repository.layout import STATE_BRANCH, STATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.engine.doctor.finding import Scene
    from orchgit.repository.layout import Layout

_NAMED = 10  # files; the rest is counted
_AHEAD = 300  # seconds that a clock may be behind without anybody noticing


def mounted(scene: Scene) -> Iterator[Finding]:
    layout = scene.layout
    try:
        preflight.check_place(layout)
    except RefusedError as error:
        yield of_error(error, "The state's files can't lie there, and no command works.")
        return
    if not find.mounted(layout):
        what = f"{layout.state} is not there, or not the state branch's worktree any more."
        fix = "Any command mounts it again from the branch; what was typed there stays."
        yield Finding(Level.WARNING, what, "", fix, partial(_mount, layout))
        return
    yield from _index(layout)
    for what in mending.unfinished(index.git_dir(layout)):
        words = what.removeprefix("it left ").removesuffix(" unfinished")
        yield Finding(
            Level.WARNING,
            f"In {STATE_FOLDER}/ {words} is under way.",
            "What it has not finished is not in force, and changes of files in conflict are refused.",
            f"`git -C {STATE_FOLDER} status` says how to go on.",
        )
    if git.call("check-ignore", "--quiet", STATE_FOLDER, cwd=layout.root).code == 1:
        what = f"Git doesn't ignore {STATE_FOLDER}/ in {layout.root}: its line in .git/info/exclude is gone."
        fix = f"Add the line /{STATE_FOLDER}/ to it."
        yield Finding(
            Level.WARNING, what, "`git status` shows it, and `git add` may take it.", fix, partial(_hide, layout)
        )


def _index(layout: Layout) -> Iterator[Finding]:
    if git.call("ls-files", "-z", cwd=layout.state).code != 0:
        own = index.git_dir(layout)
        what = f"The index of {STATE_FOLDER}/ can't be read: {own / 'index'}."
        fix = "Move that file elsewhere; the next command makes it anew from the branch."
        yield Finding(Level.ERROR, what, "Git's commands fail there.", fix, partial(_renew_index, layout))


def _mount(layout: Layout) -> str:
    mount.mount(layout)
    return f"mounted {layout.state} again"


def _hide(layout: Layout) -> str:
    exclude.add(layout)
    return "added the line"


def _renew_index(layout: Layout) -> str:
    own = index.git_dir(layout)
    aside = own / f"index.broken-{secrets.token_hex(3)}"
    (own / "index").rename(aside)
    mount.mount(layout)
    return f"made a new one; the broken one is {aside}"


def journal(scene: Scene) -> Iterator[Finding]:
    layout = scene.layout
    if find.mounted(layout) and index.is_left(layout):
        what = "A command died while it wrote the state."
        fix = "Any command that opens the project finishes what it began."
        yield Finding(Level.WARNING, what, "Files or index may lag behind the branch.", fix, partial(_mend, layout))


def _mend(layout: Layout) -> str:
    ledger.mend(layout)
    if index.is_left(layout):
        raise RefusedError("That write can't be finished now.", "The next command that writes says why.")
    return "finished that write"


def files_read(scene: Scene) -> Iterator[Finding]:
    for error in scene.state.broken[:_NAMED]:
        level = Level.ERROR if error.path == config.PATH else Level.WARNING
        meaning = "The team doesn't start." if level is Level.ERROR else "It is in nobody's list."
        yield Finding(level, error.what, meaning, error.next_step or f"Mend it in {STATE_FOLDER}/, and commit that.")
    if more := len(scene.state.broken[_NAMED:]):
        yield Finding(Level.WARNING, f"{more} more files can't be read.", "", "`orchgit check` names all of them.")
    for error in loose.faults(scene.layout, scene.state.tip):
        yield of_error(error, "It is told to nobody.", level=Level.WARNING)
    yield from _templates(scene)


def _templates(scene: Scene) -> Iterator[Finding]:
    """Look at the prompt templates as the next run has them: what lies there is committed before it."""
    layout = scene.layout
    lying = set(filter(states.is_template, check.uncommitted(layout))) if find.mounted(layout) else set()
    for path in sorted({*filter(states.is_template, scene.state.items), *lying}):
        place = layout.state / path
        if path in lying and not place.is_file():
            continue
        try:
            text = (
                document.decode(path, place.read_bytes())
                if path in lying
                else store.text(layout, scene.state.tip, path)
            )
            prompt.check(text, path=path)
            if "messages" not in text:
                fix = "See docs/prompts.md for the name `messages`."
                yield Finding(Level.INFO, f"{path} doesn't carry messages.", "They wait until agents look.", fix)
        except InvalidFileError as error:
            yield of_error(error, "Each run that is given this prompt fails.")


def keys(scene: Scene) -> Iterator[Finding]:
    paths = sorted(filter(misspelt.known, scene.state.items))
    blobs = objects.blobs((scene.state.items[path][0] for path in paths), cwd=scene.layout.common)
    for path, data in zip(paths, blobs, strict=True):
        for each in misspelt.keys(path, data.decode("utf-8", errors="replace")):
            yield Finding(Level.WARNING, str(each), "What it says counts for nothing.", "Keys of your own may stay.")


def edits(scene: Scene) -> Iterator[Finding]:
    refused = [each.error for each in judged.read(scene.layout).values() if each.reason]
    for error in refused[:_NAMED]:
        yield of_error(error, "It was refused: it stays as typed, and is not in force.", level=Level.WARNING)
    said = {error.path for error in refused}
    uncommitted = check.uncommitted(scene.layout, widely=True) if find.mounted(scene.layout) else ()
    found = [path for path in uncommitted if path not in said]
    own = [path for path in found if states.belongs(path) or loose.belongs(path)]
    others = [path for path in found if path not in own]
    if own:
        what = f"In {STATE_FOLDER}/ not all is committed: {_shown(own)}."
        meaning = "The next command that has to do with it, or the next run, commits it; from then on it is in force."
        yield Finding(Level.INFO, what, meaning, "`orchgit check` says what would be refused.")
    if others:
        what = f"In {STATE_FOLDER}/ lies what is none of orchgit's own: {_shown(others)}."
        fix = f"`git -C {STATE_FOLDER} commit` commits it."
        yield Finding(Level.INFO, what, "It stays as it is, uncommitted: that is yours to do.", fix)


def _shown(paths: list[str]) -> str:
    return ", ".join(paths[:_NAMED]) + (f" and {len(paths) - _NAMED} more" if paths[_NAMED:] else "")


def remotes(scene: Scene) -> Iterator[Finding]:
    """Compare with what was fetched last: nothing is asked over the network."""
    layout = scene.layout
    pattern = f"refs/remotes/*/{STATE_BRANCH}"
    known = git.text("for-each-ref", "--format=%(refname:lstrip=2)", pattern, cwd=layout.common)
    for name in known.splitlines():
        ours, theirs = git.text(
            "rev-list", "--left-right", "--count", f"{scene.state.tip}...refs/remotes/{name}", "--", cwd=layout.common
        ).split()
        if ours != "0" or theirs != "0":
            remote = name.removesuffix(f"/{STATE_BRANCH}")
            pull = f"`git -C {STATE_FOLDER} pull --no-rebase {remote} {STATE_BRANCH}` brings theirs"
            push = f"`git push {remote} {STATE_BRANCH}` sends yours"
            yield Finding(
                Level.INFO,
                f"{ours} commits of the state are not in {name}, {theirs} of its are not here.",
                "That is as of the last fetch or push; the team there sees another state.",
                "; ".join(how for how, count in ((pull, theirs), (push, ours)) if count != "0") + ".",
            )


def clock(scene: Scene) -> Iterator[Finding]:
    import time

    made = int(git.text("log", "-1", "--format=%ct", scene.state.tip, "--", cwd=scene.layout.common))
    ahead = made - int(time.time())
    if ahead > _AHEAD:
        yield Finding(
            Level.WARNING,
            f"The newest commit of the state is from {ahead // 60} minutes in the future.",
            "Waits for retries, and the order of what happened, go by the clock.",
            "Set this machine's clock, or that of whoever made it.",
        )
