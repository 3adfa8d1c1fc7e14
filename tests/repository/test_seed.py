from __future__ import annotations

import re

import pytest
import yaml

from orchgit.model import config
from orchgit.repository import seed


def _config(name: str = "shop", base: str = "main") -> str:
    files = {put.path: put.data.decode() for put in seed.files(name, base)}
    return files["config.yaml"]


@pytest.mark.parametrize(
    "word",
    [
        "main",
        "feature/#1",
        "yes",
        "No",
        "null",
        "1.0",
        "2026-01-01",
        "a: b",
        "'",
        '"',
        "é🎼",
        "-x",
        "a\nb",
        "\x85",
        "",
        "a\\b",
    ],
)
def test_any_word_is_read_back(word: str) -> None:
    assert yaml.safe_load(_config(word, word))["project"] == {"name": word, "base": word}


def test_a_plain_word_stays_bare() -> None:
    assert "\n  name: shop\n  base: release/2.x          # what" in _config(base="release/2.x")


def test_the_settings_in_comments_are_all_there_at_their_defaults() -> None:
    commented = re.sub(r"^# ?(?=\s*[a-z_]+:)", "", _config(), flags=re.MULTILINE)
    told = yaml.safe_load(commented)
    flat = {key: _value(told, key) for key in config.SETTINGS}
    assert flat.pop("workspaces_dir") == "../shop.orchgit"
    assert flat.pop("workspace.bring") == []
    defaults = config.Config(project_name="shop", project_base="main")
    assert flat == {key: config.value_of(defaults, key) for key in flat}


def _value(settings: object, key: str) -> object:
    for part in key.split("."):
        assert isinstance(settings, dict)
        settings = settings[part]
    return settings
