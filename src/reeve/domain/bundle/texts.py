"""What people read, in their languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Texts = Mapping[str, str]
"""Language code → text."""

MessageTemplates = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""message → language → channel → template text (`sms`), or {subject, body} (`email`)."""
