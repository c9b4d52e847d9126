"""The extension itself is broken in the middle of it: whatever throws or never ends, nothing unproven is shown."""

from attackers import MARK, Forger
from harness import *

# What is made to throw, or to do nothing, within the background page.
BREAKS = {
    "maps": "Map.prototype.get",
    "addresses": "URL.prototype.origin",
    "lists": "Array.prototype.filter",
    "texts": "String.prototype.split",
    "the engine": "Worker.prototype.postMessage",
}


def broken(b, site, what):
    log_in(b, site.url("/app/before"))
    Forger(site, "missing").take_over()
    b.drop_connections()
    owner, _, name = what.rpartition(".")
    b.background(f"""
      const throws = () => {{ window.thrown = (window.thrown ?? 0) + 1; throw new Error("broken by the tests"); }};
      Object.defineProperty(window.{owner}, "{name}", "{name}" === "origin" ? {{ get: throws }} : {{ value: throws }});
    """)
    b.load(site.url("/app/attacked"))


def make(about, what):
    def run(b, site):
        broken(b, site, what)
        # It is cancelled, or the extension's page stands there; what matters is what does not.
        until("the request is over", lambda: not b.chrome("return gBrowser.selectedBrowser.webProgress.isLoadingDocument"))
        true("it was broken", b.background("return window.thrown"))
        is_("documents with the attacker's words", b.anywhere(MARK), [])
        true("not proven", "/app/before" in b.url() or b.status() != "proven")

    run.__name__ = what.replace(".", "_")
    run.__module__ = __name__
    scenario(f"a fault in {about}: nothing of an attacker's answer is shown", firefox="broken")(run)


for about, what in BREAKS.items():
    make(about, what)


@scenario("a fault while nobody is logged in does not keep other sites away", firefox="broken")
def strangers(b, site):
    b.background("Object.defineProperty(window.Worker.prototype, 'postMessage', { value: () => { throw new Error('broken by the tests'); } });")
    b.load(site.url("/public", "outside.test"))
    is_("the page", shown(b, "/public")[0], "None")
