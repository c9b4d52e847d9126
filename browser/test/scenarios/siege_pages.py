"""What the browser says of pages that are not the site's: nothing of a proof stays with a tab that has gone elsewhere."""

from attackers import MARK, Script
from harness import *
from servers import Response

EXCEPTION = """
  const [authority, server, host, port] = arguments;
  const database = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
  database.setCertTrustFromString(database.constructX509FromBase64(authority), ",,");
  Cc["@mozilla.org/security/certoverride;1"].getService(Ci.nsICertOverrideService)
    .rememberValidityOverride(host, port, {}, database.constructX509FromBase64(server), true);
"""


@scenario("Firefox's own pages, after a proven page in the same tab: nothing is proven there, and Back leads to what is")
def own_pages(b, site):
    log_in(b, site.url("/app/first"))
    for page in ("about:preferences", "about:addons", "about:config", "about:support"):
        b.load(page)
        until(f"{page} is there", lambda: b.address().startswith(page))
        b.until_status("none")
        popup = b.popup()
        popup.until_status("none")
        hasnt(f"{page}: whom it names", popup.text("#status"), "auction.test")
        b.close_popup()
        b.load(site.url("/app/next"))
        is_("the page", shown(b, "/app/next")[0], "alice")
        b.until_status("proven")


def plain(pem):
    """The first certificate of a PEM file, as Firefox takes it."""
    return "".join(pem.read_text().split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0].split())


@scenario("a certificate that the user has made an exception for: login works, new passwords and invitations do not go there", firefox="fresh")
def exception(b, site):
    authority = site.gateway.authority
    b.chrome(EXCEPTION, plain(authority.certificate), plain(site.gateway.pair[0]), "auction.test", site.gateway.secure_front.port)
    b.drop_connections()
    b.load(site.url("/app/first"))
    ask(b)
    popup = b.popup()
    popup.until_visible("#password")
    true("a warning", popup.exists("[data-notice=notice_exception]"))
    true("no registration", not popup.visible("#open-register"))
    popup.log_in("alice", PASSWORD)
    is_("the page", shown(b, "/app/first")[0], "alice")
    b.until_status("proven")
    b.close_popup()
    popup = b.popup()
    popup.until_status("proven")
    true("no change", not popup.visible("#open-change"))


@scenario("what is kept back in a tab without a history: the tab can be closed, and nothing speaks of going back")
def no_way_back(b, site):
    log_in(b, site.url("/app/before"))
    Script(site, lambda request: Response.html(MARK)).take_over()
    b.drop_connections()
    before = set(b.m.handles())
    b.chrome("gBrowser.addTab(arguments[0], { triggeringPrincipal: Services.scriptSecurityManager.getSystemPrincipal() })", site.url("/app/x"))
    b.switch(until("a new tab", lambda: set(b.m.handles()) - before).pop())
    b.until_url("/blocked/blocked.html")
    b.until_js("document.querySelector('#blocked').dataset.ready === 'true'")
    is_("the first button", b.js("return document.querySelector('button.primary').innerText"), "Close this tab")
    hasnt("the text", b.text().lower(), "go back")
    b.until_js("!document.querySelector('#back').disabled", "the button's rest is over")
    b.m.click(b.m.find("#back"))
    until("the tab is closed", lambda: set(b.m.handles()) == before)
    b.switch(b.first)
