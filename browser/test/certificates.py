"""Certificates of the tests' own authority, by OpenSSL's command: what Firefox trusts, so that the protocol alone protects."""

import secrets
import ssl
import subprocess
from pathlib import Path

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Authority:
    """An authority in a directory; Firefox is told to trust `certificate`."""

    def __init__(self, directory):
        self.dir = Path(directory)
        self.dir.mkdir()
        self.certificate, self.key = self.dir / "ca.pem", self.dir / "ca.key"
        self._openssl(
            "req", "-x509", *CURVE, "-days", "2", "-subj", "/CN=tests of tagai", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-keyout", self.key, "-out", self.certificate,
        )  # fmt: skip

    def issue(self, name, *hosts):
        """A certificate for these hosts as (chain, key), two PEM files. Each call makes another key."""
        chain, key, request, extensions = (self.dir / f"{name}.{end}" for end in ("pem", "key", "csr", "ext"))
        names = ",".join(f"DNS:{host}" for host in hosts)
        extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\nkeyUsage=digitalSignature\n")
        self._openssl("req", *CURVE, "-subj", f"/CN={hosts[0]}", "-keyout", key, "-out", request)
        self._openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-days", "2",
            "-set_serial", f"0x{secrets.token_hex(8)}", "-extfile", extensions, "-out", chain,
        )  # fmt: skip
        return chain, key

    @staticmethod
    def _openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, stdin=subprocess.DEVNULL)


def server_context(pair):
    """TLS of a server with (chain, key), HTTP/1.1 alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    context.set_alpn_protocols(["http/1.1"])
    return context


def careless_context():
    """TLS of a client that looks at no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
