"""Logs: a fixed sentence and fields, one JSON object a line (or a readable line on a terminal).

Fields hold ids, never names, rooms, phones, emails or free text (PRIVACY-01). INFO: a case changed;
DEBUG: an expected no-op; ERROR: a person should act. Metrics are prometheus_client objects beside their use.
"""

from __future__ import annotations

import logging
import sys
from typing import Any
from typing import Literal as OneOf

import structlog

Log = structlog.stdlib.BoundLogger
"""What `get_log` returns; annotate with this."""

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logging(
    service: str,
    format: OneOf["json", "console"] = "json",
    level: OneOf["debug", "info", "warning", "error"] = "info",
) -> None:
    """Every later log line, of ours and of libraries, goes to stderr in this form and carries `service`."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    errors: list[structlog.typing.Processor] = [structlog.processors.format_exc_info] if format == "json" else []
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *errors, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    for chatty in ("pymongo", "nats", "httpx", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, _LEVELS[level]))
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(service=service)


def get_log(area: str) -> Log:
    """A logger. Use: `log.info("A case was opened.", action="case_opened", case=case_id)`."""
    log: Log = structlog.stdlib.get_logger(area)
    return log


def error_fields(error: BaseException) -> dict[str, Any]:
    """What a log line may say about an error: its class. A message may quote what a site posted."""
    return {"error": type(error).__name__}
