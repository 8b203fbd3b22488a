"""Gets an access token with PyJWT and requests, and prints it.

The whole job in one process, as a Python script does it: read the key, sign, post the
form, read the answer. The benchmark holds `nhs-auth get-token` against this.

    get_token.py --api-key K --token-url URL --private-key PEM --kid KID
"""

import argparse
import sys
import time
import uuid
from pathlib import Path

import jwt
import requests

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME_S = 290
TIMEOUT_S = 30


def main() -> None:
    parser = argparse.ArgumentParser(description="Get an access token with PyJWT and requests.")
    parser.add_argument("--api-key", required=True)
    parser.add_argument("--token-url", required=True)
    parser.add_argument("--private-key", required=True, type=Path, metavar="PEM")
    parser.add_argument("--kid", required=True)
    args = parser.parse_args()

    assertion = sign(args.private_key, args.kid, args.api_key, args.token_url)
    print(fetch(args.token_url, assertion))


def sign(private_key: Path, kid: str, api_key: str, token_url: str) -> str:
    claims = {
        "iss": api_key,
        "sub": api_key,
        "aud": token_url,
        "jti": str(uuid.uuid4()),
        "exp": int(time.time()) + LIFETIME_S,
    }
    return jwt.encode(claims, private_key.read_bytes(), algorithm="RS512", headers={"kid": kid})


def fetch(token_url: str, assertion: str) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    answer = requests.post(token_url, data=form, timeout=TIMEOUT_S, allow_redirects=False)
    if answer.status_code != requests.codes.ok:
        sys.exit(f"no token: {answer.status_code} {answer.text}")
    return answer.json()["access_token"]


if __name__ == "__main__":
    main()
