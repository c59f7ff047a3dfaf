"""Stand-ins for SMS providers that check what the provider would: signature, time, nonce, template, parameters.

They are written from the providers' documentation and share no code with what signs: a mistake would have to be
made twice. Two requests of one nonce, or a variable too many, are refused as the provider refuses them.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote

from reeve.devstack.tiny_http import Request, Response

KEY_ID, KEY = "AKtest", "a secret/+= 钥匙"
ACCOUNT = "AC0123456789"


@dataclass
class Provider:
    """Takes messages; `misbehave` holds answers that are given instead, one a request."""

    now: datetime
    """The provider's clock."""
    templates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Approved: code → variables."""
    taken: list[dict[str, Any]] = field(default_factory=list)
    misbehave: list[Response | float | None] = field(default_factory=list)
    """A response; seconds of silence before one; None for a connection that drops."""
    port: int = 0
    """Where it listens."""

    async def handle(self, request: Request) -> Response | None:
        """The provider's answer to a request."""
        answer = self.answer(request)
        if self.misbehave:
            wrong = self.misbehave.pop(0)
            if isinstance(wrong, float):
                await asyncio.sleep(wrong)
                return answer
            return wrong
        return answer

    def answer(self, request: Request) -> Response:
        """What a provider in good health says."""
        raise NotImplementedError


class Aliyun(Provider):
    """dysmsapi 2017-05-25 SendSms behind the gateway that checks ACS3-HMAC-SHA256."""

    nonces: frozenset[str] = frozenset()

    def answer(self, request: Request) -> Response:
        """`Code` is OK or the refusal; what the gateway refuses has status 4xx, what the service refuses 200."""
        headers = request.headers
        fault = self._unsigned(request)
        if fault:
            return _json(400, {"Code": fault, "Message": "-", "RequestId": "r"})
        if (headers["x-acs-action"], headers["x-acs-version"]) != ("SendSms", "2017-05-25"):
            return _json(404, {"Code": "InvalidAction.NotFound"})
        fields = dict(parse_qsl(request.query, keep_blank_values=True, strict_parsing=True))
        try:
            params = json.loads(fields["TemplateParam"])
        except ValueError:
            return _json(200, {"Code": "isv.INVALID_JSON_PARAM"})
        if not re.fullmatch(r"\d{5,15}", fields["PhoneNumbers"]):
            return _json(200, {"Code": "isv.MOBILE_NUMBER_ILLEGAL"})
        if fields["TemplateCode"] not in self.templates:
            return _json(200, {"Code": "isv.SMS_TEMPLATE_ILLEGAL"})
        if set(params) != set(self.templates[fields["TemplateCode"]]) or not all(params.values()):
            return _json(200, {"Code": "isv.TEMPLATE_MISSING_PARAMETERS"})
        self.taken.append({**fields, "TemplateParam": params})
        return _json(200, {"Code": "OK", "Message": "OK", "BizId": "900619746936498440^0", "RequestId": "r"})

    def _unsigned(self, request: Request) -> str:
        headers = request.headers
        given = re.fullmatch(
            r"ACS3-HMAC-SHA256 Credential=(\S+),SignedHeaders=([a-z0-9;-]+),Signature=([0-9a-f]{64})",
            headers.get("authorization", ""),
        )
        if given is None or given[1] != KEY_ID:
            return "InvalidAccessKeyId.NotFound"
        must = {"host", *(name for name in headers if name.startswith("x-acs-"))}
        if not must <= set(given[2].split(";")):
            return "IncompleteSignature"
        at = datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        if abs(at - self.now) > timedelta(minutes=15):
            return "InvalidTimeStamp.Expired"
        if headers["x-acs-signature-nonce"] in self.nonces:
            return "SignatureNonceUsed"
        self.nonces |= {headers["x-acs-signature-nonce"]}
        digest = hashlib.sha256(request.body).hexdigest()
        if headers["x-acs-content-sha256"] != digest:
            return "SignatureDoesNotMatch"
        # As a server sees it: the query is read into fields, and these are written anew.
        pairs = [part.partition("=")[::2] for part in request.query.split("&")]
        query = "&".join(f"{_rfc3986(unquote(name))}={_rfc3986(unquote(value))}" for name, value in sorted(pairs))
        lines = "".join(f"{name}:{headers[name]}\n" for name in given[2].split(";"))
        canonical = f"{request.method}\n{request.path}\n{query}\n{lines}\n{given[2]}\n{digest}"
        to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
        right = hmac.new(KEY.encode(), to_sign.encode(), "sha256").hexdigest()
        return "" if hmac.compare_digest(right, given[3]) else "SignatureDoesNotMatch"


class Tencent(Provider):
    """sms 2021-01-11 SendSms behind TC3-HMAC-SHA256; the status is always 200."""

    def answer(self, request: Request) -> Response:
        """An Error of the call, or the status of the one number."""
        fault = self._unsigned(request)
        if fault:
            return _json(200, {"Response": {"Error": {"Code": fault, "Message": "-"}, "RequestId": "r"}})
        body = json.loads(request.body)
        code = "Ok"
        if not re.fullmatch(r"\+\d{5,15}", body["PhoneNumberSet"][0]):
            code = "InvalidParameterValue.IncorrectPhoneNumber"
        elif body["TemplateId"] not in self.templates:
            code = "FailedOperation.TemplateIncorrectOrUnapproved"
        elif len(body["TemplateParamSet"]) != len(self.templates[body["TemplateId"]]):
            code = "InvalidParameterValue.TemplateParameterFormatError"
        else:
            self.taken.append(body)
        status = {"SerialNo": "5000:1045710669157053657849499619", "Fee": 1, "Code": code, "Message": "-"}
        return _json(200, {"Response": {"SendStatusSet": [status], "RequestId": "r"}})

    def _unsigned(self, request: Request) -> str:
        headers = request.headers
        given = re.fullmatch(
            r"TC3-HMAC-SHA256 Credential=(\S+)/(\d{4}-\d\d-\d\d)/sms/tc3_request, "
            r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})",
            headers.get("authorization", ""),
        )
        if given is None:
            return "AuthFailure.InvalidAuthorization"
        if given[1] != KEY_ID:
            return "AuthFailure.SecretIdNotFound"
        wanted = (headers["x-tc-action"], headers["x-tc-version"], headers["x-tc-region"])
        if wanted != ("SendSms", "2021-01-11", "ap-guangzhou"):
            return "InvalidAction"
        moment = datetime.fromtimestamp(int(headers["x-tc-timestamp"]), UTC)
        if abs(moment - self.now) > timedelta(minutes=5) or f"{moment:%Y-%m-%d}" != given[2]:
            return "AuthFailure.SignatureExpire"
        if not {"content-type", "host"} <= set(given[3].split(";")) or request.query:
            return "AuthFailure.SignatureFailure"
        lines = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in given[3].split(";"))
        digest = hashlib.sha256(request.body).hexdigest()
        canonical = f"{request.method}\n/\n\n{lines}\n{given[3]}\n{digest}"
        to_sign = (
            f"TC3-HMAC-SHA256\n{headers['x-tc-timestamp']}\n{given[2]}/sms/tc3_request\n"
            + hashlib.sha256(canonical.encode()).hexdigest()
        )
        day = hmac.new(b"TC3" + KEY.encode(), given[2].encode(), "sha256").digest()
        signing = hmac.new(hmac.new(day, b"sms", "sha256").digest(), b"tc3_request", "sha256").digest()
        right = hmac.new(signing, to_sign.encode(), "sha256").hexdigest()
        return "" if hmac.compare_digest(right, given[4]) else "AuthFailure.SignatureFailure"


class Twilio(Provider):
    """Messages.json of 2010-04-01."""

    def answer(self, request: Request) -> Response:
        """201 and the message, or an error with its code."""
        user = base64.b64encode(f"{KEY_ID}:{KEY}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {user}":
            return _json(401, {"code": 20003, "message": "Authenticate", "status": 401})
        if (request.method, request.path) != ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"):
            return _json(404, {"code": 20404, "message": "-", "status": 404})
        if request.headers["content-type"] != "application/x-www-form-urlencoded":
            return _json(400, {"code": 21602, "message": "-", "status": 400})
        fields = dict(parse_qsl(request.body.decode(), strict_parsing=True))
        if not re.fullmatch(r"\+\d{5,15}", fields["To"]):
            return _json(
                400, {"code": 21211, "message": f"Invalid 'To' Phone Number: {fields['To']}", "status": 400}
            )
        self.taken.append(fields)
        message = {"sid": "SM" + "0" * 32, "status": "queued", "error_code": None, "to": fields["To"]}
        return _json(201, message)


def _rfc3986(text: str) -> str:
    plain = "-_.~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return "".join(chr(byte) if chr(byte) in plain else f"%{byte:02X}" for byte in text.encode())


def _json(status: int, answer: object) -> Response:
    return Response(status, json.dumps(answer, ensure_ascii=False).encode(), "application/json;charset=utf-8")
