"""Registration with an invitation, and change of password: from the popup, and the site gets no password."""

from attackers import Relay
from harness import *

FRESH = "a brand new passphrase"
NEXT = "another passphrase entirely"


def invite(site, name, *more):
    return site.gateway.command("user", "invite", name, "--realm", "staff", *more).split()[0]


def registers(b, site, name, code, password=FRESH, path="/app/new"):
    """Fills in the form for registration, and sends it."""
    b.load(site.url(path))
    ask(b)
    popup = b.popup()
    until("the form", lambda: popup.visible("#register-form") or popup.visible("#open-register"))
    if not popup.visible("#register-form"):
        popup.click("#open-register")
        popup.until_visible("#register-form")
    popup.fill("#register-user", name)
    popup.fill("#invitation", code)
    popup.fill("#register-password", password)
    popup.fill("#register-password-again", password)
    popup.click("#register")
    return popup


def changes(b, old, new):
    """Fills in the form for a change of password, and sends it."""
    popup = b.popup()
    popup.until_visible("#open-change")
    popup.click("#open-change")
    popup.until_visible("#change-form")
    popup.fill("#old-password", old)
    popup.fill("#new-password", new)
    popup.fill("#new-password-again", new)
    popup.click("#change")
    return popup


# Pixels that one has to scroll for.
EXCESS = "return document.documentElement.scrollHeight - innerHeight"


def fits(popup):
    # Firefox makes the popup larger a moment after what is in it.
    until("everything fits into the popup", lambda: popup.js(EXCESS) == 0)


def is_done(popup):
    return popup.is_ready() and popup.js("return document.getElementById('message').dataset.tone") == "done"


@scenario("registration with an invitation: the page is the new user's, and the code works once")
def register(b, site):
    code = invite(site, "newcomer")
    registers(b, site, "newcomer", code.lower().replace("-", " "))
    is_("the page", shown(b, "/app/new")[0], "newcomer")
    b.until_status("proven")
    b.close_popup()
    log_out(b)
    log_in(b, site.url("/app/next"), "newcomer", FRESH)
    log_out(b)
    popup = registers(b, site, "newcomer", code, NEXT)
    is_("the code is used", popup.failure(), "invitation")


@scenario("whoever registers for the first time is told to look at the address, and everything fits into the popup", firefox="fresh")
def look_first(b, site):
    b.load(site.url("/app/new"))
    ask(b)
    popup = b.popup()
    popup.until_visible("#open-register")
    popup.click("#open-register")
    popup.until_visible("#register-form")
    has("the address", popup.text("#status-more"), "Look at the address above")
    true("both", popup.visible("#status-more") and popup.visible("#register-notices [data-notice=notice_first]"))
    fits(popup)


@scenario("a wrong invitation, and one for somebody else, are refused alike")
def wrong_invitation(b, site):
    code = invite(site, "invited")
    popup = registers(b, site, "somebody-else", code)
    is_("for another name", popup.failure(), "invitation")
    is_("the password need not be typed again", popup.value("#register-password"), FRESH)
    fits(popup)
    popup = registers(b, site, "invited", "0000-0000-0000-0000-0000")
    is_("unknown", popup.failure(), "invitation")
    popup = registers(b, site, "invited", code)
    is_("the right one still works", shown(b, "/app/new")[0], "invited")


@scenario("what a relay sees of a registration is no password")
def register_through_relay(b, site):
    relay = Relay(site).take_over()
    registers(b, site, "relayed", invite(site, "relayed"))
    until("it was asked", lambda: any("/account/register" in r.path for r in relay.requests))
    relay.harmless(passwords=(FRESH,))


@scenario("change of password: the old one is asked for, the new one works, and every session is over")
def change(b, site):
    site.gateway.add_user("changer", PASSWORD, "staff")
    log_in(b, site.url("/app/first"), "changer", PASSWORD)
    popup = changes(b, PASSWORD, NEXT)
    until("it is done", lambda: is_done(popup))
    b.close_popup()
    b.load(site.url("/app/after"))
    is_("still logged in, with the new one", shown(b, "/app/after")[0], "changer")
    log_out(b)
    b.load(site.url("/app/x"))
    ask(b)
    b.popup().log_in("changer", PASSWORD)
    refused(b)
    b.popup().log_in("changer", NEXT)
    is_("the page", shown(b, "/app/x")[0], "changer")


@scenario("a wrong old password changes nothing")
def change_wrong(b, site):
    site.gateway.add_user("keeper", PASSWORD, "staff")
    log_in(b, site.url("/app/first"), "keeper", PASSWORD)
    popup = changes(b, "not the password", NEXT)
    is_("refused", popup.failure(), "refused")
    b.close_popup()
    b.load(site.url("/app/after"))
    is_("still logged in", shown(b, "/app/after")[0], "keeper")
    log_out(b)
    log_in(b, site.url("/app/again"), "keeper", PASSWORD)


@scenario("two new passwords that differ, or a short one, are said before anything is sent")
def change_checked(b, site):
    log_in(b, site.url("/app/first"))
    popup = changes(b, PASSWORD, "short")
    true("a message", popup.until_message() or popup.text("#change-hint"))
    popup.fill("#new-password", NEXT)
    popup.fill("#new-password-again", NEXT + "x")
    popup.click("#change")
    true("a message", popup.until_message())
    true("the form is still there", popup.visible("#change-form"))


@scenario("over http there is neither registration nor change")
def insecure(b, site):
    b.load(site.plain("/app/first"))
    ask(b)
    popup = b.popup()
    popup.until_visible("#password")
    true("no registration", not popup.visible("#open-register"))
    popup.log_in("alice", PASSWORD)
    b.until_status("proven")
    b.close_popup()
    popup = b.popup()
    popup.until_status("proven")
    true("no change", not popup.visible("#open-change"))
