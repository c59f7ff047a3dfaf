"""How notifications read on a terminal: a line each, and one with its whole life."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from reeve.cli.notifications.texts import ANSWERS, DEEDS, HOLDS, REASONS, STATES, WAYS, WORDS
from reeve.cli.output import moment, padded, print_line
from reeve.cli.speaking import say
from reeve.cli.wording import STYLES

Row = Mapping[str, Any]

_WIDTH = 12


class Page:
    """Prints rows of `reeve.cli.notifications.rows` in one language, moments in the zone of the row's site."""

    def __init__(self, lang: str, zone: tzinfo | None = None) -> None:
        """`zone` is for sites that are not known; None: this machine's."""
        self._lang = lang
        self._elsewhere = zone
        self._zone = zone
        self._zones: Mapping[str, tzinfo] = {}

    def use_zones(self, zones: Mapping[str, tzinfo]) -> None:
        """From now on moments of these sites are shown in their zones."""
        self._zones = zones

    def word(self, name: str, **words: Any) -> str:
        """A text of WORDS."""
        return say(WORDS, name, self._lang, **words)

    def line(self, row: Row) -> None:
        """One delivery on one line."""
        self._zone = self._zones.get(row["site"], self._elsewhere)
        who = row["recipient"] or ("-" if row["state"] == "requested" else self.word("nobody"))
        how = " ".join(each for each in (row["channel"], row["provider"]) if each)
        print_line(
            (f"{row['id'] or '-':<9}", "bold"),
            (f"  {self._at(row['requested_at'])}  ", "dim"),
            f"{row['case']:<36} {row['step']:<16} {row['role']:<18} {who:<16} {how:<14} ",
            (say(STATES, row["state"], self._lang), STYLES.get(row["state"], "")),
            *self._in_brackets([*self._reason(row), *self._segments(row)]),
        )

    def whole(self, row: Row) -> None:
        """One delivery with everything that is known of it."""
        self._zone = self._zones.get(row["site"], self._elsewhere)
        print_line((row["id"], "bold"), (f"  {row['delivery']}", "dim"))
        self._field("case", row["case"])
        asked = self.word(
            "asked_by", at=self._at(row["requested_at"]), step=row["step"], rule=row["because"]["rule"]
        )
        numbered = [self.word("round", round=row["round"])] if row["round"] > 1 else []
        numbered += [self.word("level", level=row["level"])] if row["level"] else []
        self._field("asked", asked, *self._in_brackets(numbered))
        self._field("to", self._whom(row), *self._in_brackets(self._ladder(row)))
        if row["channel"]:
            self._field("how", self.word("by", message=row["message"], channel=row["channel"]))
        state = say(STATES, row["state"], self._lang)
        more = [*self._reason(row), *(self._segments(row) if row["sends"] > 1 else [])]
        self._field("state", (state, STYLES.get(row["state"], "")), *self._in_brackets(more))
        if row["waits_for"] is not None:
            self._field("waits_for", self._waits(row["waits_for"]))
        if row["silence"]:
            self._field("silence", row["silence"])
        if row["resend_of"]:
            self._field("again_of", self.word("asked_for_by", of=row["resend_of"], by=row["by"]))
            if row["note"]:
                self._field("note", row["note"])
        print_line((f"\n{self.word('life')}", "bold"))
        for deed in row["life"]:
            self._deed(deed)
        if not row["life"]:
            print_line(f"  {self.word('nothing')}")
        self._siblings(row["siblings"])

    def text(self, row: Row) -> None:
        """The text that a person would get now."""
        print_line((f"\n{self.word('text')}", "bold"))
        if row["fault"]:
            print_line((f"  {self.word('fault', fault=row['fault'])}", "yellow"))
        if row["subject"]:
            print_line((f"  {self.word('subject')}: ", "dim"), row["subject"])
        for line in row["body"].splitlines():
            print_line(f"  {line}")

    def _siblings(self, rows: Sequence[Row]) -> None:
        if rows:
            print_line((f"\n{self.word('siblings')}", "bold"))
        for row in rows:
            who = row["recipient"] or self.word("nobody")
            state = say(STATES, row["state"], self._lang)
            print_line(
                (f"  {row['id']}  ", "dim"),
                f"{who} {row['channel'] or ''}: ",
                (state, STYLES.get(row["state"], "")),
                *self._in_brackets(self._reason(row)),
            )

    def _deed(self, deed: Row) -> None:
        what = say(DEEDS, deed["what"], self._lang, into=deed["into"] or "")
        more = [
            self.word("attempt", attempt=deed["attempt"]) if deed["attempt"] else "",
            self.word("through", provider=deed["provider"]) if deed["provider"] else "",
            self.word("reference", reference=deed["reference"]) if deed["reference"] else "",
            self.word("second") if deed["resent"] else "",
            self.word("merged", n=deed["merged"]) if deed["merged"] else "",
            self.word("segments", segments=deed["segments"]) if deed["segments"] else "",
            self._answer(deed) if deed["answer"] else "",
            say(HOLDS | REASONS, deed["reason"] or "", self._lang) if deed["what"] != "merged" else "",
        ]
        print_line(
            (f"  {self._at(deed['at'])}  ", "dim"),
            (what, STYLES.get(deed["what"], "")),
            "".join(self.word("comma") + each for each in more if each),
        )

    def _answer(self, deed: Row) -> str:
        minutes = self.word("minutes", minutes=deed["minutes"]) if deed["minutes"] else ""
        answer, how = say(ANSWERS, deed["answer"], self._lang), say(WAYS, deed["how"] or "", self._lang)
        return self.word("answer", answer=answer, minutes=minutes, how=how)

    def _waits(self, waits: Row) -> str:
        found = [say(HOLDS, waits["for"], self._lang)] if waits["for"] in HOLDS else []
        until = self._at(waits["until"])
        found.append(self.word("hour" if waits["for"] in HOLDS else waits["for"], at=until))
        if waits["together"] > 1:
            found.append(self.word("group", n=waits["together"]))
        return self.word("comma").join(found)

    def _whom(self, row: Row) -> str:
        return self.word("as_role", who=row["recipient"] or self.word("nobody"), role=row["role"])

    def _ladder(self, row: Row) -> list[str]:
        found = [self.word("climbed", rung=row["rung"])] if row["rung"] and row["recipient"] else []
        return found + ([self.word("told_instead", role=row["next_role"])] if row["next_role"] else [])

    def _reason(self, row: Row) -> list[str]:
        waits = row["waits_for"]
        if waits is not None and waits["for"] in HOLDS:
            return [say(HOLDS, waits["for"], self._lang), self.word("hour", at=self._at(waits["until"]))]
        # That nobody could be told is what the state says already.
        reason = "" if row["reason"] == "nobody" else say(REASONS, row["reason"] or "", self._lang)
        silence = row["silence"] if row["state"] == "suppressed" else None
        return [each for each in (reason, silence, row["into"]) if each]

    def _segments(self, row: Row) -> list[str]:
        if row["sends"] > 1:
            return [self.word("all_segments", segments=row["segments"], sends=row["sends"])]
        return [self.word("segments", segments=row["segments"])] if row["segments"] else []

    def _in_brackets(self, words: Sequence[str]) -> list[str]:
        return [self.word("brackets", words=self.word("comma").join(words))] if words else []

    def _field(self, name: str, *parts: str | tuple[str, str]) -> None:
        print_line((f"  {padded(self.word(name), _WIDTH)}", "dim"), *parts)

    def _at(self, at: datetime) -> str:
        return moment(at.astimezone(self._zone))
