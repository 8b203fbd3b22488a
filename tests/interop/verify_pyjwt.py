"""Verifies a client assertion, read from standard input, with PyJWT.

Prints its header and claims as one line of JSON. An assertion that doesn't verify
is told on standard error, with exit code 1.

    verify_pyjwt.py JWKS_FILE AUDIENCE ISSUER < assertion
"""

import argparse
import json
import sys
from pathlib import Path

import jwt


def main() -> None:
    parser = argparse.ArgumentParser(description="Verify a client assertion with PyJWT.")
    parser.add_argument("jwks", type=Path, help="file with the public keys")
    parser.add_argument("audience", help="the `aud` to insist on")
    parser.add_argument("issuer", help="the `iss` to insist on")
    args = parser.parse_args()

    try:
        verified = verify(sys.stdin.read().strip(), args.jwks, args.audience, args.issuer)
    except (jwt.PyJWTError, LookupError) as error:
        sys.exit(f"PyJWT refuses the assertion: {type(error).__name__}: {error}")
    print(json.dumps(verified))


def verify(assertion: str, jwks: Path, audience: str, issuer: str) -> dict:
    keys = jwt.PyJWKSet.from_json(jwks.read_text())
    kid = jwt.get_unverified_header(assertion)["kid"]
    verified = jwt.decode_complete(
        assertion,
        keys[kid],
        algorithms=["RS512"],
        audience=audience,
        issuer=issuer,
        options={"require": ["aud", "exp", "iss"]},
    )
    return {"header": verified["header"], "claims": verified["payload"]}


if __name__ == "__main__":
    main()
