"""A server on this machine that speaks as much of S3 as reading needs: lists of objects, their sizes, and ranges."""

from __future__ import annotations

import email.utils
import http.server
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

KEY, SECRET = "AKIATESTKEY", "a-secret-of-the-tests"
"""Credentials of the tests; requests signed with another key are refused."""


@dataclass(slots=True)
class Bucket:
    """Objects of a bucket, by key, and what was asked of it.

    Attributes
    ----------
    objects : dict of str to bytes
    n_bytes : int
        Bytes of objects that were sent.
    """

    objects: dict[str, bytes] = field(default_factory=dict)
    n_bytes: int = 0

    def add_folder(self, folder: Path) -> None:
        """Put all files of a folder into the bucket, under the name of the folder."""
        for file in folder.rglob("*"):
            if file.is_file():
                self.objects[file.relative_to(folder.parent).as_posix()] = file.read_bytes()


@contextmanager
def serve_s3(**buckets: Bucket) -> Iterator[str]:
    """Serve some buckets; yields the address for ``AWS_ENDPOINT_URL``."""
    handler = type("Handler", (_Handler,), {"buckets": buckets})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    buckets: dict[str, Bucket]

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def do_HEAD(self) -> None:
        self._reply()

    def do_GET(self) -> None:
        self._reply()

    def _reply(self) -> None:
        place = urllib.parse.urlsplit(self.path)
        name, _, key = urllib.parse.unquote(place.path).lstrip("/").partition("/")
        if f"Credential={KEY}/" not in self.headers.get("Authorization", ""):
            self._refuse(403, "AccessDenied")
        elif name not in self.buckets:
            self._refuse(404, "NoSuchBucket")
        elif not key:
            asked = dict(urllib.parse.parse_qsl(place.query))
            self._list(self.buckets[name], asked.get("prefix", ""), asked.get("delimiter", ""))
        elif key not in self.buckets[name].objects:
            self._refuse(404, "NoSuchKey")
        else:
            self._send_object(self.buckets[name], self.buckets[name].objects[key])

    def _list(self, bucket: Bucket, prefix: str, delimiter: str) -> None:
        rows, folders = [], {}
        for key in sorted(bucket.objects):
            if not key.startswith(prefix):
                continue
            inner, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            if found:
                folders[prefix + inner + delimiter] = True
                continue
            size = len(bucket.objects[key])
            rows.append(
                f"<Contents><Key>{escape(key)}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>"
                f"<Size>{size}</Size></Contents>"
            )
        rows += [f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in folders]
        count = f"<KeyCount>{len(rows)}</KeyCount><IsTruncated>false</IsTruncated>"
        self._send(200, f"<ListBucketResult>{count}{''.join(rows)}</ListBucketResult>".encode(), "application/xml")

    def _send_object(self, bucket: Bucket, content: bytes) -> None:
        asked = self.headers.get("Range")
        if not asked:
            self._send(200, content, "application/octet-stream", bucket)
            return
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(content)), len(content) - 1)
        part = content[start : end + 1]
        self._send(206, part, "application/octet-stream", bucket, f"bytes {start}-{end}/{len(content)}")

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode(), "application/xml")

    def _send(self, status: int, body: bytes, kind: str, bucket: Bucket | None = None, part: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", email.utils.formatdate(1_700_000_000, usegmt=True))
        if part:
            self.send_header("Content-Range", part)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
            if bucket is not None:
                bucket.n_bytes += len(body)
