"""Prints a client assertion made by PyJWT.

`--header` and `--claims` take a JSON object that is laid over the usual members:
a value replaces or adds, null removes.

    sign_pyjwt.py PRIVATE_KEY_PEM KID API_KEY AUDIENCE [--header JSON] [--claims JSON]
"""

import argparse
import json
import sys
import time
import uuid
from pathlib import Path

import jwt

LIFETIME_S = 290


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a client assertion with PyJWT.")
    parser.add_argument("private_key", type=Path, help="PEM file to sign with")
    parser.add_argument("kid", help="the key's name in the JWKS")
    parser.add_argument("api_key", help="the `iss` and `sub`")
    parser.add_argument("audience", help="the URL of the token endpoint")
    parser.add_argument("--header", type=json.loads, default={}, metavar="JSON")
    parser.add_argument("--claims", type=json.loads, default={}, metavar="JSON")
    args = parser.parse_args()

    header = {"alg": "RS512", "typ": "JWT", "kid": args.kid}
    claims = {
        "iss": args.api_key,
        "sub": args.api_key,
        "aud": args.audience,
        "jti": str(uuid.uuid4()),
        "exp": int(time.time()) + LIFETIME_S,
    }
    try:
        print(sign(overlay(header, args.header), overlay(claims, args.claims), args.private_key))
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        sys.exit(f"PyJWT doesn't make such an assertion: {type(error).__name__}: {error}")


def overlay(members: dict, changes: dict) -> dict:
    return {name: value for name, value in {**members, **changes}.items() if value is not None}


def sign(header: dict, claims: dict, private_key: Path) -> str:
    if "alg" not in header:
        raise ValueError("it always writes an `alg`")
    header.setdefault("typ", None)  # absent, it would write one of its own
    return jwt.encode(claims, private_key.read_bytes(), algorithm=header["alg"], headers=header)


if __name__ == "__main__":
    main()
