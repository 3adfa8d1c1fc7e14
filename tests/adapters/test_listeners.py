"""What the CLIs say beyond the recordings: limits, denials, files, broken lines and broken streams."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchgit import adapters
from orchgit.adapters import claudestream
from orchgit.model import events
from orchgit.model.run import Outcome, Session
from orchgit.model.usage import Usage

if TYPE_CHECKING:
    from orchgit.adapters.protocol import Listener
    from orchgit.model.events import Event

CLIS = ("claude", "codex", "opencode", "cursor")
_KEYS = st.sampled_from([
    "type", "subtype", "message", "content", "usage", "id", "item", "part", "state", "error", "data", "tool_call",
    "session_id", "thread_id", "sessionID", "input_tokens", "modelUsage", "permission_denials", "result", "name",
])  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=5,
)
_TYPES = st.sampled_from([
    "system", "assistant", "user", "result", "rate_limit_event", "thread.started", "item.started", "item.completed",
    "turn.completed", "turn.failed", "error", "step_start", "text", "tool_use", "step_finish", "tool_call", "new",
])  # fmt: skip


def hear(listener: Listener, *said: dict[str, Any]) -> list[Event]:
    return [event for each in said for event in listener.hear("stdout", json.dumps(each))]


def listener(adapter: str, before: Session | None = None) -> Listener:
    return adapters.ADAPTERS[adapter].listener(before)


@pytest.mark.parametrize("adapter", CLIS)
@pytest.mark.parametrize(
    "line",
    ["words", '{"type": "news", "n": 1}', '{"type": 7}', "{}", '{"half": ', "[1]", "null", "{" * 5000, '{"type": "sys'],
)
def test_a_line_that_it_does_not_know_is_kept(adapter: str, line: str) -> None:
    assert listener(adapter).hear("stdout", line) == (events.Raw(line),)
    assert listener(adapter).hear("stdout", "  ") == ()


@pytest.mark.parametrize("adapter", CLIS)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    said=st.lists(st.tuples(_TYPES, st.dictionaries(_KEYS, JSON, max_size=6)), max_size=6), code=st.integers(-15, 255)
)
def test_no_line_ever_breaks_it(adapter: str, said: list[tuple[str, dict[str, Any]]], code: int) -> None:
    found = listener(adapter)
    heard = hear(found, *({**values, "type": kind} for kind, values in said))
    assert all(events.words(each) is not None and json.dumps(events.details(each)) for each in heard)
    assert found.verdict(code).outcome in Outcome


@pytest.mark.parametrize("adapter", CLIS)
@pytest.mark.parametrize(
    ("code", "stderr", "outcome", "words"),
    [
        (0, "", Outcome.FAILED, "ended without a result"),
        (127, "env: node: No such file or directory", Outcome.FATAL, "env: node: No such file or directory"),
        (126, "", Outcome.FATAL, "its CLI was not found or can't be run (exit code 126)"),
        (1, "", Outcome.FAILED, "exit code 1"),
        (1, "error: unknown option '--x'", Outcome.FATAL, "error: unknown option '--x'"),
        (1, "Error: Invalid API key provided", Outcome.FATAL, "Error: Invalid API key provided"),
        (1, "usage limit reached, try again in 2 hours 5 minutes", Outcome.LIMITED, "usage limit reached"),
        (1, "socket hang up", Outcome.FAILED, "exit code 1: socket hang up"),
        (137, "", Outcome.FAILED, "ended by signal 9"),
        (-9, "", Outcome.FAILED, "ended by signal 9"),
    ],
)
def test_one_that_said_nothing_on_stdout(adapter: str, code: int, stderr: str, outcome: Outcome, words: str) -> None:
    found = listener(adapter)
    found.hear("stderr", stderr)
    verdict = found.verdict(code)
    assert (verdict.outcome, words in verdict.reason) == (outcome, True), verdict.reason
    assert verdict.again_in == (7500 if outcome is Outcome.LIMITED else None)


@pytest.mark.parametrize("adapter", CLIS)
def test_plain_words_on_stdout_may_say_why_it_ended(adapter: str) -> None:
    found = listener(adapter)
    found.hear("stdout", "Error: Invalid API key")
    assert (found.verdict(1).outcome, found.verdict(1).reason) == (Outcome.FATAL, "Error: Invalid API key")


class TestClaude:
    INIT: ClassVar = {
        "type": "system",
        "subtype": "init",
        "session_id": "s-1",
        "model": "m",
        "claude_code_version": "2.1.330",
    }
    OVER: ClassVar = {"type": "result", "subtype": "success", "is_error": False, "result": "Done."}

    def call(self, name: str, given: dict[str, Any], call: str = "t1") -> dict[str, Any]:
        block = {"type": "tool_use", "id": call, "name": name, "input": given}
        return {"type": "assistant", "message": {"id": "m1", "content": [block]}}

    def answer(self, text: str, *, inner: bool = False) -> dict[str, Any]:
        message = {"id": f"m-{text}", "model": "m", "content": [{"type": "text", "text": text}]}
        return {"type": "assistant", "message": message, "parent_tool_use_id": "t1" if inner else None}

    def repeated(self, line: str) -> dict[str, Any]:
        """Return how it repeats a message that it was given, once that is in the conversation."""
        return {**json.loads(line), "isReplay": True}

    def test_a_message_was_told_when_the_model_answers_after_it(self) -> None:
        found = claudestream.Listener()
        before = found.takes_messages
        hear(found, self.INIT, self.answer("I begin."))
        assert (before, found.takes_messages) == (False, True)
        line = found.say("run_x msg_y", "Mind the tokens.\n")
        assert line.endswith("}\n")
        assert json.loads(line)["message"] == {"role": "user", "content": "Mind the tokens.\n"}
        asked = json.loads(found.withdraw("run_x msg_y"))
        assert asked["request"] == {"subtype": "cancel_async_message", "message_uuid": json.loads(line)["uuid"]}
        queued = {"type": "command_lifecycle", "command_uuid": json.loads(line)["uuid"], "state": "queued"}
        assert hear(found, queued, self.answer("By a helper.", inner=True))[0] == events.Text("By a helper.")
        assert hear(found, self.repeated(line)) == []
        assert events.Told("run_x msg_y") not in hear(found, self.answer("A helper again.", inner=True))
        assert hear(found, self.answer("I mind them."))[0] == events.Told("run_x msg_y")
        assert events.Told("run_x msg_y") not in hear(found, self.repeated(line), self.answer("Yes."))

    def test_a_message_that_comes_last_has_a_result_of_its_own(self) -> None:
        found = claudestream.Listener()
        models = {"m": {"inputTokens": 100, "outputTokens": 10}}
        used = {"input_tokens": 100, "output_tokens": 10}
        first = {**self.OVER, "modelUsage": models, "usage": used, "total_cost_usd": 0.5}
        both = {**first, "modelUsage": {"m": {"inputTokens": 200, "outputTokens": 20}}, "total_cost_usd": 1.0}
        hear(found, self.INIT, self.answer("I begin."))
        line = found.say("run_x msg_y", "Wait.")
        heard = hear(found, self.answer("Done."), first)
        assert (found.is_over, found.takes_messages, heard[-1]) == (True, False, events.Result("Done."))
        heard += hear(found, self.INIT, self.repeated(line), self.answer("So."), {**both, "result": "I waited."})
        assert events.Told("run_x msg_y") in heard
        assert heard[-1] == events.Result("I waited.", further=True)
        total = sum((each for each in heard if isinstance(each, Usage)), Usage())
        assert (total.input, total.output, total.cost_usd) == (200, 20, 1.0)
        assert found.verdict(0).outcome is Outcome.SUCCEEDED

    def test_several_results_of_a_run_that_goes_on_count_what_is_its_own(self) -> None:
        for version, costs in (("2.1.330", (1.5, 2.0)), ("2.1.197", (0.5, 1.0)), ("2.1.250", (0.8, 1.3))):
            found = claudestream.Listener(Session("s-1", {"cost_usd": 1.0}))
            results = [{**self.OVER, "total_cost_usd": cost} for cost in costs]
            heard = hear(found, {**self.INIT, "claude_code_version": version}, *results)
            spent = sum(each.cost_usd or 0 for each in heard if isinstance(each, Usage))
            assert spent == pytest.approx(1.3 if version == "2.1.250" else 1.0)

    @pytest.mark.parametrize("then", [OVER, {"type": "result", "subtype": "success", "is_error": True, "result": "x"}])
    def test_an_error_stays_one_whatever_comes_after_it(self, then: dict[str, Any]) -> None:
        found = claudestream.Listener()
        hear(found, self.INIT, self.answer("I begin."))
        line = found.say("run_x msg_y", "Wait.")
        errors = {"is_error": True, "errors": ["Reached maximum number of turns (2)"]}
        hear(found, {"type": "result", "subtype": "error_max_turns", **errors})
        assert found.stuck
        heard = hear(found, self.INIT, self.repeated(line), self.answer("So."), then)
        assert events.Told("run_x msg_y") in heard
        verdict = found.verdict(0)
        assert (verdict.outcome, verdict.reason) == (Outcome.OVERSPENT, "Reached maximum number of turns (2)")

    def test_what_nobody_answered_was_told_to_nobody(self) -> None:
        found = claudestream.Listener()
        hear(found, self.INIT, self.answer("I begin."))
        line = found.say("run_x msg_y", "Wait.")
        refused = {"id": "m9", "model": "<synthetic>", "content": [{"type": "text", "text": "API Error: 529"}]}
        heard = hear(found, self.repeated(line), {"type": "assistant", "message": refused})
        assert heard == [events.Warning("API Error: 529")]

    def test_a_file_is_told_of_once_it_is_written(self) -> None:
        found = listener("claude")
        done = {
            "type": "user",
            "message": {"content": [{"type": "tool_result", "tool_use_id": "t1", "is_error": False}]},
        }
        new = {**done, "tool_use_result": {"type": "create"}}
        assert hear(found, self.call("Write", {"file_path": "a.py", "content": "x"}), new) == [
            events.Tool("Write", "a.py"), Usage(turns=1), events.FileChanged("a.py", "added"),
        ]  # fmt: skip
        assert hear(found, self.call("Edit", {"file_path": "a.py"}), done)[-1] == events.FileChanged("a.py")
        failed = {
            "type": "user",
            "message": {"content": [{"type": "tool_result", "tool_use_id": "t1", "is_error": True}]},
        }
        assert events.FileChanged("a.py") not in hear(found, self.call("Edit", {"file_path": "a.py"}), failed)

    def test_what_was_denied_is_told_once_and_noted(self) -> None:
        found = listener("claude")
        denied = {
            "type": "system",
            "subtype": "permission_denied",
            "tool_name": "Bash",
            "tool_use_id": "t1",
            "message": "no",
        }
        denial = {"tool_name": "Bash", "tool_use_id": "t1", "tool_input": {"command": "rm x"}}
        other = {"tool_name": "Write", "tool_use_id": "t2", "tool_input": {"file_path": "b"}}
        heard = hear(
            found, self.call("Bash", {"command": "rm x"}), denied, {**self.OVER, "permission_denials": [denial, other]}
        )
        assert [each for each in heard if isinstance(each, events.Denied)] == [
            events.Denied("Bash", "rm x"), events.Denied("Write", "b"),
        ]  # fmt: skip
        verdict = found.verdict(0)
        assert verdict.outcome is Outcome.SUCCEEDED
        assert verdict.notes == ("it was not allowed to use: Bash: rm x; Write: b",)

    def test_an_interrupt_is_no_success_though_its_exit_code_is_0(self) -> None:
        found = listener("claude")
        hear(found, self.INIT, {"type": "result", "subtype": "success", "is_error": True, "result": "Interrupted"})
        assert (found.verdict(0).outcome, found.verdict(0).reason) == (Outcome.FAILED, "Interrupted")

    def test_a_budget_that_is_used_up(self) -> None:
        found = listener("claude")
        said = {
            "type": "result",
            "subtype": "error_max_budget_usd",
            "is_error": True,
            "errors": ["Reached maximum budget"],
        }
        hear(found, said)
        assert (found.verdict(1).outcome, found.verdict(1).reason) == (Outcome.OVERSPENT, "Reached maximum budget")

    def test_a_limit_that_says_until_when(self) -> None:
        found = listener("claude")
        heard = hear(
            found,
            {**self.INIT, "timestamp": "2026-11-22T13:00:00Z"},
            {"type": "rate_limit_event", "rate_limit_info": {"status": "allowed_warning", "resetsAt": 1}},
            {"type": "rate_limit_event", "rate_limit_info": {
                "status": "rejected", "resetsAt": 1795356000, "rateLimitType": "five_hour"}},
        )  # fmt: skip
        assert heard[1:] == [events.Limited("used up: five hour", 3600)]
        assert found.verdict(143).outcome is Outcome.LIMITED
        hear(found, {"type": "result", "subtype": "success", "is_error": True, "result": "You've hit your limit"})
        verdict = found.verdict(1)
        assert (verdict.outcome, verdict.again_in) == (Outcome.LIMITED, 3600)

    def test_a_limit_whose_words_say_until_when(self) -> None:
        found = listener("claude")
        words = "Claude AI usage limit reached|1795356000"
        over = {"type": "result", "subtype": "success", "is_error": True, "result": words}
        hear(found, {**self.INIT, "timestamp": "2026-11-22T13:59:00Z"}, over)
        assert (found.verdict(1).outcome, found.verdict(1).again_in) == (Outcome.LIMITED, 60)

    def test_one_that_went_on_answering_hit_no_limit(self) -> None:
        found = listener("claude")
        hear(found, {"type": "system", "subtype": "api_retry", "error_status": 529, "error": "overloaded"})
        hear(found, self.call("Bash", {"command": "x"}))
        assert found.verdict(-15).outcome is Outcome.FAILED

    @pytest.mark.parametrize(
        ("version", "cost", "expected"),
        [("2.1.330", 0.05, 0.02), ("2.1.197", 0.02, 0.02), ("2.1.100", 0.05, 0.05), ("2.1.250", 0.02, 0.02)],
    )
    def test_the_cost_is_the_runs_own_whatever_the_version(self, version: str, cost: float, expected: float) -> None:
        found = listener(
            "claude", Session("s-1", {"input": 10, "output": 5, "cache": 0, "thinking": 0, "cost_usd": 0.03})
        )
        heard = hear(found, {**self.INIT, "claude_code_version": version}, {**self.OVER, "total_cost_usd": cost})
        (used,) = (each for each in heard if isinstance(each, Usage))
        assert used.cost_usd == pytest.approx(expected)
        assert found.session is not None
        assert found.session.counters["cost_usd"] == pytest.approx(0.03 + expected)

    def test_calls_that_its_messages_leave_out_are_counted_and_none_twice(self) -> None:
        """A run that was killed has told of its messages; they are in the session's counters already."""
        usage = {"input_tokens": 100, "output_tokens": 1}
        message = {"type": "assistant", "message": {"id": "m1", "model": "m", "content": [], "usage": usage}}
        killed = listener("claude")
        assert hear(killed, self.INIT, message, message)[1:] == [Usage(100, 1, turns=1)]
        found = listener("claude", killed.session)
        models = {"m": {"inputTokens": 230, "outputTokens": 60, "thinkingTokens": 10}, "helper": {"inputTokens": 7}}
        heard = hear(found, self.INIT, message, {**self.OVER, "modelUsage": models, "usage": usage})
        total = sum((each for each in heard if isinstance(each, Usage)), Usage())
        assert (total.input, total.output + total.reasoning, total.turns) == (137, 59, 1)

    def test_a_session_that_knows_nothing_of_a_run_that_was_killed(self) -> None:
        def over(tokens: int, cost: float) -> dict[str, Any]:
            models = {"m": {"inputTokens": tokens, "outputTokens": tokens}}
            used = {"input_tokens": 100, "output_tokens": 100}
            return {**self.OVER, "modelUsage": models, "usage": used, "total_cost_usd": cost}

        killed, message = listener("claude"), {"id": "m1", "model": "m", "content": [], "usage": {"input_tokens": 100}}
        hear(killed, self.INIT, {"type": "assistant", "message": message})
        second = listener("claude", killed.session)
        assert Usage(100, 100, cost_usd=1.0) in hear(second, self.INIT, over(100, 1.0))
        third = listener("claude", second.session)
        assert Usage(130, 130, cost_usd=0.5) in hear(third, self.INIT, over(230, 1.5))

    @pytest.mark.parametrize(("before", "outcome"), [(None, Outcome.FATAL), (Session("s-1"), Outcome.FAILED)])
    def test_a_prompt_that_is_too_long(self, before: Session | None, outcome: Outcome) -> None:
        found = listener("claude", before)
        words = "Prompt is too long"
        hear(
            found,
            self.INIT,
            {"type": "result", "subtype": "success", "is_error": True, "api_error_status": 400, "result": words},
        )
        verdict = found.verdict(1)
        assert (verdict.outcome, verdict.session_lost) == (outcome, before is not None)


class TestCodex:
    def test_files_and_what_was_declined(self) -> None:
        found = listener("codex")
        changes = [{"path": "a", "kind": "add"}, {"path": "b", "kind": "update"}, {"path": "c", "kind": "delete"}]
        item = {"id": "1", "type": "file_change", "changes": changes, "status": "completed"}
        command = {"id": "2", "type": "command_execution", "command": "rm x", "status": "declined"}
        heard = hear(found, *({"type": "item.completed", "item": each} for each in (item, command)))
        assert [each for each in heard if not isinstance(each, Usage)] == [
            events.FileChanged("a", "added"), events.FileChanged("b"), events.FileChanged("c", "deleted"),
            events.Tool("shell", "rm x"), events.Denied("shell", "rm x"),
        ]  # fmt: skip
        hear(found, {"type": "turn.completed", "usage": {}})
        assert found.verdict(0).notes == ("it was not allowed to use: shell: rm x",)

    def test_only_a_failed_turn_is_the_end(self) -> None:
        found = listener("codex")
        hear(found, {"type": "error", "message": "Reconnecting... 1/5 (unexpected status 401 Unauthorized)"})
        hear(found, {"type": "item.completed", "item": {"type": "error", "message": "401 Unauthorized"}})
        hear(found, {"type": "turn.completed", "usage": {"input_tokens": 5}})
        assert found.verdict(0).outcome is Outcome.SUCCEEDED

    @pytest.mark.parametrize(
        ("words", "outcome", "again_in"),
        [
            ("You've hit your usage limit. Try again in 3 days 2 hours 1 minute.", Outcome.LIMITED, 266_460),
            ("You've hit your usage limit. Try again at 5:05 PM.", Outcome.LIMITED, None),
            ("exceeded retry limit, last status: 429 Too Many Requests", Outcome.LIMITED, None),
            ("Rate limit reached for gpt-5. Please try again in 1.5s.", Outcome.LIMITED, 1.5),
            ("Quota exceeded. Check your plan and billing details.", Outcome.FATAL, None),
            ("unexpected status 403 Forbidden: no", Outcome.FATAL, None),
            ("unexpected status 503 Service Unavailable: overloaded", Outcome.LIMITED, None),
            ("unexpected status 502 Bad Gateway", Outcome.FAILED, None),
            ("stream disconnected before completion: closed", Outcome.FAILED, None),
            ("The model `gpt-9` does not exist or you do not have access to it.", Outcome.FATAL, None),
        ],
    )
    def test_the_words_say_what_it_was(self, words: str, outcome: Outcome, again_in: float | None) -> None:
        found = listener("codex")
        hear(found, {"type": "turn.failed", "error": {"message": words}})
        verdict = found.verdict(1)
        assert (verdict.outcome, verdict.again_in) == (outcome, again_in)
        assert words[:20] in verdict.reason

    def test_a_thread_that_was_killed_is_counted_with_the_next_run(self) -> None:
        begin = {"type": "thread.started", "thread_id": "t-1"}
        killed = listener("codex", Session("t-1", {"input_tokens": 100.0}))
        hear(killed, begin)
        assert killed.session == Session("t-1", {"input_tokens": 100.0})
        found = listener("codex", killed.session)
        heard = hear(found, begin, {"type": "turn.completed", "usage": {"input_tokens": 350, "output_tokens": 9}})
        assert Usage(250, 9, turns=1) in heard


class TestOpencode:
    def step(self, reason: str) -> list[dict[str, Any]]:
        return [{"type": "step_start", "sessionID": "ses_1"}, {"type": "step_finish", "part": {"reason": reason}}]

    def test_a_stream_that_breaks_off_for_ever_is_told(self) -> None:
        found = listener("opencode")
        for _ in range(4):
            hear(found, *self.step("unknown"))
        hear(found, *self.step("tool-calls"))
        for _ in range(4):
            hear(found, *self.step("unknown"))
        said = [found.stuck]
        hear(found, *self.step("unknown"))
        said.append(found.stuck)
        assert said == ["", "the stream of its model broke off 5 times in a row"]
        assert (found.verdict(-15).outcome, found.verdict(-15).reason) == (Outcome.FAILED, said[1])

    def test_a_tool_that_it_does_not_have_is_one_that_was_denied(self) -> None:
        found = listener("opencode")
        state = {"status": "completed", "input": {"tool": "bash", "error": "unavailable"}}
        heard = hear(
            found, {"type": "tool_use", "part": {"tool": "invalid", "callID": "1", "state": state}}, *self.step("stop")
        )
        assert events.Denied("bash", "it doesn't have that tool") in heard
        assert found.verdict(0).outcome is Outcome.SUCCEEDED
        assert found.verdict(0).notes == ("it was not allowed to use: bash, which it doesn't have",)

    def test_a_file_is_told_of(self) -> None:
        state = {"status": "completed", "input": {"filePath": "a.py"}, "metadata": {"exists": False}}
        heard = hear(listener("opencode"), {"type": "tool_use", "part": {"tool": "write", "state": state}})
        assert heard == [events.Tool("write", "a.py"), events.FileChanged("a.py", "added")]

    @pytest.mark.parametrize(
        ("error", "outcome", "lost"),
        [
            ({"name": "ProviderAuthError", "data": {"message": "no key"}}, Outcome.FATAL, False),
            ({"name": "APIError", "data": {"message": "x", "statusCode": 429, "responseBody": "insufficient_quota"}},
             Outcome.FATAL, False),
            ({"name": "APIError", "data": {"message": "prompt is too long", "statusCode": 400}}, Outcome.FATAL, False),
            ({"name": "APIError", "data": {"message": "socket", "isRetryable": True}}, Outcome.FAILED, False),
            ({"name": "MessageAbortedError", "data": {"message": "aborted"}}, Outcome.FAILED, False),
        ],
    )  # fmt: skip
    def test_an_error_is_the_verdict_whatever_the_exit_code(
        self, error: dict[str, Any], outcome: Outcome, *, lost: bool
    ) -> None:
        found = listener("opencode")
        hear(found, *self.step("stop"), {"type": "error", "error": error}) if outcome is Outcome.FAILED else hear(
            found, {"type": "error", "error": error}
        )
        assert (found.verdict(0).outcome, found.verdict(0).session_lost) == (outcome, lost)

    def test_a_session_that_is_gone(self) -> None:
        found = listener("opencode", Session("ses_1"))
        found.hear("stderr", "\x1b[91m\x1b[1mError: \x1b[0mSession not found")
        verdict = found.verdict(1)
        assert (verdict.outcome, verdict.reason, verdict.session_lost) == (
            Outcome.FAILED,
            "Error: Session not found",
            True,
        )

    def test_its_help_says_that_an_option_is_wrong(self) -> None:
        found = listener("opencode")
        for line in ("opencode run [message..]", "", "run opencode with a message"):
            found.hear("stderr", line)
        assert found.verdict(1).outcome is Outcome.FATAL


class TestCursor:
    INIT: ClassVar = {"type": "system", "subtype": "init", "session_id": "c-1", "model": "m"}

    def test_a_run_from_its_start_to_its_end(self) -> None:
        found = listener("cursor")
        edit = {"editToolCall": {"args": {"path": "a.py"}}}
        heard = hear(
            found,
            self.INIT,
            {"type": "user", "message": {"content": [{"type": "text", "text": "Do it."}]}},
            {"type": "assistant", "message": {"content": [{"type": "text", "text": "I edit."}]}},
            {"type": "tool_call", "subtype": "started", "call_id": "1", "tool_call": edit},
            {"type": "tool_call", "subtype": "completed", "call_id": "1", "tool_call": {
                "editToolCall": {"args": {"path": "a.py"}, "result": {"success": {}}}}},
            {"type": "result", "subtype": "success", "is_error": False, "result": "Done.", "duration_ms": 5},
        )  # fmt: skip
        assert heard == [
            events.Session("c-1", "m"), events.Text("I edit."), events.Tool("edit", "a.py"), Usage(turns=1),
            events.FileChanged("a.py"), Usage(turns=1), events.Result("Done."),
        ]  # fmt: skip
        assert found.session == Session("c-1")
        assert found.verdict(0).outcome is Outcome.SUCCEEDED
        assert found.verdict(1).outcome is Outcome.FAILED

    def test_without_a_result_stderr_says_why(self) -> None:
        found = listener("cursor")
        hear(found, self.INIT)
        found.hear("stderr", "Error: Not logged in")
        assert (found.verdict(1).outcome, found.verdict(0).outcome) == (Outcome.FATAL, Outcome.FAILED)


def test_a_server_that_did_not_start_is_told_to_the_agent_s_reviewer() -> None:
    found = listener("claude")
    servers = [{"name": "orchgit", "status": "failed"}, {"name": "other", "status": "connected"}]
    said = hear(found, {"type": "system", "subtype": "init", "session_id": "s-1", "model": "m", "mcp_servers": servers})
    words = "the MCP server orchgit did not start: none of its tools were there"
    assert said == [events.Session("s-1", "m"), events.Warning(words)]
    hear(found, {"type": "result", "subtype": "success", "is_error": False, "result": "Done.", "usage": {}})
    assert found.verdict(0).notes == (words,)
