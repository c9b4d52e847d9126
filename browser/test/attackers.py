"""Attackers in the network: each is a server with a certificate that the browser trusts, so that nothing but the protocol protects the
user. Each remembers every octet that it got, and `harmless` says whether any of it is of use."""

import base64
import itertools
import socket
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

from certificates import careless_context, server_context
from gateway import OTHER, PASSWORD, ROOT
from servers import Buffer, Response, Server, read_response
from waiting import Failed

sys.path.append(str(Path(ROOT) / "interop"))
import mutual  # noqa: E402

# Stands in everything that an attacker writes, so that it is found wherever it is shown.
MARK = "written by the attacker"
BASIC = ("WWW-Authenticate", 'Basic realm="Staff"')


def parameters(value):
    return mutual.parameters(value)


def is_mutual(value):
    return value is not None and value.lower().startswith("mutual ")


class Attacker(Server):
    """Answers by `respond(request)`. It is reached under its own host, or in the place of a site when a front is turned to it."""

    numbers = itertools.count(1)

    def __init__(self, site, host="auction.test", secure=True):
        self.site, self.gateway, self.host, self.secure = site, site.gateway, host, secure
        pair = self.gateway.authority.issue(f"attacker{next(self.numbers)}", host) if secure else None
        super().__init__(self._guard, server_context(pair) if secure else None)
        site.attack(self)

    def _guard(self, request):
        if request.path == "/favicon.ico":
            return Response(404, [])
        return self.respond(request)

    def respond(self, request):
        raise NotImplementedError

    def url(self, path):
        """The attacker's own address."""
        return f"{'https' if self.secure else 'http'}://{self.host}:{self.port}{path}"

    def take_over(self):
        """From now on the site's own address leads here."""
        front = self.gateway.secure_front if self.secure else self.gateway.plain_front
        front.turn(self.port)
        return self

    # What it got

    def authorizations(self, requests=None):
        """Every credential of our scheme that was sent to it."""
        found = [request.get("authorization") for request in (requests or self.requests)]
        return [value for value in found if is_mutual(value)]

    def keys(self):
        """How many key exchanges it was sent."""
        return sum("kc1=" in value for value in self.authorizations())

    def proofs(self):
        """How many proofs it was sent."""
        return sum("vkc=" in value for value in self.authorizations())

    def harmless(self, path="/app/stolen", passwords=(PASSWORD, OTHER), unspent=0):
        """Nothing that was received holds a password, and no credential opens anything at the real gateway.

        `unspent`: how many may. A browser tells an extension which server it talks to with the answer, so that the request that meets
        an attacker in mid-session has gone out with the proof that it was for the real site. It is good for one request."""
        got = b"".join(self.received).lower()
        for password in passwords:
            forms = [password, quote(password), quote_plus(password), f":{password}"]
            encoded = [base64.b64encode(form.encode()).decode().rstrip("=") for form in (password, f"alice:{password}")]
            for form in forms + encoded:
                if form.lower().encode() in got:
                    raise Failed(f"{type(self).__name__} got a password: {form!r}")
        if b"authorization: basic" in got:
            raise Failed(f"{type(self).__name__} got a password by Basic")
        opened = []
        for value in self.authorizations():
            answer = self.gateway.ask("auction.test", path, ("Authorization", value), secure=self.secure)
            if answer.status not in (400, 401, 403) or b"<h1>" in answer.body:
                opened.append(value)
        if len(opened) > unspent:
            raise Failed(f"{type(self).__name__} got credentials that open {path}: {opened}")
        for value in self.authorizations():
            if self.gateway.ask("auction.test", path, ("Authorization", value), secure=self.secure).status == 200:
                raise Failed(f"{type(self).__name__} got credentials that open {path} twice: {value}")


class Relay(Attacker):
    """Sends everything on to the real gateway and back, as the site's own host, or under another."""

    def __init__(self, site, host="auction.test", rewrite=False, **more):
        super().__init__(site, host, **more)
        # Whether it also puts its own name in place of the realm's scope, and back.
        self.rewrite, self.answers = rewrite, []

    def respond(self, request):
        return self.change(request, self.ask(request))

    def change(self, request, response):
        """What it makes of an answer."""
        return response

    def ask(self, request):
        front = self.gateway.secure_front if self.secure else self.gateway.plain_front
        mine, theirs = f'auth-scope="{self.host}"', 'auth-scope="auction.test"'
        lines = [f"{request.method} {request.target} HTTP/1.1"]
        for name, value in request.fields:
            if name.lower() in ("connection", "content-length", "accept-encoding", "upgrade-insecure-requests"):
                continue
            if name.lower() == "host":
                value = f"auction.test:{front.port}"
            if name.lower() == "authorization" and self.rewrite:
                value = value.replace(mine, theirs)
            lines.append(f"{name}: {value}")
        lines += ["Connection: close", f"Content-Length: {len(request.body)}"]
        with socket.create_connection(("127.0.0.1", front.honest), 30) as plain:
            connection = careless_context().wrap_socket(plain, server_hostname="auction.test") if self.secure else plain
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + request.body)
            response = read_response(Buffer(connection), request.method)
        fields = [(name, value) for name, value in response.fields if name.lower() not in ("connection", "transfer-encoding")]
        if self.rewrite:
            fields = [(name, value.replace(theirs, mine)) for name, value in fields]
        body = response.body
        if dict(fields).get("content-type", "").startswith("text/html"):
            body += f"<p>{MARK}</p>".encode()
        answer = Response(response.status, fields, body)
        self.answers.append(answer)
        return answer


class Stripper(Relay):
    """A relay that takes away what the protocol says: challenges, proofs, or both."""

    def __init__(self, site, *names, **more):
        super().__init__(site, **more)
        self.names = names

    def change(self, request, response):
        fields = [(name, value) for name, value in response.fields if name.lower() not in self.names]
        status = 200 if response.status == 401 and "www-authenticate" in self.names else response.status
        return Response(status, fields, response.body + MARK.encode())


class Forger(Attacker):
    """Knows nobody's verifier and says yes to everybody: asks as the gateway does, takes every key with a well-formed one of its own,
    and every proof with content. `proof`: what it says of itself then: "missing", "random", "short" or "broken"."""

    def __init__(self, site, proof="missing", scope="auction.test", realm="Staff", **more):
        super().__init__(site, **more)
        self.proof, self.scope, self.realm = proof, scope, realm

    def terms(self):
        validation = "tls-server-end-point" if self.secure else "host"
        return (
            f"Mutual version=1, algorithm=iso-kam3-ec-p256-sha256, validation={validation}, "
            f'auth-scope="{self.scope}", realm="{self.realm}"'
        )

    def challenge(self, reason="initial"):
        return ("WWW-Authenticate", f"{self.terms()}, reason={reason}")

    def key(self, sid):
        """K_s1 as an honest server would send it, made from nothing but chance."""
        point = mutual.number(mutual.times(mutual.secrets.randbelow(mutual.R - 1) + 1, mutual.G))
        values = f"sid={sid}, ks1={point:066x}, nc-max=100, nc-window=128, time=600"
        return ("WWW-Authenticate", f"{self.terms()}, {values}")

    def respond(self, request):
        value = request.get("authorization")
        if not is_mutual(value):
            return Response.html(f"<p>please log in, {MARK}</p>", 401, self.challenge())
        if "kc1=" in value:
            return Response.html(MARK, 401, self.key("0123456789abcdef"))
        return self.welcome(request, parameters(value))

    def welcome(self, request, sent):
        sid = sent.get("sid", "00")
        proofs = {
            "missing": [],
            "random": [("Authentication-Info", f"version=1, sid={sid}, vks={mutual.secrets.token_hex(32)}")],
            "short": [("Authentication-Info", f"version=1, sid={sid}, vks=00")],
            "broken": [("Authentication-Info", f"version=1, sid={sid}, vks=\xff\x01, vks")],
        }
        return Response.html(f"<h1>page {request.path}</h1><p>{MARK}</p>", 200, *proofs[self.proof])


class Script(Attacker):
    """Answers by a function."""

    def __init__(self, site, function, **more):
        super().__init__(site, **more)
        self.respond = function
