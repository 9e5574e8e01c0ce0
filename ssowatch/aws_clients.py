"""How AWS is called, and what its faults mean (one edge with `identity_center` and `authorization`).

Rules of this file:
1. One attempt per call, short time-outs: botocore's own retry of a lost CreateToken replays a consumed token, so the
   replay is decided above, once.
2. Unsigned, from a bare session without any AWS config: a general `AWS_ENDPOINT_URL` (LocalStack users have one) must
   never receive a refresh token, a broken `~/.aws/config` must not stop renewals, and no credential is looked up. Only
   `AWS_ENDPOINT_URL_SSO_OIDC`, `AWS_ENDPOINT_URL_SSO` and `AWS_ENDPOINT_URL_STS` move the calls.
3. A network fault is never a refusal.
4. Of an answer at most 1 MiB is read: botocore would take any number, and an endless one the machine's memory.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache, partial
from typing import Any, TypeVar

import boto3
import botocore.loaders
import botocore.session
import urllib3.exceptions
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from ssowatch.answers import Granted, Refusal, Unanswered
from ssowatch.model import SignIn
from ssowatch.plain import plain
from ssowatch.undumpable import refuse_dumps

CONNECT_SECONDS = 5
READ_SECONDS = 15
LONGEST_TOKEN = 64 << 10
LARGEST = 1 << 20
"""Bytes of an answer; real ones have a few thousand."""
_AT_ONCE = 64 << 10
_LONGEST_LIFE = 90 * 86400
_NOT_SENT = (EndpointConnectionError, ConnectTimeoutError)  # a proxy or TLS may break after the request, too
_MAYBE_ACTED = (ReadTimeoutError, ConnectionClosedError)
ABSURD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, ResponseParserError)
"""What botocore's parser raises on an answer that makes no sense."""
_NO_CONFIG = {
    # (name in the config, environment variable, default, conversion): no file, no profile, whatever the environment says
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
_ENDPOINTS = {
    "sso-oidc": "AWS_ENDPOINT_URL_SSO_OIDC",
    "sso": "AWS_ENDPOINT_URL_SSO",
    "sts": "AWS_ENDPOINT_URL_STS",
}
_T = TypeVar("_T")
_U = TypeVar("_U")


class Clients:
    """Makes the clients of one sign-in."""

    def __init__(self, sign_in: SignIn) -> None:
        refuse_dumps()
        self._ca_bundle = sign_in.ca_bundle
        session = botocore.session.Session(session_vars=_NO_CONFIG)
        session.register_component("data_loader", _service_models())
        self._session = boto3.session.Session(botocore_session=session, region_name=sign_in.region)

    def make(self, service: str, *, seconds: float | None = None, **keys: str) -> Any:  # noqa: ANN401 - boto3's clients
        """A client of that service. `seconds` shortens both time-outs; `keys` are role keys to sign with (STS).

        Raises:
            BotoCoreError, ValueError, OSError: it cannot be made (a bad region, endpoint or CA file).

        """
        config = Config(
            signature_version=None if keys else UNSIGNED,
            # "auto" in the environment would ask the EC2 metadata service
            defaults_mode="legacy",  # type: ignore[arg-type] # bool in the stubs, a word in botocore
            ignore_configured_endpoint_urls=True,  # type: ignore[call-arg] # missing in the stubs only
            retries={"total_max_attempts": 1},
            connect_timeout=seconds or CONNECT_SECONDS,
            read_timeout=seconds or READ_SECONDS,
        )
        client: Any = self._session.client(  # type: ignore[call-overload]
            service,
            endpoint_url=os.environ.get(_ENDPOINTS[service]) or None,
            config=config,
            verify=self._ca_file(),
            **keys,
        )
        client.meta.events.register("before-send", partial(_sent, client._endpoint.http_session))  # noqa: SLF001 - no other way in
        return client

    def ask(self, call: Callable[[], _T], refused: Callable[[ClientError], _U]) -> _T | _U | Unanswered:
        """What `call` gives; what `refused` makes of AWS's own no; `Unanswered` when there was no sensible answer."""
        try:
            return call()
        except ClientError as error:
            return refused(error)
        except _MAYBE_ACTED as error:
            return Unanswered(_reason(error), maybe_acted=True)
        except SSLError as error:
            own = self._ca_file()
            return Unanswered(f"TLS failed with the CA file {plain(own)}" if own else _reason(error), maybe_acted=False)
        except BotoCoreError as error:
            return Unanswered(_reason(error), maybe_acted=not isinstance(error, _NOT_SENT))
        except OSError as error:  # after botocore's errors, half of which are an OSError too
            return Unanswered(plain(str(error)), maybe_acted=False)
        except ABSURD as error:
            return Unanswered(f"the answer made no sense ({type(error).__name__})", maybe_acted=True)

    def _ca_file(self) -> str | None:
        """What HTTPS calls must trust instead of the public CAs, if anything."""
        trusted = os.environ.get("AWS_CA_BUNDLE") or self._ca_bundle
        return os.path.expanduser(trusted) if trusted else None  # noqa: PTH111


class _TooLargeError(HTTPClientError):
    fmt = "the answer is larger than {limit} bytes"


class _Body(io.BytesIO):
    """What was read, as botocore reads it."""

    def stream(self) -> Iterator[bytes]:
        yield self.getvalue()


def _sent(session: Any, request: Any, **_: object) -> AWSResponse:  # noqa: ANN401 - botocore's untyped ones
    """What botocore's own session would answer (`httpsession.URLLib3Session.send`), its body read with a bound."""
    request.stream_output = True
    answer = session.send(request)
    body = bytearray()
    try:
        for part in answer.raw.stream(_AT_ONCE):
            body += part
            if len(body) > LARGEST:
                raise _TooLargeError(limit=LARGEST)
    except urllib3.exceptions.ReadTimeoutError as error:
        raise ReadTimeoutError(endpoint_url=request.url, error=error) from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise ConnectionClosedError(endpoint_url=request.url, error=error) from None
    finally:
        answer.raw.close()
    return AWSResponse(request.url, answer.status_code, answer.headers, _Body(body))


@cache
def _service_models() -> botocore.loaders.Loader:
    """One for all clients: each own one would parse the same models again (measured: 110 ms and 8 MB a client)."""
    return botocore.loaders.create_loader()


def granted(answer: dict[str, Any], now: datetime) -> Granted | Unanswered:
    """The tokens of a CreateToken answer. `now` is the local clock before the call."""
    access, refresh, seconds = answer.get("accessToken"), answer.get("refreshToken"), answer.get("expiresIn")
    if not isinstance(access, str) or not 0 < len(access) <= LONGEST_TOKEN:
        return Unanswered("the answer holds no access token", maybe_acted=True)
    if not isinstance(seconds, int) or not 0 < seconds <= _LONGEST_LIFE:
        return Unanswered("the answer gives no sensible life", maybe_acted=True)
    if refresh is not None and (not isinstance(refresh, str) or len(refresh) > LONGEST_TOKEN):
        return Unanswered("the answer's refresh token makes no sense", maybe_acted=True)
    return Granted(access, refresh or None, timedelta(seconds=seconds), skew(answer.get("ResponseMetadata"), now))


def refusal(error: ClientError, reasons: dict[str, tuple[str, str]], now: datetime) -> Refusal | Unanswered:
    """What AWS's own no means: `reasons` has our code and words for each of its codes; any other one decided nothing."""
    details: Any = error.response.get("Error", {})
    code = str(details.get("Code"))
    metadata: Any = error.response.get("ResponseMetadata") or {}
    if code not in reasons:  # SlowDown, InternalServer, throttling, a proxy's page
        status = metadata.get("HTTPStatusCode", "unknown")
        return Unanswered(plain(f"AWS answered {code} (HTTP {status})"), maybe_acted=False)
    kind, reason = reasons[code]
    if right := error.response.get("region"):
        reason += f": {plain(str(right), 40)}"
    return Refusal(kind, reason, skew(metadata, now))


def skew(metadata: Any, now: datetime) -> timedelta:  # noqa: ANN401 - botocore's untyped answer
    """The local clock minus the server's; zero where the answer names no date."""
    with suppress(AttributeError, KeyError, TypeError, ValueError, OverflowError):
        at = parsedate_to_datetime(metadata["HTTPHeaders"]["date"])
        return now - (at if at.tzinfo else at.replace(tzinfo=UTC))
    return timedelta()


def _reason(error: Exception) -> str:
    """The kind of fault; botocore's text may name proxies with passwords, so only known kinds are spelled out."""
    kinds = {
        EndpointConnectionError: "cannot connect",
        ConnectTimeoutError: "connecting takes too long",
        ReadTimeoutError: "the answer takes too long",
        ConnectionClosedError: "the connection was closed before an answer",
        ProxyConnectionError: "cannot connect to the proxy",
        _TooLargeError: "the answer is too large",
        SSLError: "TLS failed (a captive portal, or a company CA that AWS_CA_BUNDLE should name)",
    }
    return next((text for kind, text in kinds.items() if isinstance(error, kind)), type(error).__name__)
