"""What scenarios with attackers have in common."""

from attackers import MARK
from harness import blocked, is_, log_in, true

# What an attacker would like to open at the real site, and where it lures people to.
STOLEN = "/app/stolen"
EVIL = "auction-login.test"


def nothing_shown(b, attacker=None, unspent=0):
    """What an attacker wrote is in no tab and in no frame, and what it got is of no use."""
    is_("documents with the attacker's words", b.anywhere(MARK), [])
    if attacker:
        attacker.harmless(STOLEN, unspent=unspent)


def mid_session(b, site, attacker, why=None, path="/app/attacked"):
    """Somebody is logged in when the attacker takes the site over: the next page is the extension's own."""
    log_in(b, site.url("/app/before"))
    attacker.take_over()
    b.drop_connections()
    b.load(site.url(path))
    text = blocked(b, why)
    true("one proof at most is out", attacker.proofs() <= 1)
    nothing_shown(b, attacker, unspent=1)
    return text
