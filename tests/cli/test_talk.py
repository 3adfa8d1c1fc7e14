"""`orchgit context` and `orchgit msg`, as people type them, and as agents do from where they work."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import repos
from tests.support.cli import ok, on_terminal, type_

if TYPE_CHECKING:
    from pathlib import Path

BYTES = b"one\r\ntwo \xc3\xbc\n\n---\nno end"


def raw(where: Path, *args: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(
        [sys.executable, "-m", "orchgit", *args], cwd=where, input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_value_comes_back_byte_for_byte(project: Path, tmp_path: Path) -> None:
    (tmp_path / "value").write_bytes(BYTES)
    ok(project, "context", "set", "a", "--file", str(tmp_path / "value"))
    raw(project, "context", "set", "b", "-", stdin=BYTES)
    raw(project, "context", "set", "c", "--file", "-", stdin=BYTES)
    for key in "abc":
        assert raw(project, "context", "get", key) == BYTES
        assert (project / ".orchestry" / "context" / f"{key}.md").read_bytes() == BYTES
    assert ok(project, "context", "get", "a", "--json").data["value"].encode() == BYTES


def test_on_a_terminal_a_value_ends_its_line(project: Path) -> None:
    ok(project, "context", "set", "a", "one")
    assert on_terminal(project, "context", "get", "a") == (0, "one\n")
    ok(project, "context", "set", "a", "one\n")
    assert on_terminal(project, "context", "get", "a") == (0, "one\n")


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("context", "set", "a"), 2, "A key gets one value."),
        (("context", "set", "../a", "x"), 2, "'..' is not a name"),
        (("context", "set", "a", "x", "--ttl", "soon"), 2, "'soon' is not a span of time such as 15m"),
        (("context", "get", "a"), 1, "The context has no 'a'."),
        (("context", "delete", "a"), 1, "The context has no 'a'."),
        (("context", "get", "/etc/passwd"), 2, "is not a name"),
        (("context", "log", "nope"), 1, "The context never had 'nope'."),
        (("context", "get", "nope", "--at", "HEAD"), 1, "The context has no 'nope' at that time."),
        (("msg", "send", "nobody", "x"), 1, "There is nobody called 'nobody'."),
        (("msg", "inbox", "nobody"), 1, "There is nobody called 'nobody'."),
        (("msg", "broadcast", "x"), 1, "There is nobody to send it to."),
        (("msg", "send", "Ada Lovelace", " "), 1, "The message says nothing."),
        (("msg", "read", "msg_nothing"), 1, "There is no message 'msg_nothing'."),
        (("msg", "send", "Ada Lovelace", "x", "-s", "a\nb"), 1, "subject must be one line"),
        (("msg", "send", "Ada Lovelace", "x" * 40_000), 1, "a message 32,768 at most"),
        (("msg", "send", "Ada Lovelace", "x", "--reply-to", "msg_nope"), 1, "There is no message 'msg_nope'."),
        (("msg", "send", "Ada Lovelace", "x", "--from", "ghost"), 1, "There is nobody called 'ghost'."),
        (("msg", "broadcast", "x", "--from", "ghost"), 1, "There is nobody called 'ghost'."),
    ],
)
def test_what_can_not_be_done_is_said(project: Path, args: tuple[str, ...], code: int, said: str) -> None:
    found = type_(project, *args)
    assert found.code == code
    assert said in found.err


def test_a_list_shows_how_long_values_begin(project: Path, tmp_path: Path) -> None:
    (tmp_path / "long").write_text("x" * 300_000)
    ok(project, "context", "set", "long", "--file", str(tmp_path / "long"))
    ok(project, "context", "set", "lines", "one\ntwo\n")
    ok(project, "context", "set", "short", "one\n")
    said = ok(project, "context", "list").out.splitlines()
    assert [line.split()[-1] for line in said[1:]] == ["one...", f"{'x' * 80}...", "one"]
    listed = {each["key"]: each for each in ok(project, "context", "list", "--json").data}
    assert (len(listed["long"]["value"]), listed["long"]["bytes"], listed["long"]["is_cut"]) == (1_000, 300_000, True)
    assert (listed["lines"]["value"], listed["lines"]["is_cut"]) == ("one\ntwo\n", False)
    assert len(ok(project, "context", "get", "long", "--json").data["value"]) == 300_000


def test_times_at_which_values_end_are_the_clocks(project: Path) -> None:
    said = ok(project, "context", "set", "a", "x", "--ttl", "1s")
    until = said.out.partition("until ")[2].rstrip(".\n")
    refused = type_(project, "context", "get", "a")
    while refused.code == 0:
        refused = type_(project, "context", "get", "a")
    assert refused.err.startswith(f"orchgit: a held its value until {until}.\n")


def test_the_past_can_be_asked(project: Path) -> None:
    ok(project, "context", "set", "a", "one", "--ttl", "1ms")
    ok(project, "context", "set", "a", "two")
    assert ok(project, "context", "get", "a").out == "two"
    assert ok(project, "context", "get", "a", "--at", "HEAD~1").out == "one"
    assert [each["value"] for each in ok(project, "context", "list", "--at", "HEAD~1", "--json").data] == ["one"]
    ok(project, "msg", "send", "Ada Lovelace", "x")
    ok(project, "msg", "read")
    assert len(ok(project, "msg", "inbox", "--at", "HEAD~1", "--json").data) == 1
    assert ok(project, "msg", "inbox", "--json").data == []


def test_a_persons_messages_are_read_once(project: Path) -> None:
    sent = ok(project, "msg", "send", "ada lovelace", "-", "-s", "Note", stdin="to myself\n").id
    assert sent in ok(project, "msg", "inbox").out
    said = ok(project, "msg", "read").out
    assert "  subject     Note\n\nto myself\n" in "\n".join(line for line in said.split("\n") if "sent " not in line)
    assert ok(project, "msg", "read").out == ""
    assert "to myself" in ok(project, "msg", "read", sent[:7]).out
    assert [each["state"] for each in ok(project, "msg", "list", "--json").data] == ["read"]
    assert ok(project, "verify").code == 0


def test_an_answer_names_a_message_that_there_is(project: Path) -> None:
    ok(project, "agent", "add", "bot", "--command", "true")
    first = ok(project, "msg", "send", "bot", "Sessions?").id
    ok(project, "msg", "read")
    answer = ok(project, "msg", "send", "ada lovelace", "Yes.", "--from", "bot", "--reply-to", first[:8], "--json").data
    assert (answer["from"], answer["by_agent"], answer["reply_to"]) == ("bot", True, first)
    assert ok(project, "msg", "send", "bot", "Good.", "--from", "ADA LOVELACE", "--json").data["from"] == "Ada Lovelace"


def test_a_team_has_no_mailbox_and_is_told_by_broadcast(project: Path) -> None:
    ok(project, "agent", "add", "bot", "--command", "true")
    ok(project, "team", "create", "tm", "--lead", "bot")
    said = type_(project, "msg", "send", "tm", "x")
    assert said.err == (
        "orchgit: tm is a team, and has no mailbox of its own.\n"
        "`orchgit msg broadcast TEXT --team tm` tells each of its members.\n"
    )


def test_who_is_called_what_an_agent_is_takes_none_of_its_messages(project: Path) -> None:
    repos.git(project, "config", "user.name", "i1")
    said = ok(project, "agent", "add", "i1", "--command", "true")
    assert "orchgit: Git calls you i1 too: what is sent to that name goes to the agent" in said.err
    sent = ok(project, "msg", "send", "i1", "For the agent.").id
    for verb in ("read", "inbox"):
        refused = type_(project, "msg", verb)
        assert (refused.code, "these are its messages, and not yours" in refused.err) == (1, True)
    assert sent in ok(project, "msg", "inbox", "i1").out
    assert "For the agent." in ok(project, "msg", "read", sent).out
    assert [each["state"] for each in ok(project, "msg", "list", "--json").data] == ["unread"]
    told = type_(project, "doctor").out
    assert "i1 is an agent, and what Git calls you." in told
    repos.git(project, "config", "user.name", "Ada Lovelace")
    assert "what Git calls you" not in type_(project, "doctor").out


def test_status_tells_who_has_messages_to_read(project: Path) -> None:
    ok(project, "agent", "add", "bot", "--command", "true")
    assert "messages" not in ok(project, "status").out
    ok(project, "msg", "send", "Ada Lovelace", "x")
    ok(project, "msg", "broadcast", "y")
    assert "\nunread messages: Ada Lovelace 1, bot 1\n" in ok(project, "status").out


def test_an_agent_acts_as_itself_from_its_worktree(project: Path) -> None:
    command = (
        "orchgit context set bot/note mine && orchgit context set shared ours; orchgit context set other/note x;"
        " orchgit msg inbox --json > inbox.json; orchgit msg send other 'from bot';"
        " env -u ORCHGIT_AGENT orchgit msg send other 'still bot'; orchgit msg send other x --from Ada || true"
    )
    ok(project, "agent", "add", "bot", "--command", command)
    ok(project, "agent", "add", "other", "--command", "true")
    ok(project, "msg", "send", "Ada Lovelace", "not for bot")
    task = ok(project, "task", "add", "Talk", "--assignee", "bot").id
    ok(project, "run", task)
    assert {each["key"] for each in ok(project, "context", "list", "--json").data} == {"bot/note", "shared"}
    found = ok(project, "msg", "inbox", "other", "--json").data
    assert [(each["from"], each["by_agent"], each["body"]) for each in found] == [
        ("bot", True, "from bot"),
        ("bot", True, "still bot"),
    ]
    logs = ok(project, "logs").out
    assert "other/note is other's own to write." in logs
    assert "bot may not write in the name of Ada." in logs
    authors = repos.git(project, "log", "--format=%an", "-3", "orchestry").splitlines()
    assert authors == ["bot", "bot", "bot"]


def test_a_file_typed_is_taken_over_by_the_next_command_that_asks(project: Path) -> None:
    place = project / ".orchestry" / "context" / "typed.md"
    place.parent.mkdir(exist_ok=True)
    place.write_text("by hand")
    assert ok(project, "context", "get", "typed").out == "by hand"
    place.write_bytes(b"\xff")
    said = ok(project, "context", "list")
    assert "context/typed.md:1: has the byte 0xff, which is no UTF-8. It stays as typed" in said.err
    assert "by hand" in said.out
    assert type_(project, "check").code == 1


def test_a_commit_by_hand_that_changes_a_message_is_refused_by_the_hook(project: Path) -> None:
    ok(project, "msg", "send", "Ada Lovelace", "as it is")
    (path,) = (each["path"] for each in ok(project, "msg", "list", "--json").data)
    (project / ".orchestry" / path).write_text("otherwise")
    repos.git(project / ".orchestry", "add", "--", path)
    said = type_(project, "check", "--staged")
    assert said.code == 1
    assert "a message is written once" in said.err
