"""`reeve silences add`: checked against the active rules and the record, saved, and said what it hides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from reeve.cli.ending import fail
from reeve.cli.exit_codes import BAD
from reeve.cli.flood.silence_checks import (
    hides_anything,
    known_names,
    misspelt,
    site_meant,
    worst_by_policy,
    worst_of,
)
from reeve.cli.flood.silence_view import (
    end_asked,
    matching_cases,
    moment_asked,
    places_of,
    row_of,
    span_of,
    unknown,
    what_of,
)
from reeve.cli.output import print_json, print_line
from reeve.cli.rules.versions import active_rules
from reeve.cli.targets import find_targets, open_record
from reeve.domain.flood.silences import Matchers, Silence, SilenceRefused, check_silence
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.store.silences import Kept, SilenceStore, new_id
from reeve.runtime.time_source import SystemTime


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of `add`."""

    matchers: Matchers
    since: str | None
    until: str | None
    length: str | None
    author: str
    reason: str
    include_worst: bool


async def add_silence(asked: Asked, dry_run: bool, as_json: bool, words: dict[str, str]) -> None:
    """It stands in the record, unless `dry_run`, and what it hides is shown. Raises typer.Exit."""
    now = SystemTime().now()
    matchers = asked.matchers
    async with open_record(find_targets(), "silences") as database:
        bundle = await active_rules(database)
        people = await RecipientStore(database).all()
        places = places_of(bundle, matchers.site)
        known = known_names(bundle, (one.id for one in people))
        for option, found, best in misspelt(matchers, known):
            unknown(option, found, best, words)
        if matchers.site and (meant := site_meant(matchers.site, bundle, people)) is not None:
            unknown("site", matchers.site, meant, words)
        author = next(
            (one for one in people if one.id == asked.author and (not places or one.place in places)), None
        )
        if author is None:
            unknown("author", asked.author, None, words, known["recipient"])
        zone = bundle.site(matchers.site).zone
        since = moment_asked("from", asked.since, zone, words) if asked.since else now
        silence = Silence(
            new_id(),
            matchers,
            since.astimezone(UTC),
            end_asked(asked.until, asked.length, since, zone, words).astimezone(UTC),
            asked.author,
            asked.reason,
            asked.include_worst,
        )
        try:
            check_silence(silence, now)
        except SilenceRefused as refused:
            fail(words["refused"].format(why=words.get(refused.code, refused)), BAD)
        if not asked.include_worst and not hides_anything(matchers, bundle):
            fail(words["worst_only"].format(grade=matchers.grade), BAD)
        # Where the author is warned: at the site it is for, whose organisation above is looked in, too.
        kept = Kept(silence, matchers.site or author.place, now)
        if not dry_run:
            await SilenceStore(database).add(kept)
        matching = await matching_cases(database, matchers)
    worst = worst_of(matchers, bundle)
    if as_json:
        extra = {"open_cases": matching, "worst_grades": list(worst), "dry_run": dry_run}
        print_json(row_of(kept, now, bundle) | extra)
        return
    what = what_of(matchers)
    head = words["dry" if dry_run else "added"]
    print_line((head.format(id=silence.id, what=what, **span_of(kept, bundle)), "bold"))
    print_line(words["matching"].format(count=matching))
    if worst:
        key = "worst" if asked.include_worst else "not_worst"
        said = "; ".join(f"{name}: {', '.join(of)}" for name, of in worst_by_policy(matchers, bundle).items())
        print_line((words[key].format(grades=said), "bold red" if asked.include_worst else "dim"))
