"""What an editor shows about a key: its title, its meaning in two languages, and what may stand there.

The models say what is accepted; the notes say what it is for. A test asks for a note for every key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

Offer = OneOf[
    "channels", "conditions", "events", "facts", "grades", "languages", "lengths", "limits", "messages", "policies",
    "roles", "sites", "triggers",
]  # fmt: skip
"""A list of words that an editor completes with; what is in it is decided when the schemas are made."""


@dataclass(frozen=True, slots=True)
class Note:
    """About one key; under the empty key, about the map as a whole."""

    title: str
    en: str
    zh: str
    examples: tuple[str, ...] = ()
    """As they would be written; shown with the explanation and offered."""
    only: tuple[str, ...] = ()
    """The closed list of what may stand there; for a map the values."""
    offer: Offer | None = None
    """Offered besides the examples; anything else may stand there too."""
    keys: tuple[str, ...] = ()
    """Keys of a map that are offered."""
    key_offer: Offer | None = None
    only_keys: bool = False
    """No other keys than `keys`."""

    @property
    def markdown(self) -> str:
        """Both languages, as editors show them; with the examples that editors can't show as such."""
        shown = ", ".join(f"`{each}`" for each in self.examples if '"' in each)
        return f"{self.en}\n\n{self.zh}" + (f"\n\n{shown}" if shown else "")


Notes = dict[str, Note]
