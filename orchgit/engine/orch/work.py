"""Tasks of ORCH as files of this state branch, and the steps that lead to where they stood, as far as that is legal."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from orchgit.engine.orch import forms, names
from orchgit.model import document, fields, ids, task
from orchgit.model.dataclass import dataclass
from orchgit.repository import attachments, git

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.engine.orch.folder import Entry
    from orchgit.engine.orch.names import Names

_DIRECT: Final = (
    "priority", "labels", "scope", "review_criteria", "max_attempts", "workspace_mode", "timeout_ms",
    "stall_timeout_ms", "max_turns",
)  # fmt: skip


class Then(Enum):
    """What is done to a task once it is made, each step as the lifecycle has it."""

    NOTHING = "nothing"
    CANCEL = "cancel"
    TAKE = "take"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Work:
    """A task's file, what comes with it, and what is done to it; `tip` is its commit that the base branch has."""

    id: str
    path: str
    text: str
    title: str
    then: Then = Then.NOTHING
    tip: str = ""
    closed: str = ""
    attached: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a task is looked at against: ORCH's folder, the repository, and the base branch's commit."""

    root: Path
    repository: Path
    base: str
    branch: str

    def tip(self, name: Any) -> str | None:
        """Return the commit of the branch that a task's proof names, where it is still there."""
        return git.commit_of(f"refs/heads/{name}", cwd=self.repository) if isinstance(name, str) and name else None

    def has(self, tip: str) -> bool:
        return git.is_ancestor(tip, self.base, cwd=self.repository)


def unproven(entries: list[Entry], ground: Ground) -> set[str]:
    """Return the tasks that were done there by no commit that the base branch has."""
    return {
        names.key_of(entry)
        for entry in entries
        if entry.values.get("status") == "done" and not ((tip := ground.tip(_branch(entry.values))) and ground.has(tip))
    }


def task_file(
    entry: Entry, known: Names, over: set[str], ground: Ground, notes: list[str], *, team: str | None = None
) -> Work:
    """Return a task as it is here; ValueError where it has no title.

    `over` are the tasks that were done there and can't be here, `team` has it in its pool.
    """
    form = forms.begin(entry, notes)
    identifier = known.tasks[names.key_of(entry)]
    form.known("id", identifier)
    title = forms.title(form)
    form.keys = {"id": identifier, "title": title, "status": "todo"}
    forms.assign(form, known, else_to=team)
    for key in _DIRECT:
        form.set(key, form.take(key), task.READERS[key])
    goal = form.take("goalId") or form.take("goal_id") or form.take("goal")
    form.set("goal", known.goals.get(goal, goal) if isinstance(goal, str) else goal, fields.name, was="goalId")
    then, tip = _standing(form, ground)
    _depend(form, known, over)
    form.set("created", form.take("created_at"), fields.moment, was="created_at")
    attached = _attached(form, ground)
    said = form.take("feedback")
    text = form.text(str(form.take("description") or ""))
    for words in said if isinstance(said, list) else [said] if said else []:
        quoted = "\n".join(f"> {line}".rstrip() for line in str(words).splitlines())
        text = document.append_to_section(text, task.FEEDBACK, f"**ORCH:**\n\n{quoted}")
    path = f"{task.FOLDER}/{ids.named(identifier, title)}.md"
    return Work(identifier, path, text, title, then, tip, str(form.left.get("updated_at") or ""), attached)


def _branch(values: dict[str, Any]) -> Any:
    proof = values.get("proof")
    return proof.get("branch") if isinstance(proof, dict) else None


def _standing(form: forms.Form, ground: Ground) -> tuple[Then, str]:
    """Return which steps lead to where the task stood, or to the nearest place that is legal, which is told."""
    was = form.left.get("status")
    branch = _branch(form.left)
    tip = ground.tip(branch)
    by_hand = f"it is yours now, and `orchgit task submit {form.keys['id']} --commit {branch}` hands in its work"
    match was:
        case "todo":
            form.take("status")
            return Then.NOTHING, ""
        case "cancelled":
            form.take("status")
            return Then.CANCEL, ""
        case "done" if tip is not None and ground.has(tip):
            form.take("status")
            return Then.FINISH, tip
        case "done" | "review" if tip is not None:
            form.tell(f"was {was}, on the branch {branch}, which {ground.branch} doesn't have: {by_hand}")
            return Then.TAKE, ""
        case "done":
            form.tell("was done, by no commit that could be found: cancelled here, so that nobody does it again")
            return Then.CANCEL, ""
        case "failed":
            form.tell(f"had failed: cancelled here; `orchgit task retry {form.keys['id']}` starts it over")
            return Then.CANCEL, ""
        case "in_progress" | "retrying" | "review":
            form.tell(f"was {was}, which no run or commit here bears out: todo")
            return Then.NOTHING, ""
        case None:
            form.tell("has no status: todo")
            return Then.NOTHING, ""
        case _:
            form.tell(f"the status {fields.shown(was)} is none that is known: todo")
            return Then.NOTHING, ""


def _depend(form: forms.Form, known: Names, over: set[str]) -> None:
    """Take over what it depends on; what was done there but can't be here would hold it up for good."""
    listed = form.take("depends_on")
    wanted = [str(each) for each in listed] if isinstance(listed, list) else [str(listed)] if listed else []
    there = [each for each in wanted if each in over]
    odd = [each for each in wanted if each not in over and each not in known.tasks and not ids.is_id(each, ids.TASK)]
    form.set("depends_on", [known.tasks.get(each, each) for each in wanted if each not in (*there, *odd)], fields.words)
    if there or odd:
        form.left["depends_on"] = wanted
    if there:
        form.tell(f"no longer waits for {', '.join(there)}, done there")
    if odd:
        form.tell(f"depends_on: {', '.join(odd)} is no task's id; kept under `{forms.KEPT}:`")


def _attached(form: forms.Form, ground: Ground) -> dict[str, bytes]:
    """Return the files that are attached to it; what is gone, too large or elsewhere is told, and its name kept."""
    found: dict[str, bytes] = {}
    lost: list[Any] = []
    listed = form.take("attachments")
    for each in listed if isinstance(listed, list) else [listed] if listed else []:
        word = each.get("path") if isinstance(each, dict) else each
        place = _within(str(word), ground)
        name = place.name.lstrip(".-") or "file" if place else ""
        if place is None or place.stat().st_size > attachments.MOST or name in found or attachments.is_gits(name):
            lost.append(each)
            form.tell(f"the attachment {fields.shown(word)} is no file of the project up to 5 MiB: its name is kept")
        else:
            found[name] = place.read_bytes()
    if lost:
        form.left["attachments"] = lost
    return found


def _within(word: str, ground: Ground) -> Path | None:
    """Return the file that was attached, where it lies in ORCH's folder or its project."""
    roots = [root.resolve() for root in (ground.root, ground.root.parent, ground.repository)]
    for root in roots:
        try:
            place = (root / word).resolve()
            if (
                place.is_file()
                and any(place.is_relative_to(each) for each in roots)
                and not any(map(attachments.is_gits, place.parts))
            ):
                return place
        except (OSError, ValueError):
            continue
    return None
