"""A small HDFS for tests: WebHDFS over real HTTP on loopback, files in memory, faults on demand.

A NameNode that sends clients on to a DataNode, as far as a log needs it; what it answers was
compared with Hadoop 3.4.
"""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, quote, unquote, urlsplit

How = Literal["before", "after", "half", "short", "standby"]
"""How a request fails: before or after it is done; with half of its bytes, or with half of them
taken for all; or with an answer.
"""

_PREFIX = "/webhdfs/v1"
_HANGS_AT_MOST_S = 60


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, exception: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.document = {"RemoteException": {"exception": exception, "message": message}}


class _Dropped(Exception):
    """The connection ends without an answer."""


@dataclass(slots=True)
class _Entry:
    """A file, or a folder where there is no content."""

    number: int
    content: bytes | None = None


@dataclass(slots=True)
class _Fault:
    """What befalls the requests that an operation's filter lets through."""

    how: How
    after: int
    times: int
    node: str | None
    operation: str | None

    def is_for(self, asked: _Asked) -> bool:
        return self.node in (None, asked.node) and self.operation in (None, asked.operation)


@dataclass(slots=True)
class _Asked:
    """A request as it came."""

    node: str
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    is_cut: bool

    @property
    def operation(self) -> str:
        return self.query.get("op", "")


class WebHdfs:
    """One HDFS; running once it is entered.

    Attributes:
        asked: operation and path of every request to the NameNode, in order.
        users: who asked.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.users: set[str] = set()
        self._numbers = itertools.count(1)
        self._entries: dict[str, _Entry] = {"/": _Entry(0)}
        self._lock = threading.RLock()
        self._faults: list[_Fault] = []
        self._goes_on = threading.Event()
        self._goes_on.set()
        self._nodes: dict[str, _Server] = {}
        self._ports = dict.fromkeys(("namenode", "datanode"), 0)

    def __enter__(self) -> WebHdfs:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._goes_on.set()
        self.stop()

    # --- what a test does to it --------------------------------------------------------------

    def start(self, *nodes: str) -> None:
        """Listen, on the same ports as before."""
        for node in nodes or tuple(self._ports):
            server = _Server(self._ports[node], node, self._serve)
            self._ports[node] = server.server_port
            self._nodes[node] = server
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self, *nodes: str) -> None:
        """End every connection; new ones are refused."""
        for node in nodes or tuple(self._nodes):
            self._nodes.pop(node).stop()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Connections are taken, and nothing is answered meanwhile."""
        self._goes_on.clear()
        try:
            yield
        finally:
            self._goes_on.set()

    def fail(
        self,
        how: How,
        *,
        after: int = 0,
        times: int = 1,
        node: str | None = None,
        operation: str | None = None,
    ) -> None:
        """Let requests fail.

        Args:
            after: as many go well first.
            times: how many fail then.
            node, operation: only such requests count; all when left out.
        """
        with self._lock:
            self._faults.append(_Fault(how, after, times, node, operation))

    def heal(self) -> bool:
        """Let nothing fail any more.

        Returns:
            Whether every failure ordered has happened.
        """
        with self._lock:
            is_done = not self._faults
            self._faults.clear()
        return is_done

    def uri(self, path: str = "/log", user: str = "") -> str:
        """Where a log lies."""
        return f"hdfs://{user + '@' if user else ''}127.0.0.1:{self._ports['namenode']}{path}"

    def files(self, folder: str) -> dict[str, bytes]:
        """Content of the files below a folder, by their path in it."""
        with self._lock:
            return {
                path.removeprefix(folder + "/"): entry.content
                for path, entry in sorted(self._entries.items())
                if path.startswith(folder + "/") and entry.content is not None
            }

    def folders(self, folder: str) -> list[str]:
        """Names of the folders in a folder."""
        with self._lock:
            return [n for n, e in self._children(folder) if e.content is None]

    def put(self, path: str, content: bytes) -> None:
        """Write a file past all protocol."""
        with self._lock:
            self._make_folders(path.rpartition("/")[0])
            self._entries[path] = _Entry(next(self._numbers), content)

    def remove(self, path: str) -> None:
        """Take away a file or a folder with all it holds."""
        with self._lock:
            for other in [p for p in self._entries if p == path or p.startswith(path + "/")]:
                del self._entries[other]

    # --- answering ---------------------------------------------------------------------------

    def _serve(self, asked: _Asked) -> tuple[int, bytes | None, dict[str, str]]:
        """Status, body and headers; a body that is shorter than its announced length is cut."""
        self._goes_on.wait(_HANGS_AT_MOST_S)
        how = self._fault(asked)
        if how == "standby":
            raise Refused(403, "StandbyException", "Operation is not supported in state standby")
        if how == "before" or (how == "half" and asked.node == "namenode"):
            raise _Dropped
        with self._lock:
            if asked.node == "namenode":
                self.asked.append((asked.operation, asked.path))
                self.users.add(asked.query.get("user.name", ""))
            try:
                return self._answer(asked, how)
            finally:
                if how == "after" or asked.is_cut:
                    raise _Dropped  # whatever the answer is

    def _fault(self, asked: _Asked) -> How | None:
        with self._lock:
            for fault in self._faults:
                if fault.is_for(asked):
                    if fault.after:
                        fault.after -= 1
                        continue
                    fault.times -= 1
                    if not fault.times:
                        self._faults.remove(fault)
                    return fault.how
        return None

    def _answer(self, asked: _Asked, how: How | None) -> tuple[int, bytes | None, dict[str, str]]:
        operation = (asked.method, asked.operation)
        if operation in (("PUT", "CREATE"), ("GET", "OPEN")):
            if asked.node == "namenode":
                return self._sent_on(asked)
            if asked.operation == "CREATE":
                return self._create(asked, how)
            return self._open(asked, how)
        simple: dict[tuple[str, str], Callable[[_Asked], Any]] = {
            ("GET", "LISTSTATUS"): self._list,
            ("GET", "GETFILESTATUS"): self._status,
            ("PUT", "MKDIRS"): self._mkdirs,
            ("PUT", "RENAME"): self._rename,
            ("DELETE", "DELETE"): self._delete,
        }
        if operation not in simple:
            message = f"Invalid operation {asked.operation}"
            raise Refused(400, "IllegalArgumentException", message)
        document = simple[operation](asked)
        body = b"" if document is None else json.dumps(document).encode()
        return 200, body, {"Content-Type": "application/json"}

    def _sent_on(self, asked: _Asked) -> tuple[int, bytes | None, dict[str, str]]:
        if asked.operation == "OPEN":
            entry = self._file(asked.path)
            offset = int(asked.query.get("offset", 0))
            if entry.content and not 0 <= offset < len(entry.content):
                raise Refused(
                    403, "IOException", f"Offset={offset} out of the range; OPEN, {asked.path}"
                )
        query = "&".join(f"{name}={quote(value)}" for name, value in asked.query.items())
        where = f"http://127.0.0.1:{self._ports['datanode']}{_PREFIX}{quote(asked.path)}?{query}"
        return 307, b"", {"Location": where}

    def _create(self, asked: _Asked, how: How | None) -> tuple[int, bytes | None, dict[str, str]]:
        if asked.path in self._entries and asked.query.get("overwrite", "").lower() != "true":
            raise Refused(403, "FileAlreadyExistsException", f"{asked.path} already exists")
        self.put(asked.path, _taken(asked.body, how))
        if how == "half":
            raise _Dropped
        return 201, b"", {}

    def _open(self, asked: _Asked, how: How | None) -> tuple[int, bytes | None, dict[str, str]]:
        content = (self._file(asked.path).content or b"")[int(asked.query.get("offset", 0)) :]
        sent = _taken(content, how)
        return 200, sent, {"Content-Length": str(len(sent if how == "short" else content))}

    def _list(self, asked: _Asked) -> dict[str, Any]:
        entry = self._entry(asked.path)
        shown = (
            [_status(name, e) for name, e in self._children(asked.path)]
            if entry.content is None
            else [_status("", entry)]
        )
        return {"FileStatuses": {"FileStatus": shown}}

    def _status(self, asked: _Asked) -> dict[str, Any]:
        return {"FileStatus": _status("", self._entry(asked.path))}

    def _mkdirs(self, asked: _Asked) -> dict[str, Any]:
        self._make_folders(asked.path)
        return {"boolean": True}

    def _rename(self, asked: _Asked) -> dict[str, Any] | None:
        source, target = asked.path, asked.query["destination"]
        parent = self._entries.get(target.rpartition("/")[0] or "/")
        there = self._entries.get(target)
        may = source in self._entries and parent is not None and parent.content is None
        if asked.query.get("renameoptions") == "OVERWRITE":
            if not may:
                raise Refused(404, "FileNotFoundException", f"rename {source} to {target}")
            self._entries[target] = self._entries.pop(source)
            return None
        if may and there is None:
            self._entries[target] = self._entries.pop(source)
            return {"boolean": True}
        return {"boolean": False}

    def _delete(self, asked: _Asked) -> dict[str, Any]:
        if self._children(asked.path):
            raise Refused(403, "PathIsNotEmptyDirectoryException", f"{asked.path} is not empty")
        return {"boolean": self._entries.pop(asked.path, None) is not None}

    def _entry(self, path: str) -> _Entry:
        if path not in self._entries:
            raise Refused(404, "FileNotFoundException", f"File {path} does not exist.")
        return self._entries[path]

    def _file(self, path: str) -> _Entry:
        entry = self._entry(path)
        if entry.content is None:
            raise Refused(404, "FileNotFoundException", f"Path is not a file: {path}")
        return entry

    def _children(self, folder: str) -> list[tuple[str, _Entry]]:
        start = folder.rstrip("/") + "/"
        below = (
            (p.removeprefix(start), e) for p, e in self._entries.items() if p.startswith(start)
        )
        return sorted((n, e) for n, e in below if n and "/" not in n)

    def _make_folders(self, path: str) -> None:
        while path and path not in self._entries:
            self._entries[path] = _Entry(next(self._numbers))
            path = path.rpartition("/")[0]


class _Server(ThreadingHTTPServer):
    """One node."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(
        self,
        port: int,
        node: str,
        serve: Callable[[_Asked], tuple[int, bytes | None, dict[str, str]]],
    ) -> None:
        self.node = node
        self.serve = serve
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, to end it."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients go away, and connections are ended on purpose."""

    def stop(self) -> None:
        """Stop listening, and end what goes on."""
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is sent in one piece, or each waits for the other's acknowledgement
    server: _Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _do(self) -> None:
        url = urlsplit(self.path)
        body, is_cut = self._body()
        asked = _Asked(
            self.server.node,
            self.command,
            unquote(url.path).removeprefix(_PREFIX),
            {name: values[0] for name, values in parse_qs(url.query).items()},
            body,
            is_cut,
        )
        try:
            status, content, headers = self.server.serve(asked)
        except _Dropped:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        except Refused as refused:
            status, headers = refused.status, {"Content-Type": "application/json"}
            content = json.dumps(refused.document).encode()
        content = content or b""
        announced = int(headers.setdefault("Content-Length", str(len(content))))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()
        if len(content) < announced:
            self.close_connection = True

    do_GET = do_PUT = do_DELETE = _do  # noqa: N815 - the library's names

    def _body(self) -> tuple[bytes, bool]:
        """The body as far as it came, and whether it was cut off."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            return body, len(body) < length
        body = b""
        while True:
            announced = self.rfile.readline().strip()
            if not announced:
                return body, True
            length = int(announced, 16)
            chunk = self.rfile.read(length)
            body += chunk
            if len(chunk) < length or self.rfile.readline() != b"\r\n":
                return body, True
            if not length:
                return body, False


def _status(name: str, entry: _Entry) -> dict[str, Any]:
    return {
        "pathSuffix": name,
        "type": "DIRECTORY" if entry.content is None else "FILE",
        "length": len(entry.content or b""),
        "fileId": entry.number,
        "modificationTime": 0,
    }


def _taken(content: bytes, how: How | None) -> bytes:
    return content[: max(1, len(content) // 2)] if how in ("half", "short") else content
