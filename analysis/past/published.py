"""Download of files from a published site, all or none."""

from __future__ import annotations

from http.client import BadStatusLine, HTTPException, IncompleteRead, RemoteDisconnected
from urllib.error import HTTPError
from urllib.request import urlopen

from analysis.base.errors import InputError

MOST_BYTES = 2_000_000
"""Largest file that is read from a published site."""
TIMEOUT_SECONDS = 30


def download(address: str) -> bytes | None:
    """Download an address; return None if it does not exist (404).

    Raises
    ------
    InputError
        Where it does not answer with what can be a record.
    """
    try:
        with urlopen(address, timeout=TIMEOUT_SECONDS) as answer:
            content: bytes = answer.read(MOST_BYTES + 1)
            expected = answer.headers.get("Content-Length")
    except HTTPError as error:
        with error:
            if error.code == 404:
                return None
            raise unusable(f"{address} answered {error.code} {error.reason}.", "Expected a history.") from None
    except TimeoutError:
        raise unusable(f"{address} did not answer within {TIMEOUT_SECONDS} seconds.", "Expected a history.") from None
    except (OSError, ValueError, HTTPException) as error:
        reason = _NO_ANSWER.get(type(error)) or str(getattr(error, "reason", error)).strip() or type(error).__name__
        raise unusable(f"{address} cannot be fetched: {reason}.", "Expected a history.") from None
    if len(content) > MOST_BYTES:
        raise unusable(f"{address} is larger than a record can be.", f"Expected at most {MOST_BYTES:,} bytes.")
    if expected and expected.isdigit() and len(content) < int(expected):
        raise unusable(f"{address} broke off after {len(content):,} bytes.", f"Expected {int(expected):,}.")
    return content


_NO_ANSWER: dict[type[BaseException], str] = {
    BadStatusLine: "the answer is not HTTP",
    RemoteDisconnected: "the connection was closed without an answer",
    IncompleteRead: "the answer broke off",
}


def unusable(what: str, expected: str) -> InputError:
    hint = "Nothing was changed. Try again, or correct the address; to begin a new history, leave this step out once."
    return InputError(what, expected, hint)
