"""Logout: everything is forgotten at once, in every tab, and neither the history nor a cache brings it back."""

from harness import *


@scenario("logout: the next page asks again, and the server has ended the session")
def logout(b, site):
    log_in(b, site.url("/app/first"))
    ended = site.gateway.logins("logged-out")
    log_out(b)
    until("the server was told", lambda: site.gateway.logins("logged-out") == ended + 1)
    b.load(site.url("/app/next"))
    ask(b)
    is_("nothing came through", site.app.users("/app/next"), [])


@scenario("logout in one tab is one in every tab")
def every_tab(b, site):
    log_in(b, site.url("/app/one"))
    first = b.m.handle()
    second = b.open(site.url("/app/two"))
    shown(b, "/app/two")
    b.until_status("proven")
    log_out(b)
    b.switch(first)
    until("the other shows it too", lambda: b.status() != "proven")
    until("its content is gone", lambda: "user alice" not in b.text())
    b.switch(second)
    until("as it is here", lambda: "user alice" not in b.text())


@scenario("back after a logout shows nothing of the user")
def back(b, site):
    log_in(b, site.url("/app/one"))
    b.load(site.url("/app/two"))
    shown(b, "/app/two")
    b.until_status("proven")
    log_out(b)
    b.load(site.url("/public"))
    shown(b, "/public")
    site.app.forget()
    b.back()
    ask(b)
    hasnt("the text", b.text(), "user alice")
    b.back()
    ask(b)
    hasnt("the text", b.text(), "user alice")
    is_("nothing came through", site.app.users("/app/"), [])


@scenario("a page that the browser may keep is gone after a logout")
def cache(b, site):
    log_in(b, site.url("/app/cacheable"))
    shown(b, "/app/cacheable")
    log_out(b)
    b.load(site.url("/app/cacheable"))
    ask(b)
    hasnt("the text", b.text(), "user alice")


@scenario("logout goes where the site wants it to (location-when-logout)")
def location(b, site):
    log_in(b, site.url("/leave/page"))
    log_out(b)
    is_("the page", shown(b, "/bye")[0], "None")


@scenario("logout by itself after the time that the site sets (logout-timeout)")
def timeout(b, site):
    log_in(b, site.url("/brief/page"))
    until("the page is proven no more", lambda: b.status() != "proven")
    b.load(site.url("/app/next"))
    ask(b)


@scenario("logout while the server is away: forgotten all the same, at once")
def server_away(b, site):
    log_in(b, site.url("/app/first"))
    site.gateway.stop()
    log_out(b)
    site.gateway.start()
    b.load(site.url("/app/next"))
    ask(b)


@scenario("logout of one realm leaves the other; out of everything leaves none")
def one_or_all(b, site):
    log_in(b, site.url("/app/first"))
    log_in(b, site.url("/", "shop.test"), "carol")
    log_out(b)
    b.load(site.url("/app/second"))
    is_("the other", shown(b, "/app/second")[0], "alice")
    b.until_status("proven")
    log_in(b, site.url("/", "shop.test"), "carol")
    popup = b.popup()
    popup.until_visible("#logout-all")
    popup.click("#logout-all")
    until("proven no more", lambda: b.status() != "proven")
    b.close_popup()
    for url in (site.url("/app/third"), site.url("/third", "shop.test")):
        b.load(url)
        ask(b)
        b.close_popup()


@scenario("another user after a logout")
def another_user(b, site):
    log_in(b, site.url("/app/first"))
    log_out(b)
    log_in(b, site.url("/app/first"), "bob", OTHER)
    is_("the page", shown(b, "/app/first")[0], "bob")
