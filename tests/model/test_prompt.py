from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from orchgit.model import prompt
from orchgit.model.errors import InvalidFileError
from orchgit.repository import resources

MINIMAL: dict[str, Any] = {
    "project": {"name": "", "base": "main"},
    "agent": {"name": "backend", "role": "", "model": ""},
    "task": {
        "id": "tsk_1", "title": "Add it", "priority": 3, "labels": [], "branch": "orchgit/tsk_1-add-it",
        "description": "", "feedback": "",
    },
    "attempt": 1,
    "max_attempts": 3,
    "workspace_path": "/trees/tsk_1",
    "workspace_mode": "worktree",
}  # fmt: skip
FULL: dict[str, Any] = {
    **MINIMAL,
    "project": {"name": "Shop", "base": "main"},
    "agent": {"name": "backend", "role": "You write Python.\n\nWell.", "model": "opus"},
    "task": {
        **MINIMAL["task"], "description": "Add <b>it</b>, as {{ agent.name }} would:\n\n{% raw %}",
        "feedback": "**Ada, 2026-11-22:** {{ nope }} & more",
    },
    "attempt": 2,
}  # fmt: skip
HOW = """\
## How to work here

- This folder is a Git worktree made for this task alone, on the branch orchgit/tsk_1-add-it. \
Change files here and nowhere else.
- Commit as you go if you like; whatever is left uncommitted when you end is committed for you.
- When you end well your work waits for review. A person approves and merges it; you can't.
- `orchgit task show tsk_1` shows this task, `orchgit task list` the others.
"""
MINIMAL_TEXT = f"""\
You are backend, an agent of this project.

# Task tsk_1: Add it

No more is written than the title says.

{HOW}"""
FULL_TEXT = f"""\
You are backend, an agent of the project Shop.

You write Python.

Well.

# Task tsk_1: Add it

Add <b>it</b>, as {{{{ agent.name }}}} would:

{{% raw %}}

## Feedback from review

An earlier attempt was sent back. What must change:

**Ada, 2026-11-22:** {{{{ nope }}}} & more

This is attempt 2 of 3. What earlier attempts left is still in this folder.

{HOW}"""


@pytest.mark.parametrize(("values", "text"), [(MINIMAL, MINIMAL_TEXT), (FULL, FULL_TEXT)], ids=["minimal", "full"])
def test_the_prompt_that_comes_with_orchgit(values: dict[str, Any], text: str) -> None:
    before = deepcopy(values)
    assert prompt.render(resources.template("prompt.md"), values) == text
    assert values == before


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("words", "words"),
        ("words\n\n", "words\n\n"),
        ("{{ task.title }}\n", "Add it\n"),
        ("{% for each in task.labels %}\n- {{ each }}\n{% else %}\nnone\n{% endfor %}\n", "none\n"),
        ("  {% if attempt == 1 %}\nfirst\n  {% endif %}\n", "first\n"),
        (
            "{{ task.branch or 'none' }} of {{ max_attempts }}, {{ project.base|upper }}",
            "orchgit/tsk_1-add-it of 3, MAIN",
        ),
        ("{{ nope is defined }} {{ nope|default('-') }}", "False -"),
    ],
)
def test_a_template_is_filled_in(template: str, text: str) -> None:
    assert prompt.render(template, MINIMAL) == text


@pytest.mark.parametrize(
    ("template", "line", "reason"),
    [
        ("a\n\n{{ nope }}", 3, "the prompt template fails: 'nope' is undefined"),
        ("a\r\n{{ nope }}", 2, "the prompt template fails: 'nope' is undefined"),
        ("{% if attempt %}\n{{ task.nope }}\n{% endif %}", 2,
         "the prompt template fails: 'dict object' has no attribute 'nope'"),
        ("\n{% if nope %}{% endif %}", 2, "the prompt template fails: 'nope' is undefined"),
        ("a\n{% if %}", 2, "the prompt template can't be read: Expected an expression, got 'end of statement block'"),
        ("a\n\n{{ task.title", 3,
         "the prompt template can't be read: unexpected end of template, expected 'end of print statement'."),
        ("{{ 'a' }\n", 1, "the prompt template can't be read: unexpected '}'"),
        ("\n{{ attempt / 0 }}", 2, "the prompt template fails: division by zero"),
        ("\n{{ task.labels.pop() }}", 2, "the prompt template fails: pop from empty list"),
        ("\n{{ 'x' * 10 ** 18 }}", 2, "the prompt template fails: MemoryError"),
        ("\n{{ 'é'.encode('none') }}", 2, "the prompt template fails: unknown encoding: none"),
        ("\n{{ cycler() }}", 2, "the prompt template fails: at least one item has to be provided"),
        ("a\n{% include 'x' %}", 2, "the prompt template fails: no loader for this environment specified"),
        ("{% macro m() %}{{ m() }}{% endmacro %}\n{{ m() }}", 1,
         "the prompt template fails: maximum recursion depth exceeded"),
    ],
)  # fmt: skip
def test_a_template_that_fails_names_the_line(template: str, line: int, reason: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        prompt.render(template, MINIMAL)
    assert str(caught.value).startswith(f"prompt.md:{line}: {reason}")


def test_the_error_names_the_file_that_was_rendered() -> None:
    with pytest.raises(InvalidFileError, match=r"^templates/prompt\.md:1: "):
        prompt.render("{{ nope }}", MINIMAL, path="templates/prompt.md")


@pytest.mark.parametrize(
    "expression",
    [
        "''.__class__",
        "''['__class__']",
        "''|attr('__class__')",
        "task.__class__.__mro__",
        "task['title'].__init__.__globals__",
        "self.__init__.__globals__",
        "joiner.__init__.__globals__",
        "lipsum.__globals__",
        "cycler.__init__.__globals__.os",
        "'{0.__class__}'.format(1)",
        "'{x.__class__}'.format_map({'x': 1})",
        "('a'|map('upper')).gi_frame",
        "task.items.__self__",
        "range(10 ** 9)|list",
    ],
)
def test_nothing_gets_out_of_the_sandbox(expression: str) -> None:
    with pytest.raises(InvalidFileError, match=r"is unsafe|sandbox blocks"):
        prompt.render(f"{{{{ {expression} }}}}", MINIMAL)
