"""Makes client-assertions.json: key, clock and jti in, exact assertion out, and what is refused.

Written with another implementation of RSA than the project's own, and with a new key each time:

    python tests/vectors/make.py > tests/vectors/client-assertions.json
"""

import base64
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

NOW = 1_800_000_000
API_KEY = "abcdefghijklmnopqrstuvwxyz012345"
TOKEN_URL = "https://int.api.service.nhs.uk/oauth2/token"
JTI = "7d0a0c5e-5f5b-4c39-9b8e-2f6d8b1f0a01"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value) -> str:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return base64url(text.encode())


def sign(key, header, payload, digest=hashes.SHA512) -> str:
    message = f"{part(header)}.{part(payload)}"
    signature = key.sign(message.encode(), padding.PKCS1v15(), digest())
    return f"{message}.{base64url(signature)}"


def number(value: int) -> str:
    return base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def jwk(key, kid):
    public = key.public_key().public_numbers()
    return {"kty": "RSA", "n": number(public.n), "e": number(public.e), "alg": "RS512", "use": "sig", "kid": kid}


def claims(**changes):
    payload = {"iss": API_KEY, "sub": API_KEY, "aud": TOKEN_URL, "jti": JTI, "exp": NOW + 150, **changes}
    return {name: value for name, value in payload.items() if value is not REMOVED}


def header(**changes):
    values = {"alg": "RS512", "typ": "JWT", "kid": "int-1", **changes}
    return {name: value for name, value in values.items() if value is not REMOVED}


REMOVED = object()


def accepted(key):
    for name, kid, lifetime, url in [
        ("the usual one", "int-1", 150, TOKEN_URL),
        ("the longest lifetime that is documented", "int-1", 300, TOKEN_URL),
        ("production", "prod-1", 150, "https://api.service.nhs.uk/oauth2/token"),
        ("a kid that JSON must escape", 'a"b\\c+/=', 150, TOKEN_URL),
    ]:
        assertion = sign(key, header(kid=kid), claims(aud=url, exp=NOW + lifetime))
        yield {
            "name": name, "now_s": NOW, "lifetime_s": lifetime, "api_key": API_KEY, "kid": kid,
            "token_url": url, "jti": JTI, "assertion": assertion,
        }


def refused(key, other):
    good = sign(key, header(), claims())
    yield "a dash that a forum made typographic", "A3", good.replace("-", "–", 1)
    yield "padding", "A3", good + "=="
    yield "no signature part", "A3", good.rsplit(".", 1)[0]
    yield "RS256", "A4", sign(key, header(alg="RS256"), claims(), hashes.SHA256)
    yield "an exp that is past", "A5", sign(key, header(), claims(exp=NOW - 1))
    yield "an exp that is null", "A5", sign(key, header(), claims(exp=None))
    yield "no kid", "A6", sign(key, header(kid=REMOVED), claims())
    yield "no typ", "A7", sign(key, header(typ=REMOVED), claims())
    yield "no exp", "A8", sign(key, header(), claims(exp=REMOVED))
    yield "an exp that is a string", "A9", sign(key, header(), claims(exp=str(NOW + 150)))
    yield "iss and sub differ", "A10", sign(key, header(), claims(sub="another"))
    yield "no jti", "A11", sign(key, header(), claims(jti=REMOVED))
    yield "a jti that is a number", "A12", sign(key, header(), claims(jti=7))
    yield "an exp in milliseconds", "A14", sign(key, header(), claims(exp=(NOW + 150) * 1000))
    yield "an exp 311 seconds away", "A14", sign(key, header(), claims(exp=NOW + 311))
    yield "the application ID for the API key", "A15", sign(
        key, header(), claims(iss="0b3ff2a6-2f9c-4c43-8d6b-6c7b0a1f4c11", sub="0b3ff2a6-2f9c-4c43-8d6b-6c7b0a1f4c11"))
    yield "a kid without its hyphen", "A19", sign(key, header(kid="int1"), claims())
    yield "another key", "A20", sign(other, header(), claims())
    yield "an aud with a slash at its end", "A21", sign(key, header(), claims(aud=TOKEN_URL + "/"))
    yield "an aud without https", "A21", sign(key, header(), claims(aud=TOKEN_URL.removeprefix("https://")))


def main():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    der = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    cases = list(accepted(key))
    kids = dict.fromkeys(case["kid"] for case in cases)
    print(json.dumps({
        "about": "The key was made for this file alone, and is worth nothing.",
        "private_key_pkcs8_der": base64.b64encode(der).decode(),
        "jwks": {"keys": [jwk(key, kid) for kid in kids]},
        "accepted": cases,
        "refused": [
            {"name": name, "rule": rule, "now_s": NOW, "api_key": API_KEY, "token_url": TOKEN_URL, "assertion": assertion}
            for name, rule, assertion in refused(key, other)
        ],
    }, indent=1, ensure_ascii=False))


main()
