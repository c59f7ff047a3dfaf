"""`reeve cases repin`: a person puts one case on the rules of another version."""

from __future__ import annotations

from dataclasses import dataclass

from reeve.cli.cases.finding import find_case
from reeve.cli.output import errors, moment, print_json, print_line
from reeve.cli.rules.versions import ACTIVE, find_version
from reeve.cli.targets import Targets, find_targets, open_bus, open_record
from reeve.cli.wording import phrase
from reeve.domain.errors import ReeveError
from reeve.domain.inputs import Revise
from reeve.ports import BusAway, Message
from reeve.runtime.active_rules import ActiveRules
from reeve.runtime.author import login_name
from reeve.runtime.bundles import Bundles
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.cases import MongoCaseRecord
from reeve.runtime.time_source import SystemTime
from services.escalation.repinning import Repinned
from services.escalation.repinning import repin as decide

_WORDS = {
    "closed": (
        "{case} is closed; only an open case can go on with other rules.",
        "{case} 已结案；只有未结工单可以改用其他规则。",
    ),
    "no_policy": (
        "Version {version} has no policy {policy} that this release can read.",
        "版本 {version} 中没有本程序能读取的策略 {policy}。",
    ),
    "already": ("{case} is on the file of version {version} already.", "{case} 已在使用版本 {version} 的文件。"),
    "done": ("{case} goes on with the rules of version {version}.", "{case} 改用版本 {version} 的规则。"),
    "bus_away": (
        "NATS can't be reached; the case's next deadline may come some seconds late.",
        "无法连接 NATS；该工单的下一个时限可能晚几秒。",
    ),
}


class CantRepin(ReeveError):
    """The version has no file for the case's policy, or the case is closed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for."""

    case: str
    to: str
    by: str | None
    """None: the person's login name."""
    reason: str | None
    recompute: bool


async def repin_case(asked: Asked, as_json: bool, lang: str) -> None:
    """The case goes on with the rules asked for, and what that did is printed. Raises CantRepin, NoSuchCase …"""
    targets, time = find_targets(), SystemTime()
    async with open_record(targets, "cases") as database:
        case = await find_case(database, asked.case, lang)
        case_id = str(case.key)
        if not case.open:
            raise CantRepin(_say("closed", lang, case=case_id))
        store = BundleStore(database)
        bundles = Bundles(store, time, None, targets.matcher)
        version = await find_version(store, ACTIVE if asked.to == "current" else asked.to, lang)
        digest = await bundles.digest_of(version, case.key.policy)
        if digest is None:
            raise CantRepin(_say("no_policy", lang, version=version, policy=case.key.policy))
        rules = ActiveRules(bundles, await bundles.load_active())
        choice = Revise(time.now(), digest, asked.by or login_name(), asked.reason, asked.recompute)
        done = await decide(MongoCaseRecord(database.client, database), rules, case, choice, time)
    if done.alarms:
        await _set_schedules(targets, [alarm.message() for alarm in done.alarms], lang)
    _show(case_id, version, done, as_json, lang)


def _show(case_id: str, version: str, done: Repinned, as_json: bool, lang: str) -> None:
    if as_json:
        row = {"case": case_id, "version": version, "was": done.was, "now": done.now}
        print_json({**row, "changed": bool(done.lines), "timeline": list(done.lines)})
    elif not done.lines:
        print_line(_say("already", lang, case=case_id, version=version))
    else:
        print_line((_say("done", lang, case=case_id, version=version), "green"))
        for line in done.lines:
            print_line(f"  {moment(line['at'])}  {phrase(line['effect'], line, lang)}")


async def _set_schedules(targets: Targets, messages: list[Message], lang: str) -> None:
    """The case's next moment is on the bus; where that is away, a running replica sees to it a little later."""
    try:
        async with open_bus(targets, "cases") as bus:
            publisher = BusPublisher(bus)
            await publisher.start()
            await publisher.publish_all(messages)
    except BusAway:
        errors().print(_say("bus_away", lang), style="yellow")


def _say(name: str, lang: str, **values: str) -> str:
    return _WORDS[name][lang == "zh"].format_map(values)
