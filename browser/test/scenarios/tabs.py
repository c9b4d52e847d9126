"""Several tabs, containers and private windows: together where they belong together, and apart where they do not."""

from harness import *


@scenario("two tabs at once: a login in one is one in the other")
def two_tabs(b, site):
    first = b.m.handle()
    b.load(site.url("/app/one"))
    ask(b)
    # It opens by itself: what is not there yet cannot be closed.
    b.popup()
    b.close_popup()
    second = b.open(site.url("/app/two"))
    ask(b)
    b.popup().log_in("alice", PASSWORD)
    is_("the second", shown(b, "/app/two")[0], "alice")
    b.until_status("proven")
    b.close_popup()
    b.switch(first)
    b.reload()
    is_("the first, with nobody asked", shown(b, "/app/one")[0], "alice")
    b.until_status("proven")
    b.switch(second)
    is_("the second still", b.status(), "proven")
    b.load(site.url("/public", "outside.test"))
    shown(b, "/public")
    b.until_status("none")
    b.switch(first)
    is_("each has its own state", b.status(), "proven")


@scenario("many tabs at once when the session is gone: one key exchange")
def many_tabs(b, site):
    log_in(b, site.url("/app/first"))
    handles = [b.open() for _ in range(5)]
    site.gateway.restart()
    before = site.gateway.logins()
    for number, handle in enumerate(handles):
        b.switch(handle)
        b.load(site.url(f"/app/tab{number}"))
    for number, handle in enumerate(handles):
        b.switch(handle)
        is_("the page", shown(b, f"/app/tab{number}")[0], "alice")
        b.until_status("proven")
    is_("logins", site.gateway.logins(), before + 1)


@scenario("two containers: two users of one realm, at the same time")
def containers(b, site):
    log_in(b, site.url("/app/default"))
    default = b.m.handle()
    work = b.open(site.url("/app/work"), container=2)
    ask(b)
    true("the other login is not seen", "alice" not in b.popup().text("body"))
    b.popup().log_in("bob", OTHER)
    is_("the page", shown(b, "/app/work")[0], "bob")
    b.until_status("proven")
    b.close_popup()
    b.switch(default)
    b.reload()
    is_("the first", shown(b, "/app/default")[0], "alice")
    log_out(b)
    b.switch(work)
    b.load(site.url("/app/still"))
    is_("a logout there is none here", shown(b, "/app/still")[0], "bob")
    b.until_status("proven")


@scenario("a private window knows nobody, and is forgotten when the last one closes")
def private(b, site):
    log_in(b, site.url("/app/public"))
    default = b.m.handle()
    b.open(site.url("/app/private"), private=True)
    ask(b)
    b.popup().log_in("bob", OTHER)
    is_("the page", shown(b, "/app/private")[0], "bob")
    b.until_status("proven")
    b.close_popup()
    b.close()
    b.switch(default)
    b.reload()
    is_("outside", shown(b, "/app/public")[0], "alice")
    b.open(site.url("/app/private"), private=True)
    ask(b)
    is_("another private window: nobody is logged in", [user for user in site.app.users("/app/private") if user != "bob"], [])
    b.close()
    b.switch(default)


@scenario("a tab that is closed while its login is awaited leaves nothing behind")
def closed_while_asked(b, site):
    first = b.m.handle()
    b.open(site.url("/modal/x"))
    ask(b)
    # It opens by itself: what is not there yet cannot be closed.
    b.popup()
    b.close_popup()
    b.close()
    b.switch(first)
    log_in(b, site.url("/app/after"))


@scenario("a link that opens a new tab is proven there")
def new_tab(b, site):
    log_in(b, site.url("/app/first"))
    before = set(b.m.handles())
    b.js("const a = document.createElement('a'); a.id = 'link'; a.href = 'opened'; a.target = '_blank'; a.textContent = 'open'; document.body.append(a);")
    b.m.click(b.m.find("#link"))
    b.switch(until("another tab", lambda: set(b.m.handles()) - before).pop())
    is_("the page", shown(b, "/app/opened")[0], "alice")
    b.until_status("proven")


@scenario("the page of one tab does not show the state of another while it loads")
def state_follows(b, site):
    log_in(b, site.url("/app/first"))
    b.load(site.url("/x", "outside.test"))
    shown(b, "/x")
    b.until_status("none")
    popup = b.popup()
    is_("the popup", popup.status(), "none")
    true("it lists the login", "alice" in popup.text("#logins"))
