"""pictures.py WORK OUT: pictures of the whole browser window in each of the extension's states, on the screen in DISPLAY.

The site is a small auction behind a real gateway; the impostor is a server that has even the site's certificate and key.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True

from browser import Browser
from certificates import server_context
from gateway import PROGRAM, free_ports
from servers import Response, Server
from waiting import until

HOST = "www.auction.test"
PASSWORD = "seven lots and a hammer"
EXTENSION = Path(__file__).resolve().parents[1] / "build" / "firefox-mv2"

STYLE = """
  :root { color-scheme: light dark; font-family: sans-serif; line-height: 1.6 }
  body { margin: 0; padding: 0 56px; max-width: 460px }
  header { display: flex; gap: 24px; padding: 24px 0; border-bottom: 1px solid #8886 }
  h1 { font-size: 26px; margin: 28px 0 12px }
  li { margin: 6px 0 }
"""
PAGES = {
    "en": {
        "/": ("Auction", "Welcome", "Old clocks, rings and books, every Thursday. Members bid from home.", []),
        "/members": ("Auction", "Your bids", "Hello, {user}.", ["Lot 17, two rings: 240", "Lot 23, a clock: 115", "Lot 31, an atlas: 80"]),
    },
    "ja": {
        "/ja": ("オークション", "入札中の品", "{user} さん、こんにちは。", ["17 番 ふたつの指輪: 24,000 円", "23 番 置き時計: 11,500 円", "31 番 地図帳: 8,000 円"]),
    },
}
MENU = {"en": ["Auction", "Catalogue", "Your bids"], "ja": ["オークション", "目録", "入札中の品"]}


def page(request):
    """The application behind the gateway."""
    user = request.get("tagai-user") or ""
    for language, pages in PAGES.items():
        if request.path in pages:
            title, heading, text, lots = pages[request.path]
            menu = " ".join(f"<span>{entry}</span>" for entry in MENU[language])
            lots = "".join(f"<li>{lot}" for lot in lots)
            body = f"<header>{menu}</header><h1>{heading}</h1><p>{text.format(user=user)}</p><ul>{lots}</ul>"
            return Response.html(f"<html lang={language}><title>{title}</title><style>{STYLE}</style>{body}")
    return Response(404, [])


class Site:
    """A gateway for `https://www.auction.test`, as `tagai init` sets it up."""

    def __init__(self, work):
        self.dir = Path(work) / "gateway"
        self.app = Server(page)
        self.port, plain = free_ports(2)
        self.run("init", self.dir, "--host", HOST, "--https-port", self.port, "--http-port", plain, "--upstream", f"http://127.0.0.1:{self.app.port}")
        config = self.dir / "tagai.toml"
        text = config.read_text()
        route = text[text.index("[[site.route]]") : text.index("# methods =")]
        public = route.replace('access = "protected"', 'access = "public"').replace('realm = "staff"', "")
        members, japanese = (route.replace('path = "/"', f'path = "{path}"') for path in ("/members", "/ja"))
        japanese = japanese.replace('"staff"', '"japan"')
        for old, new in [
            (route, public + members + japanese),
            (f"{HOST}:{self.port}", HOST),
            (f"{HOST}:{plain}", HOST),
            ('name = "Staff"', 'name = "Members"'),
            ("[[site]]", f'[[realm]]\nid = "japan"\nname = "会員"\nscope = "{HOST}"\npaths = ["/ja"]\n\n[[site]]'),
        ]:
            if old not in text:
                raise RuntimeError(f"`tagai init` does not write {old!r} any more")
            text = text.replace(old, new, 1)
        config.write_text(text)
        for realm in ("staff", "japan"):
            self.run("user", "add", "alice", "--realm", realm, "--password-stdin", "--config", config, feed=PASSWORD + "\n")
        log = (self.dir / "log").open("wb")
        self.process = subprocess.Popen([PROGRAM, "serve", "--config", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @staticmethod
    def run(*words, feed=None):
        subprocess.run([PROGRAM, *map(str, words)], input=feed, text=True, check=True, stdout=subprocess.DEVNULL)

    def pair(self):
        return self.dir / "keys" / f"{HOST}.pem", self.dir / "keys" / f"{HOST}.key"

    def end(self):
        self.process.terminate()
        self.process.wait(10)


def impostor(request):
    """Lets everybody in, and makes up a proof."""
    content = Response.html("<h1>Welcome back</h1>")
    content.fields.append(("Authentication-Info", "version=1, sid=00, vks=" + "ab" * 32))
    return content


class Window:
    """A Firefox whose window fills the screen."""

    def __init__(self, site, language="en-US", dark=False):
        prefs = {
            "network.socket.forcePort": f"443={site.port}",
            "ui.systemUsesDarkTheme": int(dark),
            "layout.css.prefers-color-scheme.content-override": 0 if dark else 1,
            "widget.gtk.overlay-scrollbars.enabled": True,
        }
        self.site, self.locale = site, language
        self.browser = Browser(EXTENSION, site.dir / "ca.pem", locale=language, headed=True, prefs=prefs)
        # The stripes in the address bar tell that a program drives it, which is of no interest to the reader of a picture.
        self.browser.chrome('document.documentElement.removeAttribute("remotecontrol"); window.focus()')

    def open(self, path):
        self.browser.load(f"https://{HOST}{path}")

    def ask(self, path):
        """Opens a page that asks for a login, and the popup."""
        self.open(path)
        self.browser.until_status("asked")
        popup = self.browser.popup()
        popup.until_visible("#password")
        return popup

    def log_in(self, popup):
        popup.log_in(None if popup.value("#user") else "alice", PASSWORD)
        self.browser.until_status("proven")
        until("the popup closes", lambda: not self.browser.popup_is_open())

    def picture(self, path):
        """After everything has been drawn: two pictures in a row are the same."""
        before = None
        for _ in range(20):
            time.sleep(0.4)
            subprocess.run(["import", "-window", "root", str(path)], check=True, timeout=30)
            now = path.read_bytes()
            if before is not None and len(now) == len(before):
                return
            before = now

    def end(self):
        self.browser.end()


def main():
    work, out = map(Path, sys.argv[1:])
    site = Site(work)
    windows = []
    try:
        window = Window(site)
        windows.append(window)
        window.open("/")
        window.browser.until_text("Old clocks")
        window.picture(out / "browser-none.png")
        popup = window.ask("/members")
        popup.type("#user", "alice")
        popup.type("#password", PASSWORD)
        window.picture(out / "browser-asked.png")
        popup.act("clear", "#password")
        window.log_in(popup)
        window.browser.until_text("Lot 17")
        window.browser.popup().until_visible("#logout")
        window.picture(out / "browser-proven.png")
        window.browser.close_popup()
        windows.append(japanese := Window(site, "ja", dark=True))
        popup = japanese.ask("/ja")
        popup.type("#user", "alice")
        japanese.picture(out / "browser-asked-ja.png")
        japanese.log_in(popup)
        japanese.browser.until_text("指輪")
        japanese.browser.popup().until_visible("#logout")
        japanese.picture(out / "browser-proven-ja.png")
        windows.pop().end()
        site.end()
        # In the gateway's place, from now on.
        Server(impostor, server_context(site.pair()), site.port)
        window.browser.reload()
        window.browser.until_status("impostor")
        window.browser.until_js("document.getElementById('blocked')?.dataset.ready === 'true'")
        window.picture(out / "browser-impostor.png")
    finally:
        for window in windows:
            window.end()
        if site.process.poll() is None:
            site.end()
        shutil.rmtree(site.dir, ignore_errors=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
