"""One step of a policy: its trigger, its rungs, and whether what it repeats comes to an end."""

from __future__ import annotations

from reeve.domain import expressions as x
from reeve.domain.bundle import Level, Repeat, StepRule
from reeve.domain.durations import Duration
from reeve.rulelang.desk import Desk, Path
from reeve.rulelang.files import RungShape, StepShape
from reeve.rulelang.parse import parse_length
from reeve.rulelang.problems import Choice


class StepCompiler:
    """Compiles the steps of one policy."""

    def __init__(self, desk: Desk, grades: tuple[str, ...]) -> None:
        self._desk = desk
        self._grades = grades

    def step(self, shape: StepShape, path: Path) -> StepRule | None:
        """The step; None if nothing says when it is due."""
        desk = self._desk
        on = desk.trigger(shape.on, *path, "on")
        when = desk.condition(shape.if_, *path, "if")
        until = desk.trigger(shape.until, *path, "until")
        for index, grade in enumerate(shape.grades):
            if grade not in self._grades:
                code = "unknown_grade" if self._grades else "no_grades"
                desk.report((*path, "grades", index), code, found=grade, choice=Choice(grade, self._grades))
        if shape.after is not None:
            desk.report((*path, "after"), "after_not_in_then", on_key=True)
        levels = self._levels(shape, path)
        ended = shape.until is not None or (on is not None and all(map(_hangs_on_clock, on.alternatives)))
        self._check_ends(shape, shape.name, path, ended)
        if on is None:
            return None
        once_per = desk.names.vocabulary.get(shape.once_per, shape.once_per) if shape.once_per else None
        return StepRule(
            name=shape.name,
            on=on,
            levels=tuple(levels),
            when=when,
            grades=tuple(shape.grades),
            once_per=once_per,
            until=until,
            ack_ends=shape.ack != "ignore",
            sample=shape.sample,
            pos=desk.doc.at(*path),
        )

    def rungs(self, shape: RungShape, message: str, path: Path) -> list[Level]:
        """The rungs of something that is told outside a policy's steps (a duty's `late`)."""
        return self._levels(shape, path, message)

    def _levels(self, shape: RungShape, path: Path, message: str = "") -> list[Level]:
        levels: list[Level] = []
        rung: RungShape | None = shape
        message = message or getattr(shape, "name", "")
        while rung is not None:
            message = rung.message or message
            levels.append(self._level(rung, message, path))
            if not (rung.notify or rung.raise_grade or rung.reopen or rung.open):
                self._desk.report(path, "step_does_nothing", step=getattr(shape, "name", message))
            rung, path = rung.then, (*path, "then")
        return levels

    def _level(self, rung: RungShape, message: str, path: Path) -> Level:
        every = self._length(rung.repeat.every, (*path, "repeat", "every")) if rung.repeat else None
        return Level(
            notify=tuple(rung.notify),
            via=tuple(rung.via),
            message=message,
            repeat=Repeat(every, rung.repeat.times) if rung.repeat and every else None,
            after=self._length(rung.after, (*path, "after")) if rung.after is not None else None,
            raise_grade=rung.raise_grade,
            reopen=rung.reopen,
            open_policy=rung.open.policy if rung.open else None,
            pos=self._desk.doc.at(*path),
        )

    def _length(self, text: str, path: Path) -> Duration | None:
        return self._desk.attempt(lambda: parse_length(text, self._desk.doc.scalar(*path)))

    def _check_ends(self, shape: RungShape, name: str, path: Path, ended: bool) -> None:
        rung: RungShape | None = shape
        while rung is not None:
            bounded = rung.repeat is None or rung.repeat.times is not None
            if not bounded and not ended:
                self._desk.report((*path, "repeat"), "repeat_endless", on_key=True, step=name)
            if rung.then is not None:
                below = (*path, "then")
                if not bounded:
                    self._desk.report(below, "then_never", on_key=True, step=name)
                elif rung.repeat is not None and rung.then.after is not None:
                    self._desk.report((*below, "after"), "after_ignored", on_key=True)
                elif rung.repeat is None and rung.then.after is None:
                    self._desk.report(below, "then_without_after", on_key=True, step=name)
            rung, path = rung.then, (*path, "then")


def _hangs_on_clock(alternative: x.Alternative) -> bool:
    """Whether the repeats end by themselves when the clock stops."""
    if isinstance(alternative, x.OnClock):
        return alternative.what != "stopped"
    return isinstance(alternative, x.OnShare | x.OnUndated | x.OnClockOffset)
