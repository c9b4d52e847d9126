"""Requests with bodies: they arrive whole and once, whatever had to happen before."""

import hashlib

from application import SIZE
from harness import *

LARGE = hashlib.sha256(b"b" * SIZE).hexdigest()
NOTE = "note=a+note%2C+s%C3%BC%C3%9F"


def send(b, selector):
    # Marionette's own click would wait for pages that are held back.
    b.until_js(f"document.querySelector('{selector}')", selector)
    b.js(f"document.querySelector('{selector}').click()")


def posted(b, length, user="alice"):
    """Waits for the answer to a form."""
    b.until_js("document.getElementById('posted')", "the answer to the form")
    is_("the form arrived", b.js("return document.getElementById('posted').textContent"), f"POST {length}")
    is_("by", shown(b, "/app/posted")[0], user)
    b.until_status("proven")


@scenario("a form is posted by the user")
def form(b, site):
    log_in(b, site.url("/app/form"), shows="form")
    send(b, "#send")
    posted(b, len(NOTE))
    has("what was written", b.text(), NOTE)
    is_("it arrived once", site.app.users("POST"), ["alice"])


@scenario("a file of 5 MB by a form")
def large_form(b, site):
    log_in(b, site.url("/app/form"), shows="form")
    send(b, "#sendfile")
    b.until_js("document.getElementById('posted')", "the answer to the form")
    length = int(b.js("return document.getElementById('posted').textContent").split()[1])
    true("all of it", SIZE < length < SIZE + 1000)
    is_("it arrived once", site.app.users("POST"), ["alice"])
    b.until_status("proven")


@scenario("5 MB by fetch")
def large_fetch(b, site):
    log_in(b, site.url("/app/first"))
    b.load(site.url("/app/upload"))
    b.until_text(f"alice {SIZE} {LARGE}")
    is_("it arrived once", site.app.users("POST"), ["alice"])


@scenario("5 MB over http")
def large_over_http(b, site):
    log_in(b, site.plain("/app/first"))
    b.load(site.plain("/app/upload"))
    b.until_text(f"alice {SIZE} {LARGE}")


@scenario("a form that is sent after the session was lost arrives whole, and once")
def stale_form(b, site):
    log_in(b, site.url("/app/form"), shows="form")
    site.gateway.restart()
    send(b, "#send")
    posted(b, len(NOTE))
    is_("it arrived once", site.app.users("POST"), ["alice"])


@scenario("5 MB after the session was lost")
def stale_large(b, site):
    log_in(b, site.url("/app/form"), shows="form")
    site.gateway.restart()
    send(b, "#sendfile")
    b.until_js("document.getElementById('posted')", "the answer to the form")
    is_("it arrived once", site.app.users("POST"), ["alice"])
    b.until_status("proven")


@scenario("a form of a public page that leads into the realm waits for the login, and then arrives with what was written")
def form_first(b, site):
    b.load(site.url("/outer/form"))
    b.until_text("form")
    b.js("document.getElementById('form').action = '/app/posted'")
    send(b, "#send")
    ask(b)
    popup = b.popup()
    true("it is said that the page waits", popup.visible("#decline"))
    is_("nothing arrived", site.app.users("POST"), [])
    popup.log_in("alice", PASSWORD)
    posted(b, len(NOTE))
    has("what was written", b.text(), NOTE)
    is_("it arrived once", site.app.users("POST"), ["alice"])


@scenario("the same, by a wrong password first")
def form_wrong_first(b, site):
    b.load(site.url("/outer/form"))
    b.until_text("form")
    b.js("document.getElementById('form').action = '/app/posted'")
    send(b, "#send")
    ask(b)
    b.popup().log_in("alice", "not the password")
    refused(b)
    b.popup().log_in("alice", PASSWORD)
    posted(b, len(NOTE))
    is_("it arrived once", site.app.users("POST"), ["alice"])


@scenario("the same, declined: the refusal is shown, and nothing arrives")
def form_declined(b, site):
    b.load(site.url("/outer/form"))
    b.until_text("form")
    b.js("document.getElementById('form').action = '/app/posted'")
    send(b, "#send")
    ask(b)
    popup = b.popup()
    popup.until_visible("#decline")
    popup.click("#decline")
    b.until_text("Please log in")
    is_("nothing arrived", site.app.users("POST"), [])
    true("not proven", b.status() in ("none", "asked"))
