"""What scenarios are made of: a register of them, checks that say what they checked, and a report of what was to be seen when one of
them failed."""

import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from browser import Browser
from gateway import OTHER, PASSWORD
from marionette import MarionetteError, NativePrompt
from popup import Closed, Popup
from waiting import Failed, Late, until

SCENARIOS = []

# What is about attacks has to hold each time. Elsewhere, a window that Firefox was slow to open says nothing of the extension: such a
# scenario is tried once more, in another Firefox, and the report says so. More of them than this in one run are no accident.
STRICT = ("attacks", "siege", "pretence", "faults")
MOST_LATE = 6


@dataclass
class Scenario:
    theme: str
    name: str
    about: str
    run: object
    # "shared": the Firefox that most scenarios use one after the other; "broken": that one, and the extension may complain;
    # "fresh": one of its own.
    firefox: str
    options: dict


def scenario(about, firefox="shared", **options):
    """Registers `def name(b, site)`; `options` are those of Browser, and make it a Firefox of its own."""

    def register(function):
        theme = function.__module__.rsplit(".", 1)[-1]
        SCENARIOS.append(Scenario(theme, function.__name__, about, function, "fresh" if options else firefox, options))
        return function

    return register


# Checks


def is_(what, got, expected):
    if got != expected:
        raise Failed(f"{what}: expected {expected!r}, got {got!r}")


def true(what, got):
    if not got:
        raise Failed(f"{what}: {got!r}")


def has(what, got, wanted):
    if wanted not in got:
        raise Failed(f"{what}: no {wanted!r} in {got[:500]!r}")


def hasnt(what, got, unwanted):
    if unwanted in got:
        raise Failed(f"{what}: {unwanted!r} in {got[:500]!r}")


# What most scenarios do


def log_in(b, url, user="alice", password=PASSWORD, shows="page", by="action"):
    """Opens an address, logs in by the popup, and waits until the page is there, proven."""
    b.load(url)
    ask(b)
    b.popup(by).log_in(user, password)
    b.until_text(shows)
    b.until_status("proven")
    b.close_popup()


def ask(b):
    """Waits until the tab asks for a login."""
    b.until_status("asked")


def opens(b):
    """Waits until the popup is there that opens by itself. Firefox 140 opens none without a click: there it is one click more."""
    allowed = 'return Services.prefs.getBoolPref("extensions.openPopupWithoutUserGesture.enabled", false)'
    if b.chrome(allowed):
        until("the popup opens by itself", b.popup_is_open)
    else:
        b.popup()


def log_out(b):
    """Logs out of the realm of the page, by the popup."""
    popup = b.popup()
    popup.until_visible("#logout")
    popup.click("#logout")
    until("the page is proven no more", lambda: b.status() != "proven")
    # It says so when the tab has been told to load again, and not before.
    done = "return ['done', 'error'].includes(document.getElementById('message').dataset.tone)"
    try:
        until("the logout is over", lambda: popup.js(done))
    except Closed:
        pass
    b.close_popup()


def refused(b, failure="refused"):
    """Waits until the popup says why there was no login; what it says."""
    popup = b.popup()
    is_("the reason", popup.failure(), failure)
    b.until_status("asked")
    return popup.text("#message")


def shown(b, path):
    """Waits until the current tab shows a page of the application; who it is for, and its number."""
    source = """
      const [heading, who, number] = [document.querySelector("h1"), document.getElementById("who"), document.getElementById("number")];
      return heading?.textContent === arguments[0] && who && number ? [who.textContent, Number(number.textContent)] : null;
    """
    try:
        who, number = until(f"page {path}", lambda: b.js(source, f"page {path}"), trouble=(MarionetteError,))
    except Failed as failed:
        raise Late(f"{failed}; the tab shows {b.text()[:300]!r} at {b.url()}") from None
    return who.split("user ")[1].split(" of ")[0], number


def blocked(b, why=None, status="impostor"):
    """Waits for the extension's error page in the current tab; what it says."""
    b.until_url("/blocked/blocked.html")
    b.until_js("document.body && document.body.innerText.trim().length > 20", "the error page says something")
    if status:
        b.until_status(status)
    if why:
        b.until_js(f"document.documentElement.outerHTML.includes({why!r})", f"the error page is about {why}")
    return b.text()


class Run:
    """Runs scenarios, with one Firefox for those that can share one."""

    def __init__(self, extension, site, keep=False, headed=False, pictures=None):
        self.extension, self.site, self.keep, self.headed = extension, site, keep, headed
        self.pictures = Path(pictures or tempfile.mkdtemp(prefix="tagai-browser."))
        self.shared, self.failed, self.passed, self.late = None, [], 0, 0

    def all(self, scenarios):
        theme = None
        for one in scenarios:
            if one.theme != theme:
                theme = one.theme
                print(f"-- {theme.replace('_', ' ')}", flush=True)
            self.one(one)
        self.end_shared()
        return not self.failed

    def one(self, one, again=False):
        start, b, retry = time.monotonic(), None, False
        try:
            b = self.firefox(one)
            one.run(b, self.site)
            self.after(b, one)
            print(f"  ok    {one.about} ({time.monotonic() - start:.1f} s)", flush=True)
            self.passed += 1
        except Exception as error:
            retry = not again and self.may_be_late(one, error)
            print(f"  {'LATE' if retry else 'FAILED'}  {one.about} [{one.theme}.{one.name}]", flush=True)
            self.explain(one, b, error)
            self.end_shared()
            if not retry:
                self.failed.append(one)
        finally:
            self.site.calm()
            if one.firefox == "fresh" and b:
                b.end(self.keep)
        if retry:
            self.late += 1
            self.one(one, again=True)

    def may_be_late(self, one, error):
        """Whether the scenario is tried once more."""
        slow = isinstance(error, (Late, MarionetteError)) and not isinstance(error, NativePrompt)
        return slow and not one.theme.startswith(STRICT) and self.late < MOST_LATE

    def firefox(self, one):
        if one.firefox == "fresh":
            return Browser(self.extension, self.site.gateway.authority.certificate, headed=self.headed, **one.options)
        if self.shared is None:
            self.shared = Browser(self.extension, self.site.gateway.authority.certificate, headed=self.headed)
        return self.shared

    def after(self, b, one):
        """Nobody is logged in for the next one; an extension that complained has failed."""
        complaints = b.errors()
        if complaints and one.firefox != "broken":
            raise Failed("the extension complained: " + "; ".join(complaints))
        if b is not self.shared:
            return
        b.forget_everybody()

    def end_shared(self):
        if self.shared:
            self.shared.end(self.keep)
            self.shared = None

    def explain(self, one, b, error):
        lines = [str(error)]
        if not isinstance(error, (Failed, NativePrompt)):
            lines += traceback.format_exc().splitlines()[-24:]
        else:
            place = [frame for frame in traceback.extract_tb(error.__traceback__) if "scenarios" in frame.filename]
            lines += [f"in {Path(frame.filename).name}:{frame.lineno}: {frame.line}" for frame in place]
        picture = self.pictures / f"{one.theme}-{one.name}.png"
        looks = {
            "tabs": lambda: [(url, markup[:400]) for url, markup in b.everything()],
            "buttons": lambda: b.buttons(),
            "popup": lambda: Popup(b).js("return document.body.innerHTML")[:1500] if b.popup_is_open() else "closed",
            "complaints": lambda: b.errors(),
            "picture": lambda: b.screenshot(picture) or str(picture),
            "gateway": lambda: "\n        ".join(self.site.gateway.log.read_text().splitlines()[-6:]),
            "audit": lambda: "\n        ".join(self.site.gateway.audit()[-4:]),
            "application": lambda: self.site.gateway.app.seen[-10:],
        }
        for name, look in looks.items() if b else ():
            try:
                lines.append(f"{name}: {look()}")
            except Exception as trouble:
                lines.append(f"{name}: cannot be seen ({str(trouble)[:200]})")
        for line in lines:
            print(f"        {line[:2000]}", flush=True)


__all__ = [
    "OTHER", "PASSWORD", "SCENARIOS", "Failed", "Run", "ask", "blocked", "has", "hasnt", "is_", "log_in", "log_out", "opens",
    "refused", "scenario", "shown", "true", "until",
]  # fmt: skip
