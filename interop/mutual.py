"""A client of HTTP Mutual authentication for iso-kam3-ec-p256-sha256, written from RFC 8120 and RFC 8121 alone, to check the
gateway from outside. Not for secrets: nothing here is constant-time."""

import hashlib
import http.client
import re
import secrets
import ssl
from urllib.parse import urlsplit

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
A = P - 3
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
R = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def add(p, q):
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % P == 0:
            return None
        slope = (3 * p[0] * p[0] + A) * pow(2 * p[1], -1, P)
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P)
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def times(k, p):
    total = None
    while k:
        if k & 1:
            total = add(total, p)
        p, k = add(p, p), k >> 1
    return total


def number(point):
    """P of RFC 8121 §2.4."""
    return point[0] * 2 + point[1] % 2


def point(n):
    """P' of RFC 8121 §2.4."""
    x = n >> 1
    y = pow(x**3 + A * x + B, (P + 1) // 4, P)
    if x >= P or (y * y - x**3 - A * x - B) % P:
        raise ValueError("not a point of the curve")
    return x, y if y % 2 == n % 2 else P - y


def octets(n):
    return n.to_bytes(33, "big")


def vi(n):
    digits = [n & 127]
    while n := n >> 7:
        digits.append(0x80 | n & 127)
    return bytes(reversed(digits))


def vs(s):
    return vi(len(s)) + s


def h(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def integer(digest):
    return int.from_bytes(digest, "big")


def parameters(field):
    """Of the one challenge, or of Authentication-Info."""
    return {name.lower(): quoted or plain for name, quoted, plain in re.findall(r'([\w-]+)=(?:"([^"]*)"|([^\s,]*))', field or "")}


class Client:
    """One user at one origin. `request` logs in if it has to, and raises if the server is not proven."""

    asks, challenges, credentials, info = 401, "WWW-Authenticate", "Authorization", "Authentication-Info"

    def __init__(self, base, user, password, ca=None):
        self.base, self.user, self.password = urlsplit(base), user, password
        self.name = f"{self.base.scheme}://{self.base.hostname}:{self.base.port}"
        self.context = ssl.create_default_context(cafile=ca) if self.base.scheme == "https" else None
        self.connection = None
        self.session = None
        self.key_exchanges = 0

    def connect(self):
        host, port = self.base.hostname, self.base.port
        if self.context:
            self.connection = http.client.HTTPSConnection(host, port, timeout=20, context=self.context)
        else:
            self.connection = http.client.HTTPConnection(host, port, timeout=20)
        self.connection.connect()

    def vh(self, validation):
        """RFC 8120 §7."""
        if self.context:
            assert validation == "tls-server-end-point", validation
            return hashlib.sha256(self.connection.sock.getpeercert(True)).digest()
        assert validation == "host", validation
        return self.name.encode()

    def send(self, method, path, fields=(), body=None):
        if not self.connection:
            self.connect()
        self.connection.request(method, path, body=body, headers=dict(fields))
        response = self.connection.getresponse()
        return response, response.read()

    def common(self):
        c = self.challenge
        return (
            f'Mutual version=1, algorithm={c["algorithm"]}, validation={c["validation"]}, '
            f'auth-scope="{c["auth-scope"]}", realm="{c["realm"]}"'
        )

    def log_in(self, path, method="GET"):
        """RFC 8120 §4.1 to §4.3: asks, exchanges keys."""
        response, _ = self.send(method, path)
        self.challenge = c = parameters(response.getheader(self.challenges) or response.getheader("Optional-WWW-Authenticate"))
        assert c["version"] == "1" and c["algorithm"] == "iso-kam3-ec-p256-sha256" and c["reason"] == "initial", c
        salt = b"".join(vs(text.encode()) for text in (c["algorithm"], c["auth-scope"], c["realm"], self.user))
        pi = integer(hashlib.pbkdf2_hmac("sha256", self.password.encode(), salt, 16384, 32))
        secret = secrets.randbelow(R - 1) + 1
        kc1 = number(times(secret, G))
        self.key_exchanges += 1
        response, _ = self.send(method, path, {self.credentials: f'{self.common()}, user="{self.user}", kc1={kc1:066x}'})
        s = parameters(response.getheader(self.challenges))
        assert response.status == self.asks and "ks1" in s, (response.status, s)
        assert all(s[name] == c[name] for name in ("algorithm", "validation", "auth-scope", "realm")), s
        assert len(s["ks1"]) == 66 and int(s["nc-window"]) >= 1, s
        ks1 = int(s["ks1"], 16)
        t1 = integer(h(b"\1", octets(kc1)))
        t2 = integer(h(b"\2", octets(kc1), octets(ks1)))
        z = number(times((secret + t2) * pow(secret * t1 + pi, -1, R) % R, point(ks1)))
        self.session = {"sid": s["sid"], "keys": octets(kc1) + octets(ks1) + octets(z), "nc": 0, "vh": self.vh(c["validation"])}

    def proof(self, kind, nc):
        return h(bytes([kind]), self.session["keys"], vi(nc), vs(self.session["vh"])).hex()

    def authorization(self):
        """The credentials of the next request, and the proof that the server owes for it."""
        self.session["nc"] += 1
        nc = self.session["nc"]
        field = f'{self.common()}, sid={self.session["sid"]}, nc={nc}, vkc={self.proof(4, nc)}'
        return field, self.proof(3, nc)

    def is_proven(self, field, owed):
        info = parameters(field)
        return info.get("vks") == owed and info.get("sid") == self.session["sid"]

    def request(self, path, method="GET", body=None, fields=()):
        """Status and body; the server is proven, or this raises. A session that is over is replaced once."""
        for _ in range(2):
            if not self.session:
                self.log_in(path, method)
            field, owed = self.authorization()
            response, content = self.send(method, path, {self.credentials: field, **dict(fields)}, body)
            if response.status != self.asks:
                if not self.is_proven(response.getheader(self.info), owed):
                    raise RuntimeError(f"{response.status}, and the server is not proven")
                return response.status, content
            reason = parameters(response.getheader(self.challenges)).get("reason")
            self.session = None
            if reason != "stale-session":
                raise PermissionError(reason)
        raise PermissionError("stale-session")


class Proxy(Client):
    """The same at a forward proxy (RFC 8120 §14): paths are absolute URLs."""

    asks, challenges, credentials, info = 407, "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Authentication-Info"

    def tunnel(self, target):
        """The status of a CONNECT in the session that is there, and how to send and to read through the tunnel."""
        field, owed = self.authorization()
        self.connect()
        sock = self.connection.sock
        self.connection.request("CONNECT", target, headers={"Host": target, self.credentials: field})
        response = self.connection.getresponse()
        if not self.is_proven(response.getheader(self.info), owed):
            raise RuntimeError(f"{response.status}, and the proxy is not proven")
        self.connection = None
        return response.status, sock.sendall, response.read
