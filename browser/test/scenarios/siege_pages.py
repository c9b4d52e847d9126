"""What the browser says of pages that are not the site's: nothing of a proof stays with a tab that has gone elsewhere."""

from harness import *


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
