"""The web application behind the gateway: pages that use the web as pages do, and a memory of what was asked and by whom."""

import base64
import hashlib
import itertools
import json
import struct
import zlib
from html import escape

from servers import Response, Server

SIZE = 5_000_000

# Icons are asked for late, and would be among what others wait for.
NO_ICON = '<link rel=icon href="data:,">'

# Everything that a page loads; the results are written where the test reads them.
RICH = """
<link rel=stylesheet href=style.css><h1>rich</h1>
<img id=image src=image.png><iframe id=inner src=inner></iframe><script src=script.js></script>
<pre id=results>{}</pre>
<script>
const results = {};
const tell = (name, value) => { results[name] = value; document.getElementById("results").textContent = JSON.stringify(results); };
addEventListener("load", () => {
  tell("script", window.scripted ?? null);
  tell("image", document.getElementById("image").naturalWidth);
  tell("style", getComputedStyle(document.querySelector("h1")).color);
  tell("frame", document.getElementById("inner").contentDocument?.body?.innerText?.trim() ?? null);
});
fetch("data.json?fetch").then(r => r.json()).then(d => tell("fetch", d.user), e => tell("fetch", String(e)));
fetch("data.json?post", { method: "POST", body: "x".repeat(70000) }).then(r => r.json()).then(d => tell("post", [d.user, d.length]));
fetch("data.json?put", { method: "PUT", body: new Blob([new Uint8Array(3000)]) }).then(r => r.json()).then(d => tell("put", [d.user, d.length]));
fetch("data.json?manual", { redirect: "manual" }).then(r => r.json()).then(d => tell("manual", d.user), e => tell("manual", String(e)));
const request = new XMLHttpRequest();
request.onloadend = () => tell("xhr", request.status === 200 ? JSON.parse(request.responseText).user : request.status);
request.open("GET", "data.json?xhr");
request.send();
</script>
"""

FORM = """
<h1>form</h1><form id=form method=post action=posted><input name=note value="a note, süß"><button id=send>Send</button></form>
<form id=files method=post enctype=multipart/form-data action=posted><input id=file type=file name=file><button id=sendfile>Send</button></form>
<script>
const holder = new DataTransfer();
holder.items.add(new File([new Uint8Array(SIZE).fill(97)], "large.bin"));
document.getElementById("file").files = holder.files;
</script>
""".replace("SIZE", str(SIZE))

UPLOAD = """
<h1>upload</h1><p id=result></p><script>
fetch("posted.json", { method: "POST", body: new Blob([new Uint8Array(SIZE).fill(98)]) })
  .then(r => r.json()).then(d => { document.getElementById("result").textContent = [d.user, d.length, d.sha256].join(" "); },
  e => { document.getElementById("result").textContent = String(e); });
</script>
""".replace("SIZE", str(SIZE))

SOCKET = """
<h1>socket</h1><p id=result></p><script>
const socket = new WebSocket(location.href.replace(/^http/, "ws").replace(/socket$/, "talk"));
const say = text => { document.getElementById("result").textContent += text + ";"; };
socket.onmessage = event => { say(event.data); if (event.data.startsWith("user")) socket.send("hello"); };
socket.onerror = () => say("error");
</script>
"""


def picture():
    """A red PNG of 7 by 5 pixels."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b"".join(b"\0" + b"\xff\0\0" * 7 for _ in range(5))
    head = struct.pack(">IIBBBBB", 7, 5, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Application:
    """Answers by the last part of the path; `seen` remembers the requests of pages, with user and realm."""

    def __init__(self):
        self.numbers, self.seen, self.credentials = itertools.count(1), [], []
        self.server = Server(self.answer)
        self.port = self.server.port

    def close(self):
        self.server.close()

    def forget(self):
        self.seen.clear()
        self.credentials.clear()

    def users(self, part):
        """Who asked for addresses with this in them, in order; None for strangers."""
        return [user for target, user in self.seen if part in target]

    def carried(self, part):
        """The credentials that came with requests for such addresses, None where there were none."""
        return [value for target, value in self.credentials if part in target]

    def answer(self, request):
        user, realm = request.get("tagai-user"), request.get("tagai-realm")
        self.seen.append((f"{request.method} {request.host}{request.target}", user))
        self.credentials.append((f"{request.method} {request.host}{request.target}", request.get("authorization")))
        last = request.path.rsplit("/", 1)[-1]
        facts = {
            "user": user,
            "realm": realm,
            "method": request.method,
            "length": len(request.body),
            "sha256": hashlib.sha256(request.body).hexdigest(),
            "authorization": request.get("authorization"),
        }
        as_json = Response(200, [("Content-Type", "application/json")], json.dumps(facts).encode())
        match last:
            case "rich":
                return Response.html(NO_ICON + RICH)
            case "form":
                return Response.html(NO_ICON + FORM)
            case "upload":
                return Response.html(NO_ICON + UPLOAD)
            case "socket":
                return Response.html(NO_ICON + SOCKET)
            case "image.png":
                return Response(200, [("Content-Type", "image/png")], picture())
            case "script.js":
                return Response(200, [("Content-Type", "text/javascript")], f"window.scripted = {json.dumps(user)};".encode())
            case "style.css":
                return Response(200, [("Content-Type", "text/css")], b"h1 { color: rgb(1, 2, 3); }")
            case "data.json" | "posted.json":
                return as_json
            case "posted":
                note = escape(request.body[:200].decode("utf-8", "replace"))
                return self.page(request, f"<p id=posted>{request.method} {len(request.body)}</p><p id=note>{note}</p>", user, realm)
            case "cacheable":
                return self.page(request, "", user, realm, ("Cache-Control", "public, max-age=3600"))
            case "etag":
                if request.get("if-none-match") == '"one"':
                    return Response(304, [("ETag", '"one"'), ("Cache-Control", "public, max-age=0")])
                return self.page(request, "", user, realm, ("Cache-Control", "public, max-age=0"), ("ETag", '"one"'))
            case "circle":
                return Response(302, [("Location", "circle")])
            case "redirect":
                return Response(int(request.query.get("status", "302")), [("Location", request.query["to"])])
            case "download":
                fields = [("Content-Type", "application/octet-stream"), ("Content-Disposition", 'attachment; filename="data.bin"')]
                return Response(200, fields, b"downloaded by " + str(user).encode())
            case "talk":
                return self.talk(request, user)
            case _:
                return self.page(request, "", user, realm)

    def page(self, request, more, user, realm, *fields):
        """Who asks, what for, and a number that no other page has."""
        text = (
            f"{NO_ICON}<title>{escape(request.path)}</title><h1>page {escape(request.path)}</h1><p id=who>user {escape(str(user))} of {escape(str(realm))}</p>"
            f"<p id=number>{next(self.numbers)}</p>{more}"
        )
        return Response.html(text, 200, *fields)

    def talk(self, request, user):
        """A WebSocket that says who it talks to, and then echoes short texts."""
        key = request.get("sec-websocket-key", "")
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        head = f"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        connection = request.socket
        connection.sendall(head.encode() + frame(f"user {user}"))
        while piece := connection.recv(1 << 12):
            if piece[0] & 15 != 1 or piece[1] & 127 > 125:
                return None
            length = piece[1] & 127
            mask, content = piece[2:6], piece[6 : 6 + length]
            connection.sendall(frame("echo " + bytes(c ^ mask[i % 4] for i, c in enumerate(content)).decode()))
        return None


def frame(text):
    octets = text.encode()
    return bytes([0x81, len(octets)]) + octets
