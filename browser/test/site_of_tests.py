"""Everything that is not the browser: the gateway, and whoever stands between it and the browser."""

from gateway import Gateway

# The one with the heaviest arithmetic, for what has to stay alive meanwhile.
HEAVY = "iso-kam3-dl-4096-sha512"


class Site:
    def __init__(self, directory):
        self.gateway = Gateway(directory, [HEAVY])
        self.attackers = []

    @property
    def app(self):
        return self.gateway.app

    @property
    def heavy(self):
        """The host of a realm whose logins take long."""
        return self.gateway.others[HEAVY]

    def url(self, path, host="auction.test"):
        """Over https."""
        return self.gateway.url(host, path)

    def plain(self, path, host="auction.test"):
        """Over http."""
        return self.gateway.plain(host, path)

    def attack(self, attacker):
        """An attacker that ends with the scenario."""
        self.attackers.append(attacker)
        return attacker

    def calm(self):
        """Between scenarios: no attackers, a running gateway, an application that remembers nothing."""
        self.gateway.secure_front.turn()
        self.gateway.plain_front.turn()
        for attacker in self.attackers:
            attacker.close()
        self.attackers.clear()
        if self.gateway.process.poll() is not None:
            self.gateway.start()
        self.app.forget()

    def end(self):
        self.calm()
        self.gateway.end()
