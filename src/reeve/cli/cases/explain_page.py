"""How an explanation reads on a terminal, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from reeve.cli.cases import explain_texts as texts
from reeve.cli.cases.explain_texts import Texts, say
from reeve.cli.notifications.texts import REASONS, STATES
from reeve.cli.output import moment, print_line
from reeve.cli.speaking import say as words
from reeve.cli.wording import STYLES, phrase
from reeve.runtime.explaining.conditions import HIDDEN

Answer = Mapping[str, Any]

_MOMENTS = ("at", "due", "until", "moment", "stopped_at", "breached_at", "started_at", "looked_at", "event_at")


class Page:
    """Prints explanations in one language."""

    def __init__(self, lang: str) -> None:
        self._lang = lang

    def case(self, found: Answer) -> None:
        """A case: why the grade, why now, who was told, who not."""
        as_of = f"  {self._word('as_of', found)}" if found["at"] else ""
        print_line((found["case"], "bold"), f"  {self._word(found['state'], {})}{as_of}")
        if found["readable"]:
            print_line(("  " + self._word("version", found), "dim"))
        else:
            print_line(("  " + self._word("unreadable", {}), "bold yellow"))
        if not found["kept"]:
            print_line(("  " + self._word("not_kept", {}), "yellow"))
        self._heading("grade")
        self._grade(found["grade"])
        if found["opening"] is not None:
            self._heading("opening")
            self._opening(found)
        self._heading("now")
        for line in found["now"]:
            self._line(line)
        self._steps(found["steps"])
        if found["waited"]:
            self._heading("waited")
            self.untaken(found["waited"])

    def untaken(self, found: Iterable[Answer]) -> None:
        """Events that no case took, each with the policies whose `if` did not hold."""
        for each in found:
            self._print("  ", self._word("untaken" if each["opens"] else "untaken_waits", each))
            if each.get("taken_since"):
                self._print("    ", self._word("taken_since", each))
            for refusal in each["refused_by"]:
                self._refusal(refusal)

    def event(self, found: Answer) -> None:
        """One event and what became of it."""
        print_line((f"{found['type']} {found['event']}", "bold"), f"  {found['site']}  {found['subject']}")
        self._heading("event")
        self._print("  ", self._word(f"state_{found['state']}", found))
        for each in found["cases"]:
            print_line(("  " + self._word("went_to", each), "bold"))
            for line in each["lines"]:
                self._line(line, "    ")
            if not each["lines"]:
                self._print("    ", self._word("nothing", {}))
        if found.get("untaken") is not None:
            if found["state"] == "taken":
                self._print("  ", self._word("untaken_before", {}))
            self.untaken([found["untaken"]])

    def about(self, who: str, roles: Iterable[str] | None, concerned: bool) -> None:
        """Under an explanation for one person or role: the person's roles, or that no step is `concerned`.

        `roles` None: no person has that id; it may be a role's.
        """
        known = {"who": who, "roles": self._list(roles or ())}
        if not concerned:
            self._print("", self._word("who_nothing" if roles is not None else "who_unknown", known))
        elif roles is not None:
            print_line((self._word("who_roles", known), "dim"))

    # --- parts

    def _grade(self, found: Answer) -> None:
        code = found["reason"]
        if code == "condition" and found.get("condition") is None:
            code = "rest"
        title = (found.get("title") or {}).get(self._lang)
        grade = f"{found['grade']} ({title})" if title else found["grade"]
        self._print("  ", self._say(texts.GRADE, code, {**found, "grade": grade}))
        if found.get("cause") and self._known(found["cause"]):
            self._print("  ", self._because(found["cause"]))
        if found.get("condition"):
            self._condition(found["condition"], "    ")
        if found.get("facts_call_for"):
            self._print("  ", self._word("milder", {"grade": found["facts_call_for"]}))
        for worse in found.get("not_worse", ()):
            rule = {"grade": worse["grade"], "rule": worse["condition"]["rule"], "at": found["looked_at"]}
            self._print("  ", self._word("not_worse", rule))
            self._condition(worse["condition"], "    ")

    def _opening(self, found: Answer) -> None:
        opening = found["opening"]
        policy = {"policy": found["case"].split("/")[1]}
        if opening.get("parent"):
            self._print("  ", self._word("child_of", opening))
        elif opening.get("condition"):
            self._print("  ", self._word("opened_by", policy | {"rule": opening["condition"]["rule"]}))
            self._condition(opening["condition"], "    ")
        elif "refused_by" in opening:
            self._print("  ", self._word("opened_any", policy))
        self._print("  ", self._because(opening["cause"]))
        if opening.get("refused_by"):
            self._print("  ", self._word("refused", {"policies": self._list(opening["refused_by"])}))

    def _line(self, line: Answer, indent: str = "  ") -> None:
        if line["effect"] is None:
            print_line((f"{indent}{moment(line['at'])}  ", "dim"), self._cause(line["cause"]))
            self._print(f"{indent}  ", self._word("nothing", {}))
            return
        keys = {**line["keys"], "to": self._list(line["keys"].get("to") or ())}
        caused = f", {self._cause(line['cause'])}" if self._known(line["cause"]) else ""
        said = self._say(texts.EFFECTS, line["effect"], keys)
        if line["effect"] == "adopted":
            said = phrase("adopted", keys, self._lang)
        print_line(
            (f"{indent}{moment(line['at'])}  ", "dim"),
            (said, STYLES.get(line["effect"], "")),
            (f"  ← {line['rule']}{caused}", "dim"),
        )
        if line.get("clock"):
            print_line((f"{indent}    {self._word('clock_behind', line['clock'])}", "dim"))
            failed = line["clock"]["not_stopped"]
            if failed is not None:
                keys = {**failed, "cause": self._cause(failed["cause"]), "rule": failed["condition"]["rule"]}
                self._print(f"{indent}    ", self._word("not_stopped", keys))
                self._condition(failed["condition"], f"{indent}      ")

    def _steps(self, steps: list[Answer]) -> None:
        acted = [step for step in steps if step["told"] or step["did"]]
        self._heading("told")
        for step in acted:
            print_line((f"  {step['step']}", "bold"), (f"  {step['rule']}", "dim"))
            for told in step["told"]:
                self._told(told)
            for deed in step["did"]:
                self._line({"keys": deed, "rule": step["rule"], **deed}, "    ")
            for reason in step["not"]:
                if reason["reason"] == "ended":
                    self._print("    ", self._reason(reason))
        if not acted:
            self._print("  ", self._word("no_steps", {}))
        silent = [step for step in steps if step not in acted]
        self._heading("not")
        for step in silent:
            print_line((f"  {step['step']}", "bold"), (f"  {step['rule']}  on: {step['on']}", "dim"))
            for reason in step["not"]:
                self._why_not(reason)
        if not silent:
            self._print("  ", self._word("no_steps", {}))

    def _told(self, told: Answer) -> None:
        level = f", {self._word('then', told)}" if told["level"] else ""
        print_line(
            (f"    {moment(told['at'])}  ", "dim"),
            f"{self._list(told['to'])}: {told['message']}, {self._word('round', told)}{level}: ",
            (self._outcome(told), STYLES.get(told["outcome"], "bold yellow")),
        )
        caused = f"{self._because(told['cause'])}, " if self._known(told["cause"]) else ""
        print_line((f"      {caused}{told['rule']}", "dim"))
        for each in told["deliveries"]:
            code = "as_role" if each["recipient"] is not None else "nobody"
            state = words(STATES, each["state"], self._lang)
            why = words(REASONS, each["last_reason"] or "", self._lang)
            if why and each["state"] == "undeliverable":
                state, why = why, ""
            reason = self._word("brackets", {"words": why}) if why else ""
            self._print("      ", self._word(code, {**each, "state": state}) + reason)

    def _outcome(self, told: Answer) -> str:
        code = told["outcome"]
        closer = f"{code}_{told.get('why') or told.get('hold')}"
        if closer in texts.OUTCOMES:
            code = closer
        elif code == "undeliverable" and told.get("next_role"):
            above = any(each["role"] == told["next_role"] for each in told["deliveries"])
            code = "undeliverable_all" if above else "undeliverable_next"
        keys = {**told, "others": self._list(told.get("others", ()))}
        return self._say(texts.OUTCOMES, code, keys)

    def _why_not(self, reason: Answer) -> None:
        times = f" ({self._word('times', reason)})" if reason.get("times", 1) > 1 else ""
        self._print("    ", self._reason(reason) + times)
        if reason.get("cause") and self._known(reason["cause"]):
            print_line((f"      {self._because(reason['cause'])}", "dim"))
        if isinstance(reason.get("condition"), Mapping):
            self._condition(reason["condition"], "      ")

    def _reason(self, reason: Answer) -> str:
        code, keys = reason["reason"], dict(reason)
        match code:
            case "condition":
                code = "condition_on" if reason["part"] == "on" else "condition"
                keys["rule"] = reason["condition"]["rule"]
            case "grade":
                keys["grades"] = self._list(reason["grades"])
            case "claimed" if reason["holder"] is None:
                code = "claimed_here"
            case "ended":
                code = f"ended_{reason['what']}"
            case "clock_running" if reason.get("moment"):
                code = "clock_running_moment"
            case "clock_stopped" if reason["met"]:
                code = "clock_stopped_met"
        return self._say(texts.REASONS, code, keys)

    def _refusal(self, refusal: Answer) -> None:
        condition = refusal["condition"]
        if condition is None:
            self._print("    ", self._word("refused_plain", refusal))
            return
        self._print("    ", self._word("refused_if", {**refusal, "rule": condition["rule"]}))
        self._condition(condition, "      ")

    def _condition(self, condition: Answer, indent: str) -> None:
        alone = [part["text"] for part in condition["parts"]] == [condition["text"]]
        if not alone:
            print_line(f"{indent}{condition['text']}")
        if not condition["agrees"]:
            print_line((f"{indent}{self._word('disagrees', {})}", "yellow"))
        for part in condition["parts"]:
            answer = self._word("holds" if part["held"] else "fails", {})
            words = part["words"]
            facts = self._list(self._fact(words.get(name, name), value) for name, value in part["facts"].items())
            sign = "+" if part["held"] else "-"
            print_line((f"{indent}{'' if alone else '  '}{sign} ", "dim"), f"{part['text']}  {answer}: {facts}")

    def _fact(self, name: str, value: Any) -> str:
        if value is None:
            return self._word("unknown", {"name": name})
        if value == HIDDEN:
            return self._word("hidden", {"name": name})
        text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
        return self._word("was", {"name": name, "value": text})

    def _known(self, cause: Answer) -> bool:
        """Whether it was an event or a clock, and no change of rules or a moment that a fact names."""
        return any(cause.get(name) for name in ("type", "event", "clock"))

    def _because(self, cause: Answer) -> str:
        return self._word("because", {"cause": self._cause(cause)})

    def _cause(self, cause: Answer) -> str:
        if cause.get("type"):
            return self._word("typed_event", cause)
        if cause.get("event"):
            return self._word("event", cause)
        return self._word("clock", cause) if cause.get("clock") else "-"

    # --- writing

    def _heading(self, name: str) -> None:
        print_line(("\n" + self._say(texts.HEADINGS, name, {}), "bold"))

    def _print(self, indent: str, text: str) -> None:
        print_line(indent + text)

    def _word(self, code: str, particulars: Mapping[str, Any]) -> str:
        return self._say(texts.WORDS, code, particulars)

    def _say(self, which: Texts, code: str, particulars: Mapping[str, Any]) -> str:
        return say(which, code, self._lang, _readable(particulars))

    def _list(self, names: Iterable[str]) -> str:
        listed = [names] if isinstance(names, str) else [str(name) for name in names]
        return self._word("is_closed_list", {}).join(listed) or self._word("none", {})


def _readable(particulars: Mapping[str, Any]) -> dict[str, Any]:
    """Moments as people read them; what is not known is left out, so that it reads as a dash."""
    found = {name: value for name, value in particulars.items() if value is not None}
    for name in _MOMENTS:
        if isinstance(found.get(name), str | datetime):
            found[name] = moment(found[name])
    return found
