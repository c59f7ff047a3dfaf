"""A delivery as silences see it."""

from __future__ import annotations

from dataclasses import dataclass

from reeve.runtime.store.deliveries import Delivery


@dataclass(frozen=True, slots=True)
class HiddenMessage:
    """A stored delivery, with the grade it was asked for at."""

    delivery: Delivery
    grade: str | None

    @property
    def site(self) -> str:
        return self.delivery.case.site

    @property
    def policy(self) -> str:
        return self.delivery.case.policy

    @property
    def subject(self) -> str:
        return self.delivery.case.subject

    @property
    def role(self) -> str:
        return self.delivery.role

    @property
    def recipient(self) -> str:
        return self.delivery.recipient

    @property
    def message(self) -> str:
        return self.delivery.message

    @property
    def rank(self) -> int:
        return self.delivery.rank
