"""What people answer to a message, beside `acknowledged`: the same fields in every family."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from reeve.contracts.fields import Data

Minutes = Annotated[int, Strict(), Field(ge=1, le=120)]


class Delayed(Data):
    """A person needs more time: the step's reminders and rungs wait so much longer; limits stay where they are."""

    minutes: Minutes
