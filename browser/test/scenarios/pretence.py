"""Pages that pretend: login fields, popups and proofs that are only drawn, and scripts that reach for the extension."""

import profile

from attackers import Script
from harness import *
from servers import Response

EVIL = "auction-login.test"

FAKE = f"""
<title>tagai: proven, logged in as alice</title>
<link rel=icon href="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><circle r='8' fill='green'/></svg>">
<div style="position:fixed;top:0;right:0;width:340px;border:1px solid #888;background:#fff" id=fake>
  <p>Log in to “Staff”</p>
  <form action=/collect method=post autocomplete=on><input id=user name=user autocomplete=username>
  <input id=password name=password type=password autocomplete=current-password><button id=login>Log in</button></form>
</div>
<iframe id=popup src="{profile.ORIGIN}popup/popup.html"></iframe>
<iframe id=blocked src="{profile.ORIGIN}blocked/blocked.html#1"></iframe>
<h1>page of lies</h1>
"""


def lies(request):
    if request.path == "/collect":
        return Response.html("collected")
    return Response.html(FAKE)


@scenario("a page that draws a login field and a proven state: the buttons say that nothing is proven")
def drawn(b, site):
    log_in(b, site.url("/app/before"))
    b.load("about:blank")
    liar = Script(site, lies, host=EVIL)
    b.load(liar.url("/"))
    b.until_text("page of lies")
    is_("the button", b.status(), "none")
    hasnt("its title", b.buttons()["action"]["title"], "alice")
    hasnt("the title in the address bar", b.buttons()["page"]["title"], "alice")
    is_("nothing is filled in", b.js("return document.getElementById('user').value + document.getElementById('password').value"), "")
    popup = b.popup()
    is_("the popup", popup.status(), "none")
    true("it has no field for a password", not popup.visible("#password"))
    has("it says which site this is", popup.text("#origin"), EVIL)
    is_("credentials that were sent", liar.authorizations(), [])
    liar.harmless()


@scenario("a page cannot show the popup within itself, open it, or load it")
def embedded(b, site):
    liar = Script(site, lies, host=EVIL)
    b.load(liar.url("/"))
    b.until_text("page of lies")
    until("the frames are there", lambda: len(b.everything()) >= 2)
    is_("popups within the page", [url for url, markup in b.everything() if "/popup/" in url and "password" in markup], [])
    got = b.m.async_script(f"return fetch('{profile.ORIGIN}popup/popup.html').then(r => r.text(), e => 'failed')")
    is_("by fetch", got, "failed")
    handles = set(b.m.handles())
    b.js(f"try {{ window.open('{profile.ORIGIN}popup/popup.html') }} catch (e) {{}}")
    for handle in set(b.m.handles()) - handles:
        b.switch(handle)
        hasnt("in a tab", b.url(), "/popup/")
    b.switch(b.first)


@scenario("an error page within a page has no buttons, and tells the page nothing")
def error_page_within(b, site):
    liar = Script(site, lies, host=EVIL)
    b.load(liar.url("/"))
    b.until_text("page of lies")
    frames = until("the frame", lambda: [markup for url, markup in b.everything() if "/blocked/" in url])
    for visible in ("retry", "stranger", "back"):
        hasnt("no button in the open", visible_ids(b), visible)
    is_("what the page can read of it", b.js("try { return document.getElementById('blocked').contentDocument } catch (e) { return null }"), None)
    true("it is there", frames)


def visible_ids(b):
    """Ids of what can be seen in error pages within the current tab."""
    b.m.frame(b.m.find("#blocked"))
    try:
        return str(b.js("return [...document.querySelectorAll('button')].filter(e => e.checkVisibility()).map(e => e.id)"))
    finally:
        b.m.frame(None)


@scenario("a page that sends messages to the extension is not heard")
def messages(b, site):
    log_in(b, site.url("/app/before"))
    liar = Script(site, lies, host=EVIL)
    b.load(liar.url("/"))
    b.until_text("page of lies")
    source = """
      const id = arguments[0];
      const found = [];
      for (const api of [window.browser, window.chrome]) {
        if (!api?.runtime?.sendMessage) continue;
        try { found.push(await api.runtime.sendMessage(id, { kind: "view", tab: 1 })); } catch (error) { /* As it should. */ }
      }
      window.postMessage({ kind: "logoutAll", tab: 1 }, "*");
      return found;
    """
    is_("answers", b.m.async_script(source, profile.EXTENSION), [])
    b.load(site.url("/app/after"))
    is_("still logged in", shown(b, "/app/after")[0], "alice")


@scenario("a page in the realm cannot send a proof of its own making, or change a password")
def proof_by_script(b, site):
    log_in(b, site.url("/app/before"))
    source = "return fetch(arguments[0], { method: 'POST', body: '{}' }).then(r => 'answered ' + r.status, e => 'failed')"
    is_("the account endpoint", b.m.async_script(source, "/.well-known/tagai/account/password"), "failed")
    is_("registration", b.m.async_script(source, "/.well-known/tagai/account/register"), "failed")


@scenario("a script that logs out by the well-known address: the browser goes on as if nothing had been")
def logout_by_script(b, site):
    log_in(b, site.url("/app/before"))
    b.m.async_script("return fetch('/.well-known/tagai/logout', { method: 'POST' }).then(r => r.status, e => 0)")
    b.load(site.url("/app/after"))
    is_("renewed unseen", shown(b, "/app/after")[0], "alice")
    b.until_status("proven")
