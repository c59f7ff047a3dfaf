"""Which roles have somebody who can be reached, among recipients read from a file."""

from __future__ import annotations

from collections.abc import Collection

from reeve.domain.bundle import Bundle
from reeve.domain.recipients import ASSIGNEE, OWNER, Recipient
from reeve.domain.simulate import Reachable


def reachable_among(people: Collection[Recipient], bundle: Bundle) -> Reachable:
    """Whether a role has somebody with an address at a site, or at the organisation above it.

    `owner` is taken to be reachable where any owner is, `assignee` where anybody is: which one it is depends on
    the case.
    """
    addressed = [person for person in people if any(person.addresses.values())]

    def reachable(site: str, role: str) -> bool:
        places = {site, bundle.site(site).parent}
        here = [person for person in addressed if person.place in places]
        if role == OWNER:
            return any(person.customers for person in here)
        if role == ASSIGNEE:
            return bool(here)
        return any(role in person.roles for person in here)

    return reachable
