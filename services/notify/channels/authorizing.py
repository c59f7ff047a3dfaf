"""How a gateway knows us: a password, a token, or the signature of a cloud provider."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime

import httpx

from reeve.runtime.providers.auth import AliyunAuth, Auth, BasicAuth, BearerAuth, TencentAuth
from services.notify.channels.signing import Signable, aliyun_headers, tencent_headers


def authorize(request: httpx.Request, auth: Auth, rendered: Callable[[str], str], at: datetime) -> None:
    """The request carries what proves who sends it. `at` is now, aware; signatures are good for minutes around it.

    Every call signs anew, with a nonce of its own: a repeat is no replay to the provider.
    """
    match auth:
        case BasicAuth():
            basic = httpx.BasicAuth(rendered(auth.username), rendered(auth.password))
            next(basic.auth_flow(request))
        case BearerAuth():
            request.headers["authorization"] = f"Bearer {rendered(auth.token)}"
        case AliyunAuth():
            request.headers.update(
                aliyun_headers(
                    _signable(request),
                    action=auth.action,
                    version=auth.version,
                    key_id=rendered(auth.access_key_id),
                    key=rendered(auth.access_key_secret),
                    at=at,
                    nonce=secrets.token_hex(16),
                )
            )
        case TencentAuth():
            request.headers.update(
                tencent_headers(
                    _signable(request),
                    service=auth.service,
                    action=auth.action,
                    version=auth.version,
                    region=auth.region,
                    secret_id=rendered(auth.secret_id),
                    secret_key=rendered(auth.secret_key),
                    at=at,
                )
            )


def _signable(request: httpx.Request) -> Signable:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    return Signable(request.method, path, query, dict(request.headers), request.read())
