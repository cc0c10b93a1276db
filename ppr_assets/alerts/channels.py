"""The ways to somebody: a webhook, mail, and whatever ``apprise`` knows.

Webhooks go by ``urllib``: it is in every Python, and one POST needs no more. Addresses hold
secrets, and so may what the other side answers, so an error is said in words of ours alone.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import logging
import smtplib
import ssl
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from http import HTTPStatus
from string import punctuation
from typing import Any
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit, urlunsplit

from ppr_assets.alerts.words import payload, text, title
from ppr_assets.errors import PprError
from ppr_assets.rules.incidents import Message

TIMEOUT_SECONDS = 10.0


class ChannelFailed(PprError):
    """A message did not get through; never with the address, nor with what the other side said."""


def send(url: str, message: Message, where: str) -> None:
    """Hand ``message`` over at ``url``. Raises :class:`ChannelFailed`."""
    scheme = urlsplit(url).scheme
    way: Callable[[str, Message, str], None] = _WAYS.get(scheme, _by_apprise)
    try:
        way(url, message, where)
    except smtplib.SMTPResponseException as error:
        raise ChannelFailed(f"the mail server answered {error.smtp_code}") from None
    except smtplib.SMTPRecipientsRefused:
        raise ChannelFailed("the mail server takes no mail for that address") from None
    except (OSError, smtplib.SMTPException, http.client.HTTPException, ValueError) as error:
        raise ChannelFailed(_reason(error)) from None


def post(url: str, body: bytes, content_type: str) -> None:
    """One POST. A redirection is not followed: it would arrive as a GET, without its body."""
    headers = {"Content-Type": content_type, "User-Agent": "ppr-assets"}
    try:
        address, credentials = _parted(url)
        request = urllib.request.Request(  # noqa: S310 - the settings take http and https alone
            address, data=body, headers={**headers, **credentials}
        )
        _opener().open(request, timeout=TIMEOUT_SECONDS).close()
    except urllib.error.HTTPError as error:
        error.close()
        known = next((one.phrase for one in HTTPStatus if one == error.code), "unknown")
        raise ChannelFailed(f"the server answered {error.code} ({known.lower()})") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ChannelFailed(_reason(error)) from None


def _parted(url: str) -> tuple[str, Mapping[str, str]]:
    """The address in the letters that HTTP has, and the header that lets its user in: left in the
    address, urllib would ask the name servers for a host of that name."""
    parts = urlsplit(url)
    # With the port, its last label would be another one. Of `[::1]` nothing is changed.
    host, *port = parts.netloc.rpartition("@")[2].partition(":")
    place = "".join([host.encode("idna").decode(), *port])
    address = quote(urlunsplit(parts._replace(netloc=place, fragment="")), safe=punctuation)
    if parts.username is None:
        return address, {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return address, {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_NoRedirection)


def _by_webhook(url: str, message: Message, where: str) -> None:
    body = json.dumps(payload(message, where), ensure_ascii=False).encode()
    post(url, body, "application/json; charset=utf-8")


def _by_mail(url: str, message: Message, where: str) -> None:
    parts = urlsplit(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    with _mail_server(parts) as server:
        if user:
            _require_hidden(server, parts.hostname or "")
            server.login(user, password)
        server.send_message(_mail(parts, user, message, where))


def _mail_server(parts: SplitResult) -> smtplib.SMTP:
    host = parts.hostname or ""
    if parts.scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=context)
    server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_SECONDS)
    server.ehlo_or_helo_if_needed()
    if server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
    return server


def _require_hidden(server: smtplib.SMTP, host: str) -> None:
    """A password goes over no wire that others may read."""
    if isinstance(server.sock, ssl.SSLSocket) or _is_here(host):
        return
    raise ChannelFailed(
        "the mail server offers no TLS, so the password was not sent",
        hint="use smtps://, a server that offers STARTTLS, or leave out user and password.",
    )


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _mail(parts: SplitResult, user: str, message: Message, where: str) -> EmailMessage:
    asked = parse_qs(parts.query)
    sender = asked.get("from", [user if "@" in user else f"ppr-assets@{parts.hostname}"])[0]
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = ", ".join(asked.get("to", []))
    mail["Subject"] = " ".join(f"[ppr-assets] {title(message)}".split())
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or None)
    mail["Auto-Submitted"] = "auto-generated"  # no answer of somebody's absence comes back
    mail.set_content(text(message, where) + "\n")
    return mail


def _by_apprise(url: str, message: Message, where: str) -> None:
    try:
        import apprise
    except ImportError:
        raise ChannelFailed(
            f"`{urlsplit(url).scheme}://` needs the package apprise, which is not installed",
            hint="install the extra: pip install 'ppr-assets[alerts]'.",
        ) from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its words quote addresses
    service = apprise.Apprise()
    try:
        known = service.add(url)
        delivered = known and service.notify(title=title(message), body=text(message, where))
    except Exception as error:  # noqa: BLE001 - of a hundred services, in words that may hold the URL
        raise ChannelFailed(f"apprise failed ({type(error).__name__})") from None
    if not known:
        raise ChannelFailed("apprise cannot read the URL", hint="see apprise's list of services.")
    if not delivered:
        raise ChannelFailed("apprise could not deliver it")


_WAYS: dict[str, Callable[[str, Message, str], None]] = {
    "http": _by_webhook,
    "https": _by_webhook,
    "smtp": _by_mail,
    "smtps": _by_mail,
}


def _reason(error: Exception) -> str:
    """What the system says; never what the other side said."""
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(inner, TimeoutError):
        return f"no answer within {TIMEOUT_SECONDS:g} s"
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"its certificate cannot be trusted: {inner.verify_message}"
    if isinstance(inner, ssl.SSLError):
        return f"no TLS with it: {(inner.reason or 'unknown').replace('_', ' ').lower()}"
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror.lower()
    return f"the connection broke off ({type(inner).__name__})"
