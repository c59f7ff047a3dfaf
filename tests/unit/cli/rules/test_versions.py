"""Which version a command means, and what it says where it means none."""

from __future__ import annotations

import pytest

from reeve.cli.rules.versions import UnknownVersion, rules_named


@pytest.mark.parametrize(("lang", "said"), [("en", "there is no such folder"), ("zh", "没有这个文件夹")])
def test_what_is_neither_folder_nor_version_is_said_in_the_terminals_language(lang: str, said: str) -> None:
    with pytest.raises(UnknownVersion, match=said):
        rules_named("no/such-folder", lang)
