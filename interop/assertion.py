"""An application that checks assertions with PyJWT: `assertion.py JWKS-URL ISSUER AUDIENCE TOKEN [FOREIGN]`.

Prints a line for each check, and ends with 1 at the first that does not hold. FOREIGN is a token of keys that are not published.
"""
import base64
import json
import sys
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

url, issuer, audience, token = sys.argv[1:5]
foreign = sys.argv[5] if len(sys.argv) > 5 else None
keys = jwt.PyJWKClient(url)
ALGORITHMS = ["ES256", "EdDSA"]
REQUIRED = ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"]


def check(token, audience=audience, **more):
    """What an application does for each request."""
    key = keys.get_signing_key_from_jwt(token).key
    return jwt.decode(token, key, algorithms=ALGORITHMS, audience=audience, issuer=issuer,
                      options={"require": REQUIRED, **more.pop("options", {})}, **more)


def ok(what):
    print("  ok    " + what)


def refused(what, error, work):
    try:
        work()
    except error as why:
        ok(f"refused: {what} ({type(why).__name__})")
        return
    sys.exit(f"  FAILED  accepted: {what}")


def part(value):
    octets = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


claims = check(token)
head = jwt.get_unverified_header(token)
assert head["typ"] == "JWT" and head["alg"] in ALGORITHMS, head
assert claims["exp"] - claims["iat"] <= 3600 and claims["iat"] <= time.time() + 1, claims
assert claims["method"] in ("mutual", "x509", "raw-key", "password-tls"), claims
assert claims["htm"] and claims["htu"], claims
ok(f"accepted: {claims['sub']} by {claims['method']}, signed by {head['alg']}")
if claims["method"] in ("x509", "raw-key"):
    assert len(next(iter(claims["cnf"].values()))) == 43, claims
    ok(f"bound to a key: {next(iter(claims['cnf']))}")

refused("another audience", jwt.InvalidAudienceError, lambda: check(token, audience="another"))
refused("another issuer", jwt.InvalidIssuerError,
        lambda: jwt.decode(token, keys.get_signing_key_from_jwt(token).key, algorithms=ALGORITHMS, audience=audience,
                           issuer="https://elsewhere.example"))
# As if it were later: what is left of its life is over.
late = claims["exp"] - int(time.time()) + 1
refused("an expired one", jwt.ExpiredSignatureError,
        lambda: check(token, leeway=-late, options={"verify_iat": False, "verify_nbf": False}))

_, payload, signature = token.split(".")
none = ".".join([part({"alg": "none", "typ": "JWT", "kid": head["kid"]}), payload, ""])
refused("alg none", jwt.InvalidTokenError, lambda: check(none))
other = ec.generate_private_key(ec.SECP256R1()) if head["alg"] == "ES256" else ed25519.Ed25519PrivateKey.generate()
forged = jwt.encode(claims, other, algorithm=head["alg"], headers={"kid": head["kid"]})
refused("another key under the name of ours", jwt.InvalidSignatureError, lambda: check(forged))
root = ".".join([token.split(".")[0], part({**claims, "sub": "root"}), signature])
refused("other claims under our signature", jwt.InvalidSignatureError, lambda: check(root))
public = keys.get_signing_key_from_jwt(token).key.public_bytes(Encoding.Raw if head["alg"] == "EdDSA" else Encoding.X962,
    PublicFormat.Raw if head["alg"] == "EdDSA" else PublicFormat.UncompressedPoint)
hmac = jwt.encode(claims, public, algorithm="HS256", headers={"kid": head["kid"]})
refused("HMAC with the public key", jwt.InvalidTokenError, lambda: check(hmac))
if foreign:
    refused("a key that is not published", jwt.PyJWKClientError, lambda: check(foreign))
