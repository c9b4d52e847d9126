"""Small HTTP/1.1 servers in threads: what the application and the attackers have in common, and a front that can be turned from one
server to another, as a network can be."""

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

LARGEST_HEAD = 64 << 10
LARGEST_BODY = 64 << 20


@dataclass
class Request:
    """A request as it came."""

    method: str
    target: str
    fields: list
    body: bytes
    raw: bytes = field(repr=False)
    # The connection, for who wants to speak something else on it.
    socket: object = field(default=None, repr=False)

    @property
    def path(self):
        return urlsplit(self.target).path

    @property
    def query(self):
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    def get(self, name, default=None):
        """The value of a field, by its name in small letters."""
        return next((value for key, value in self.fields if key.lower() == name), default)

    @property
    def host(self):
        return self.get("host", "")


@dataclass
class Response:
    status: int
    fields: list
    body: bytes = b""

    @classmethod
    def html(cls, text, status=200, *fields):
        page = f"<!doctype html><meta charset=utf-8>{text}".encode()
        return cls(status, [("Content-Type", "text/html; charset=utf-8"), *fields], page)


def start_thread(target, *values):
    threading.Thread(target=target, args=values, daemon=True).start()


class Server:
    """Answers requests by `answer`, a function from Request to Response (or None: the connection was taken over). Everything that
    came, after TLS, is in `received`; requests are in `requests`."""

    def __init__(self, answer, tls=None, port=0):
        self.answer, self.tls = answer, tls
        self.received, self.requests, self.connections = [], [], set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port = self.listener.getsockname()[1]
        start_thread(self._accept)

    def close(self):
        self.listener.close()
        self.cut()

    def cut(self):
        """Ends the connections that there are."""
        with self.lock:
            connections, self.connections = self.connections, set()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections.add(connection)
            start_thread(self._serve, connection)

    def _serve(self, plain):
        connection = plain
        try:
            plain.settimeout(120)
            if self.tls:
                connection = self.tls.wrap_socket(plain, server_side=True)
            self._talk(connection)
        except (OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.connections.discard(plain)
            with contextlib.suppress(OSError):
                connection.close()

    def _talk(self, connection):
        buffer = Buffer(connection, self.received)
        while request := read_request(buffer):
            request.socket = connection
            with self.lock:
                self.requests.append(request)
            response = self.answer(request)
            if response is None:
                return
            connection.sendall(write_response(request, response))
            if response.status == 101 or any(name.lower() == "connection" and value == "close" for name, value in response.fields):
                return


class Buffer:
    """Reads a connection, and keeps what was read."""

    def __init__(self, connection, kept=None):
        self.connection, self.kept, self.ahead = connection, kept, b""

    def more(self):
        piece = self.connection.recv(1 << 16)
        if self.kept is not None and piece:
            self.kept.append(piece)
        self.ahead += piece
        return bool(piece)

    def until(self, end, most=LARGEST_HEAD):
        """What comes before `end`; None if the connection ends first."""
        while end not in self.ahead:
            if len(self.ahead) > most:
                raise ValueError("too long")
            if not self.more():
                return None
        found, _, self.ahead = self.ahead.partition(end)
        return found

    def exactly(self, length):
        if length > LARGEST_BODY:
            raise ValueError("too long")
        pieces = [self.ahead]
        have = len(self.ahead)
        while have < length:
            self.ahead = b""
            if not self.more():
                raise ValueError("cut off")
            pieces.append(self.ahead)
            have += len(self.ahead)
        whole = b"".join(pieces)
        self.ahead = whole[length:]
        return whole[:length]

    def rest(self):
        while self.more():
            pass
        found, self.ahead = self.ahead, b""
        return found


def split_fields(lines):
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return [(name.strip(), value.strip()) for name, value in pairs]


def read_body(buffer, fields, to_the_end=False):
    known = {name.lower(): value for name, value in fields}
    if "chunked" in known.get("transfer-encoding", ""):
        body = b""
        while size := int(buffer.until(b"\r\n").split(b";")[0], 16):
            body += buffer.exactly(size)
            buffer.exactly(2)
        while buffer.until(b"\r\n"):
            pass
        return body
    if "content-length" in known:
        return buffer.exactly(int(known["content-length"]))
    return buffer.rest() if to_the_end else b""


def read_request(buffer):
    head = buffer.until(b"\r\n\r\n")
    if not head:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    fields = split_fields(lines)
    return Request(method, target, fields, read_body(buffer, fields), head + b"\r\n\r\n")


def read_response(buffer, method):
    """A final response of a server, from a connection that is used for nothing else."""
    while True:
        head = buffer.until(b"\r\n\r\n")
        if head is None:
            raise ValueError("no answer")
        first, *lines = head.decode("latin-1").split("\r\n")
        status, fields = int(first.split(" ")[1]), split_fields(lines)
        if status >= 200:
            break
    empty = method == "HEAD" or status in (204, 304)
    return Response(status, fields, b"" if empty else read_body(buffer, fields, to_the_end=True))


def write_response(request, response):
    dropped = ("content-length", "transfer-encoding", "keep-alive")
    fields = [(name, value) for name, value in response.fields if name.lower() not in dropped]
    if response.status not in (101, 204, 304):
        fields.append(("Content-Length", str(len(response.body))))
    head = f"HTTP/1.1 {response.status} Said\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
    return head.encode("latin-1") + (b"" if request.method == "HEAD" else response.body)


class Front:
    """A port in front of one server or another: splices connections, octet by octet. What the address of a site leads to."""

    def __init__(self, port):
        self.honest = self.target = port
        self.lock, self.connections = threading.Lock(), set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        start_thread(self._accept)

    def turn(self, port=None):
        """From now on to this port (the honest one if none is given); connections that there are, are cut."""
        with self.lock:
            self.target = port or self.honest
            connections, self.connections = self.connections, set()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()
        self.turn()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                target = self.target
            try:
                far = socket.create_connection(("127.0.0.1", target), 10)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            with self.lock:
                self.connections |= {near, far}
            start_thread(self._pump, near, far)
            start_thread(self._pump, far, near)

    def _pump(self, source, sink):
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                sink.sendall(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self.lock:
            self.connections -= {source, sink}
