"""How a provider knows us: a password, a token, or the signature of a cloud provider."""

from __future__ import annotations

from typing import Annotated
from typing import Literal as OneOf

from pydantic import Field

from reeve.runtime.providers.fields import Name, SecretText, Strict, TemplateText


class BasicAuth(Strict):
    """HTTP basic; both values are templates."""

    kind: OneOf["basic"]
    username: TemplateText
    password: SecretText


class BearerAuth(Strict):
    """A token in the Authorization header."""

    kind: OneOf["bearer"]
    token: SecretText


class AliyunAuth(Strict):
    """The V3 signature of Alibaba Cloud, ACS3-HMAC-SHA256."""

    kind: OneOf["aliyun"]
    access_key_id: SecretText
    access_key_secret: SecretText
    action: Name
    version: Name


class TencentAuth(Strict):
    """The signature v3 of Tencent Cloud, TC3-HMAC-SHA256."""

    kind: OneOf["tencent"]
    secret_id: SecretText
    secret_key: SecretText
    service: Name
    action: Name
    version: Name
    region: Name


Auth = Annotated[BasicAuth | BearerAuth | AliyunAuth | TencentAuth, Field(discriminator="kind")]
SIGNED = (AliyunAuth, TencentAuth)
"""These sign the request whole, so that its URL must stand in their form."""
