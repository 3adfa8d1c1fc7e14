"""What people ask of agents, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.engine import agents
from orchgit.model import yamltext
from orchgit.model.errors import InvalidFileError, NotFoundError, RefusedError, UsageError
from tests.engine.team import ADA
from tests.support import repos

if TYPE_CHECKING:
    from tests.engine.team import Team


def text(team: Team, path: str = "agents/bot.md") -> str:
    return (team.layout.state / path).read_text()


def test_a_file_with_settings_and_a_role(team: Team) -> None:
    settings: agents.Settings = {
        "adapter": "shell",
        "command": "make all",
        "env": {"KEY": "$API_KEY"},
        "max_retries": 1,
    }
    made = agents.add(team.layout, ADA, "bot", settings, role="You fix things.\n")
    assert (made.name, made.role, made.env, made.enabled) == ("bot", "You fix things.", (("KEY", "$API_KEY"),), True)
    assert text(team).startswith("---\nadapter: shell\ncommand: make all\nenv:")
    assert text(team).endswith("max_retries: 1\n---\nYou fix things.\n")
    assert repos.subjects(team.layout.state)[0] == "agent(bot): created"
    assert team.is_sound()


@pytest.mark.parametrize(
    ("name", "settings", "error", "why"),
    [
        ("bot", {"command": "x"}, RefusedError, "There is an agent bot already"),
        ("../evil", {"command": "x"}, UsageError, "'../evil' is not a name"),
        ("-n", {"command": "x"}, UsageError, "'-n' is not a name"),
        ("new", {"adapter": "shell"}, RefusedError, "a shell agent needs a `command`"),
        ("new", {"adapter": "telepathy"}, RefusedError, "has the adapter 'telepathy', which this orchgit doesn't know"),
        ("new", {"command": "x", "timeout_ms": 0}, InvalidFileError, "agents/new.md:3: timeout_ms: 0 is not a whole"),
        ("new", {"command": "x", "env": {"1": "x"}}, InvalidFileError, "is not the name of an environment variable"),
    ],
)
def test_what_could_never_start_is_refused(
    team: Team, name: str, settings: agents.Settings, error: type[Exception], why: str
) -> None:
    team.agent("true")
    with pytest.raises(error, match=why):
        agents.add(team.layout, ADA, name, settings)
    assert list(team.state.agents) == ["bot"]


def test_an_edit_changes_its_lines_alone(team: Team) -> None:
    file = "---\n# mine\nadapter: shell\ncommand: 'true'   # quick\ntimeout_ms: 5\n---\nRole.\n"
    repos.commit(team.layout.state, {"agents/bot.md": file}, "by hand")
    after = agents.edit(team.layout, ADA, "bot", {"timeout_ms": yamltext.REMOVE, "enabled": False})
    assert (after.timeout_ms, after.enabled) == (None, False)
    assert text(team) == file.replace("timeout_ms: 5\n", "enabled: false\n")
    agents.edit(team.layout, ADA, "bot", {}, role="Another.")
    assert text(team).endswith("---\nAnother.\n")
    with pytest.raises(RefusedError, match="needs a `command`"):
        agents.edit(team.layout, ADA, "bot", {"command": yamltext.REMOVE})
    with pytest.raises(NotFoundError, match=r"There is no agent 'who'"):
        agents.edit(team.layout, ADA, "who", {})


def test_a_yaml_file_is_edited_in_place_too(team: Team) -> None:
    file = "adapter: shell  # mine\ncommand: 'true'\nrole: |\n  You fix\n  things.\n"
    repos.commit(team.layout.state, {"agents/bot.yaml": file}, "by hand")
    after = agents.edit(team.layout, ADA, "bot", {"max_retries": 2}, role="Another.")
    assert (after.max_retries, after.role) == (2, "Another.")
    assert text(team, "agents/bot.yaml").startswith("adapter: shell  # mine\ncommand: 'true'\n")


def test_a_file_that_changed_while_somebody_typed_is_not_overwritten(team: Team) -> None:
    team.agent("true")
    base = text(team)
    agents.edit(team.layout, ADA, "bot", {"max_retries": 2})
    with pytest.raises(RefusedError, match=r"agents/bot.md was changed by somebody else meanwhile"):
        agents.rewrite(team.layout, ADA, "bot", base=base, typed=base + "Role.\n")
    now = text(team)
    assert agents.rewrite(team.layout, ADA, "bot", base=now, typed=now + "Role.\n").role == "Role."
    with pytest.raises(InvalidFileError, match=r"agents/bot.md:2: adapter"):
        agents.rewrite(team.layout, ADA, "bot", base=text(team), typed="---\nadapter: []\n---\n")


def test_removed_and_what_is_at_work_is_not(team: Team) -> None:
    team.agent("sleep 300")
    task = team.add()
    team.tick()
    with pytest.raises(RefusedError, match=f"bot is working on {task}") as refusal:
        agents.remove(team.layout, ADA, "bot")
    assert f"orchgit task cancel {task}" in refusal.value.next_step
    team.cancel(task)
    agents.remove(team.layout, ADA, "bot")
    assert team.state.agents == {}
    assert repos.subjects(team.layout.state)[0] == "agent(bot): removed"
