"""The real gateway, `tagai serve`, with sites, realms and users for the tests, and the application behind it."""

import os
import socket
import subprocess
from pathlib import Path

from application import Application
from certificates import Authority, careless_context
from servers import Buffer, Front, read_response
from waiting import until

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("TAGAI") or Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "tagai")

PASSWORD = "correct horse battery staple"
OTHER = "purple monkey dishwasher"
# Name, password and realm of everybody.
USERS = [
    ("alice", PASSWORD, "staff"),
    ("bob", OTHER, "staff"),
    ("alice", OTHER, "admin"),
    ("carol", PASSWORD, "shop"),
    ("dora", PASSWORD, "everywhere"),
]
HOSTS = ["auction.test", "shop.test", "www.tagai.test", "wiki.tagai.test", "outside.test"]
# Routes of the site that most tests are about: path, access, realm, and lines of `control`.
ROUTES = [
    ("/", "public", None, []),
    ("/app", "protected", "staff", []),
    ("/optional", "optional", "staff", []),
    ("/modal", "protected", "staff", ['auth-style = "modal"']),
    ("/brief", "protected", "staff", ["logout-timeout = 2"]),
    ("/leave", "protected", "staff", ['location-when-logout = "/bye"']),
    ("/named", "protected", "staff", ['username = "alice"']),
    ("/elsewhere", "protected", "staff", ['location-when-unauthenticated = "/welcome"']),
    ("/quiet", "protected", "staff", ["no-auth = true"]),
    ("/admin", "protected", "admin", []),
]


def free_ports(count):
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return found


class Gateway:
    """The gateway in a directory. `url(host, path)` is where it is reached: through a front that attackers can be put behind."""

    def __init__(self, directory, algorithms=()):
        self.dir = Path(directory) / "gateway"
        self.authority = Authority(Path(directory) / "authority")
        self.app = Application()
        # The fronts first: one of them might get a port that was just found to be free.
        self.secure_front, self.plain_front = Front(0), Front(0)
        self.https, self.http, self.admin = free_ports(3)
        self.secure_front.honest = self.secure_front.target = self.https
        self.plain_front.honest = self.plain_front.target = self.http
        self.process, self.log = None, Path(directory) / "gateway.log"
        self.run("init", self.dir, "--https-port", self.https, "--http-port", self.http, "--upstream", f"http://127.0.0.1:{self.app.port}")
        # Hosts of realms with other algorithms, by the algorithm.
        self.others = {algorithm: f"{algorithm.removeprefix('iso-kam3-')}.test" for algorithm in algorithms}
        self.pair = self.authority.issue("gateway", *HOSTS, *self.others.values())
        self._configure()
        users = USERS + [("alice", PASSWORD, algorithm) for algorithm in self.others]
        for name, password, realm in users:
            self.add_user(name, password, realm)
        self.start()

    def _configure(self):
        def realm(id, name, scope, *lines):
            return "\n".join(["[[realm]]", f'id = "{id}"', f'name = "{name}"', f'scope = "{scope}"', *lines, ""])

        def route(path, access, realm, control):
            lines = ["[[site.route]]", f'path = "{path}"', f'access = "{access}"', f'upstream = "http://127.0.0.1:{self.app.port}"']
            lines += [f'realm = "{realm}"'] if realm else []
            lines += ["[site.route.control]", *control] if control else []
            return "\n".join([*lines, ""])

        def site(origins, *routes):
            return "\n".join(["[[site]]", f"origins = {origins}".replace("'", '"'), *(route(*r) for r in routes)])

        secure = lambda host: self.url(host, "")
        sections = [
            '[store]\ndatabase = "tagai.db"\nkeys = "keys/store.keys"\n',
            f'[[listen]]\naddress = "127.0.0.1:{self.https}"\ntls = true\n\n[[listen]]\naddress = "127.0.0.1:{self.http}"\n',
            f'[[certificate]]\nchain = "{self.pair[0]}"\nkey = "{self.pair[1]}"\n',
            realm("staff", "Staff", "auction.test", *self.more_of_realms("staff")),
            realm("admin", "Administration", "auction.test", 'paths = ["/admin"]'),
            realm("shop", "Shop", "shop.test"),
            realm("everywhere", "Everywhere", "*.tagai.test"),
            *(realm(name, "Other", host, f'algorithm = "{name}"') for name, host in self.others.items()),
            site([secure("auction.test"), self.plain("auction.test", "")], *ROUTES),
            site([secure("shop.test")], ("/", "protected", "shop", [])),
            site([secure("www.tagai.test"), secure("wiki.tagai.test")], ("/", "protected", "everywhere", [])),
            site([secure("outside.test"), self.plain("outside.test", "")], ("/", "public", None, [])),
            *(site([secure(host)], ("/", "protected", name, [])) for name, host in self.others.items()),
            f'[admin]\naddress = "127.0.0.1:{self.admin}"\n\n[log]\naudit = "audit.log"\n',
            # The tests fail many logins from one address.
            "[guessing]\nfailures-per-address = 10000\nfailures-per-user = 10000\n",
        ]
        (self.dir / "tagai.toml").write_text("\n".join(sections))

    def more_of_realms(self, name):
        """Lines for the account endpoint, where the program has it."""
        known = "invite" in subprocess.run([PROGRAM, "user", "--help"], capture_output=True, text=True).stdout
        return ['registration = "invitation"'] if known else []

    def url(self, host, path):
        return f"https://{host}:{self.secure_front.port}{path}"

    def plain(self, host, path):
        return f"http://{host}:{self.plain_front.port}{path}"

    # The program

    def run(self, *words, feed=None):
        """A command of `tagai`; what it prints."""
        done = subprocess.run([PROGRAM, *map(str, words)], input=feed, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"tagai {' '.join(map(str, words))}: {done.stderr}")
        return done.stdout

    def command(self, *words, feed=None):
        return self.run(*words, "--config", self.dir / "tagai.toml", feed=feed)

    def add_user(self, name, password, realm):
        self.command("user", "add", name, "--realm", realm, "--password-stdin", feed=password + "\n")

    def start(self):
        with self.log.open("ab") as log:
            command = [PROGRAM, "serve", "--config", self.dir / "tagai.toml"]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until("the gateway runs", self.healthy)

    def healthy(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the gateway ended: {self.log.read_text()[-3000:]}")
        try:
            return self.look("/healthz").status == 200
        except (OSError, ValueError):
            return False

    def look(self, path):
        """What the gateway tells its operator."""
        with socket.create_connection(("127.0.0.1", self.admin), 30) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            return read_response(Buffer(connection), "GET")

    def metric(self, name, *labels):
        """The sum of a metric's values, where all of these stand in its labels."""
        total = 0
        for line in self.look("/metrics").body.decode().splitlines():
            key, _, value = line.rpartition(" ")
            if key.split("{")[0] == name and all(label in key for label in labels):
                total += float(value)
        return int(total)

    def requests(self, route="/app", *labels):
        """How many requests of a route were answered."""
        return self.metric("tagai_requests_total", f'route="{route}"', *labels)

    def logins(self, event="logged-in", realm="staff"):
        return self.metric("tagai_login_events_total", f'realm="{realm}"', f'event="{event}"')

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def restart(self):
        """Sessions are lost, as they are in memory."""
        self.process.kill()
        self.process.wait()
        self.start()

    def end(self):
        if self.process:
            self.stop()
        self.app.close()
        self.secure_front.close()
        self.plain_front.close()

    # What it has seen, and would say

    def audit(self):
        path = self.dir / "audit.log"
        return path.read_text().splitlines() if path.exists() else []

    def ask(self, host, path, *fields, method="GET", body=b"", secure=True):
        """A request by hand, straight to the gateway, whatever stands in front."""
        port = (self.secure_front if secure else self.plain_front).port
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}:{port}", "Connection: close", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in fields]
        with socket.create_connection(("127.0.0.1", self.https if secure else self.http), 30) as plain:
            connection = careless_context().wrap_socket(plain, server_hostname=host) if secure else plain
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)
            return read_response(Buffer(connection), method)
