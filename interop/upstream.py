"""A small application for the gateway's tests: /echo tells what it saw, and the others do what their names say."""

import gzip
import hashlib
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TEXT = bytes(range(256)) * 4
ZEROS = bytes(1 << 16)


class Application(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        """The pieces of the request's body."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while line := self.rfile.readline().strip():
                self.trailers.append(line.decode())
        else:
            left = int(self.headers.get("Content-Length", 0))
            while left:
                piece = self.rfile.read(min(left, 1 << 16))
                if not piece:
                    return
                left -= len(piece)
                yield piece

    def reply(self, status, content, **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def chunk(self, octets):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(octets), octets))
        self.wfile.flush()

    def start_chunked(self, **fields):
        self.send_response(200)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def answer(self):
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        digest, length, self.trailers = hashlib.sha256(), 0, []
        lazy = "lazy" in query
        for piece in self.body():
            digest.update(piece)
            length += len(piece)
            if lazy:
                time.sleep(0.1)
        match url.path.rsplit("/", 1)[-1]:
            case "gzip":
                self.reply(200, gzip.compress(TEXT, mtime=0), Content_Encoding="gzip", Vary="Accept-Encoding", ETag='"z"')
            case "range":
                wanted = self.headers.get("Range", "")
                if not wanted.startswith("bytes="):
                    return self.reply(200, TEXT, Accept_Ranges="bytes")
                first, last = (int(end) for end in wanted.removeprefix("bytes=").split("-"))
                part = TEXT[first : last + 1]
                self.reply(206, part, Content_Range=f"bytes {first}-{last}/{len(TEXT)}", Accept_Ranges="bytes")
            case "trailers":
                self.start_chunked(Trailer="X-Checksum")
                self.chunk(TEXT)
                self.wfile.write(b"0\r\nX-Checksum: abc\r\nAuthentication-Info: forged\r\n\r\n")
            case "slow":
                # A piece each tenth of a second.
                self.start_chunked()
                for number in range(int(query.get("pieces", 10))):
                    self.chunk(b"piece %d\n" % number)
                    time.sleep(0.1)
                self.wfile.write(b"0\r\n\r\n")
            case "hang":
                time.sleep(5)
                self.reply(200, b"late\n")
            case "down":
                left = int(query["size"])
                self.send_response(200)
                self.send_header("Content-Length", str(left))
                self.end_headers()
                while left:
                    left -= self.wfile.write(ZEROS[:left])
            case "forged":
                # What only the gateway may say.
                fields = {"Authentication_Info": "forged", "WWW_Authenticate": "Mutual forged=1", "Tagai_User": "root"}
                self.reply(200, b"forged\n", **fields)
            case "denied":
                self.reply(401, b"denied\n", WWW_Authenticate='Basic realm="app"')
            case _:
                seen = {
                    "method": self.command,
                    "path": self.path,
                    "fields": [[name.lower(), value] for name, value in self.headers.items()],
                    "trailers": self.trailers,
                    "length": length,
                    "sha256": digest.hexdigest(),
                }
                self.reply(200, json.dumps(seen).encode() + b"\n", Content_Type="application/json")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = answer

    def log_message(self, form, *values):
        print(form % values, flush=True)


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Application).serve_forever()
