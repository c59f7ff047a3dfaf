"""`reeve notifications`: which messages went to whom, what became of each, and one sent again."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from reeve.cli.options import AsJson, Lang, Limit
from reeve.cli.running import run
from reeve.cli.speaking import spoken_language

if TYPE_CHECKING:
    from reeve.cli.notifications.page import Page

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Which messages went to whom and what became of each; show one, or send it again.",
)

Id = Annotated[str, typer.Argument(help="Its name in the list (7m2f-0q3d), or the beginning of it.")]


class State(StrEnum):
    """Which to list."""

    open = "open"
    """queued, claimed or unknown."""
    held = "held"
    """Waits on purpose."""
    queued = "queued"
    claimed = "claimed"
    unknown = "unknown"
    sent = "sent"
    delivered = "delivered"
    failed = "failed"
    suppressed = "suppressed"
    merged = "merged"
    undeliverable = "undeliverable"


@app.command("list")
def list_notifications(
    site: Annotated[str | None, typer.Option(help="Only of this site.")] = None,
    case: Annotated[
        str | None, typer.Option(help="Only about this case: site/policy/subject, or a subject.")
    ] = None,
    recipient: Annotated[str | None, typer.Option(help="Only to this recipient (an id).")] = None,
    channel: Annotated[str | None, typer.Option(help="Only by this channel: sms, email, …")] = None,
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Asked for since then: 2h, 3d, or '2026-02-13 17:55'.", show_default="all")
    ] = None,
    limit: Limit = 100,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Lists messages, the latest first: its name, when it was asked for, case, step, role, recipient (an id),
    channel and provider, state and reason, SMS segments. On top those that wait for their hour, still for nobody.

    Examples:

    reeve notifications list --state failed --since 12h

    reeve notifications list --case T-1001

    reeve notifications list --recipient gm-1 --channel sms --json | jq .reason
    """
    from reeve.cli.notifications import reading
    from reeve.runtime.store.delivery_search import Wanted

    spoken = spoken_language(lang)
    wanted = Wanted(
        site=site,
        recipient=recipient,
        channel=channel,
        states=reading.states_of(state),
        held=state is State.held,
        since=reading.moment_since(since, spoken) if since is not None else None,
    )
    run(reading.list_messages(wanted, case, limit, _page(spoken, as_json), spoken))


@app.command("show")
def show_notification(
    id: Id,
    text: Annotated[
        bool, typer.Option("--text", help="Also the text, as the case is now; this is personal data.")
    ] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Shows one message: why it was asked for, every attempt and receipt, what it waits for, who answered, and what
    else was tried for the same notification. The text itself is not kept: --text makes it anew.

    Examples:

    reeve notifications show 7m2f-0q3d

    reeve notifications show 7m2f --text
    """
    from reeve.cli.notifications import reading

    spoken = spoken_language(lang)
    run(reading.show_message(id, text, _page(spoken, as_json), spoken))


@app.command("resend")
def resend_notification(
    id: Id,
    channel: Annotated[str | None, typer.Option(help="By this channel instead.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="To this recipient (an id) instead.")] = None,
    note: Annotated[str, typer.Option(help="Why; stays in the record.")] = "",
    author: Annotated[str | None, typer.Option(help="Who asks for it.", show_default="your login name")] = None,
    again: Annotated[bool, typer.Option("--again", help="Although it was delivered already.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent to whom.")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Sends a message once more, at once, with the text as the case is now. It is a message of its own: marked as
    sent again, with who asked for it, here and on the case's timeline.

    Examples:

    reeve notifications resend 7m2f-0q3d --note "number was wrong, mended"

    reeve notifications resend 7m2f --channel email

    reeve notifications resend 7m2f --to property-manager-2 --dry-run
    """
    from reeve.cli.notifications.resending import Request, resend

    spoken = spoken_language(lang)
    run(resend(Request(id, channel, to, note, author, again, dry_run), _page(spoken, as_json), spoken))


def _page(lang: str, as_json: bool) -> Page | None:
    """What prints for people; None: as JSON."""
    from reeve.cli.notifications.page import Page

    return None if as_json else Page(lang)
