"""A bundle as big as a large operator's: many policies, each with grades, clocks, steps and texts of its own."""

from __future__ import annotations

from itertools import cycle, islice

_SITE = """\
language: 1
zone: Asia/Shanghai
locale: en
calendar: cn
opening: {default: "08:30-12:00, 13:30-18:00"}
channels: {default: [email]}
ladder: {front_desk: service_supervisor, service_supervisor: property_manager, property_manager: general_manager}
"""
_CALENDAR = """\
name: cn
known_until: 2030-12-31
holidays: [2030-01-01, 2030-02-03, 2030-02-04, 2030-02-05, 2030-05-01, 2030-10-01]
workdays: [2030-02-10]
"""
_HEAD = """\
policy: NAME
title: {en: Matter NAME, zh: 事项 NAME}
takes: ticket
if: category == "request" and item == "NAME"
"""
_GRADES = """\
  - grade: worst
    if: loss_cny >= {0}00000 or injury == "serious" or (broken_promise and times_raised >= {1})
  - grade: bad
    if: loss_cny >= {0}0000 or media_outlets >= {1} or injury == "minor"
  - grade: plain
"""
_CLOCKS = """\
  respond: {{start: opened, stop: ticket.acknowledged, limit: {{worst: 1m, bad: 5m, plain: {0}m}}}}
  resolve:
    start: opened
    stop: ticket.resolved
    pause: {{from: ticket.waiting, to: ticket.resumed}}
    limit: {{worst: due_at, bad: due_at or {0}d, plain: {1} working days}}
"""
_STEPS = (
    """\
  - name: {n}
    on: respond breached
    notify: service_supervisor
    repeat: {{every: {m}m, times: 3}}
    then: {{notify: property_manager, message: {n}}}
    message: {n}
""",
    """\
  - {{name: {n}, on: graded, grades: [worst, bad], once_per: incident, notify: general_manager, message: {n}}}
""",
    """\
  - {{name: {n}, on: resolve {p}%, if: loss_cny >= {m}00, notify: front_desk, message: {n}}}
""",
    """\
  - name: {n}
    on: ticket.followed_up
    if: event.satisfaction == "dissatisfied"
    notify: property_manager
    message: {n}
""",
)
_TEXT = """\
{n}:
  zh:
    sms: "{{{{ case }}}}：{m} 分钟"
    email: {{subject: "{{{{ case }}}}", body: "{{{{ grade_title }}}}，{m} 分钟"}}
  en:
    sms: "{{{{ case }}}}: {m} minutes"
    email: {{subject: "{{{{ case }}}}", body: "{{{{ grade_title }}}}, {m} minutes"}}
"""
_OTHERS = 5
"""Rules of a policy that are no steps: three grades and two clocks."""


def many_rules(policies: int, rules: int, seed: int) -> dict[str, bytes]:
    """Path → content of a bundle without a problem: so many rules (grades, clocks and steps) in so many policies.

    Another `seed` gives other texts and limits of the same shape.
    """
    files = {"site.yaml": _SITE, "calendars/cn.yaml": _CALENDAR}
    for number in range(policies):
        name = f"matter_{seed}_{number}"
        steps = rules // policies + (number < rules % policies) - _OTHERS
        files[f"{name}.yaml"], files[f"messages/{name}.yaml"] = _policy(name, seed + number, steps)
    return {path: text.encode() for path, text in files.items()}


def _policy(name: str, number: int, steps: int) -> tuple[str, str]:
    limit = 2 + number % 50
    lines, texts = "", ""
    for index, step in enumerate(islice(cycle(_STEPS), steps)):
        own = f"{name}_{index}"
        lines += step.format(n=own, m=limit + index, p=50 + (number + index) % 45)
        texts += _TEXT.format(n=own, m=limit + index)
    policy = _HEAD.replace("NAME", name) + "grades:\n" + _GRADES.format(1 + number % 9, limit)
    policy += "clocks:\n" + _CLOCKS.format(limit, 1 + number % 9) + "steps:\n" + lines + "close: ticket.closed\n"
    return policy, texts
