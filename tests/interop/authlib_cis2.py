"""Signs a healthcare worker in at CIS2 with Authlib, as a web application does.

    authlib_cis2.py BASE_URL client_secret_post|private_key_jwt USERNAME [--default-lifetime]

Prints one line of JSON: the claims of the ID token, which Authlib has verified by the box's JWKS
and its nonce, and the user info. A refusal is told on standard error, with exit code 1.
"""

import argparse
import json
import sys
import time
from urllib.parse import parse_qs, urlsplit

from authlib.integrations.base_client import OAuthError
from authlib.integrations.base_client.sync_app import BaseApp, OAuth2Mixin
from authlib.integrations.base_client.sync_openid import OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from box import Box, Key, sign_in

ISSUER = "/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare"
REDIRECT_URI = "https://app.test/callback"
LIFETIME_S = 300


class RelyingParty(OAuth2Mixin, OpenIDMixin, BaseApp):
    """What Authlib's integrations are made of, without a web framework around it."""

    client_cls = OAuth2Session


def main() -> None:
    parser = argparse.ArgumentParser(description="Sign in at CIS2 with Authlib.")
    parser.add_argument("base_url")
    parser.add_argument("method", choices=["client_secret_post", "private_key_jwt"])
    parser.add_argument("username")
    parser.add_argument("--default-lifetime", action="store_true", help="of the assertion")
    args = parser.parse_args()

    lifetime_s = None if args.default_lifetime else LIFETIME_S
    cis2 = relying_party(Box(args.base_url), args.method, lifetime_s)
    try:
        print(json.dumps(signed_in(cis2, args.username)))
    except OAuthError as error:
        sys.exit(f"{error.error}: {error.description}")


def relying_party(box: Box, method: str, lifetime_s: int | None) -> RelyingParty:
    settings = {
        "provider": "cis2",
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": method,
    }
    if method == "client_secret_post":
        client = box.create_client(**settings)
        secret, methods = client["client_secret"], []
    else:
        key = Key("cis2-1")
        client = box.create_client(**settings, jwks=key.jwks(), jwks_uri_signing_algorithm=key.alg)
        claims = {"exp": int(time.time()) + lifetime_s} if lifetime_s else None
        signer = PrivateKeyJWT(alg=key.alg, headers={"kid": key.kid}, claims=claims)
        secret, methods = key.pem(), [signer]
    return RelyingParty(
        None,
        "cis2",
        client_id=client["client_id"],
        client_secret=secret,
        client_auth_methods=methods,
        server_metadata_url=f"{box.base_url}{ISSUER}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile nationalrbacaccess",
            "token_endpoint_auth_method": method,
        },
    )


def signed_in(cis2: RelyingParty, username: str) -> dict:
    request = cis2.create_authorization_url(REDIRECT_URI, acr_values="AAL3_ANY")
    returned = parse_qs(urlsplit(sign_in(request["url"], username)).query)
    assert returned["state"] == [request["state"]], "another state"
    token = cis2.fetch_access_token(REDIRECT_URI, code=returned["code"][0])
    claims = cis2.parse_id_token(token, nonce=request["nonce"])
    return {"client_id": cis2.client_id, "claims": claims, "userinfo": cis2.userinfo(token=token)}


if __name__ == "__main__":
    main()
