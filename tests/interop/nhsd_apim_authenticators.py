"""Gets a token with an authenticator of PyPI's pytest-nhsd-apim, and calls Hello World with it.

    nhsd_apim_authenticators.py BASE_URL client-credentials
    nhsd_apim_authenticators.py BASE_URL authorization-code nhs-cis2|nhs-login USERNAME
    nhsd_apim_authenticators.py BASE_URL token-exchange REALM USERNAME

Prints one line of JSON: what the token answer held beside its secrets, and the greeting. The
authenticators are used as they are; their configuration names the box in the platform's place.
"""

import argparse
import json

import requests
from box import TIMEOUT_S, Box, Key
from pytest_nhsd_apim.identity_service import (
    AuthorizationCodeAuthenticator,
    AuthorizationCodeConfig,
    ClientCredentialsAuthenticator,
    ClientCredentialsConfig,
    KeycloakUserAuthenticator,
    KeycloakUserConfig,
    TokenExchangeAuthenticator,
    TokenExchangeConfig,
)

KEYCLOAK = "https://identity.ptl.api.platform.nhs.uk"
SECRETS = {"access_token", "refresh_token", "id_token"}


def main() -> None:
    parser = argparse.ArgumentParser(description="Get a token as pytest-nhsd-apim does.")
    parser.add_argument("base_url")
    journeys = parser.add_subparsers(dest="journey", required=True)
    journeys.add_parser("client-credentials")
    journey = journeys.add_parser("authorization-code")
    journey.add_argument("scope")
    journey.add_argument("username")
    journey = journeys.add_parser("token-exchange")
    journey.add_argument("realm")
    journey.add_argument("username")
    args = parser.parse_args()

    box = Box(args.base_url)
    if args.journey == "client-credentials":
        token, whom = client_credentials(box), "application"
    elif args.journey == "authorization-code":
        token, whom = authorization_code(box, args.scope, args.username), "user"
    else:
        token, whom = token_exchange(box, args.realm, args.username), "user"
    greeting = box.greeting(whom, token["access_token"])
    plain = {name: value for name, value in token.items() if name not in SECRETS}
    print(json.dumps({"token": plain, "greeting": greeting}))


def client_credentials(box: Box) -> dict:
    key = Key("int-1")
    app = box.create_app(name="client credentials", jwks=key.jwks())
    config = ClientCredentialsConfig(**signed_jwt(box, app, key))
    return ClientCredentialsAuthenticator(config).get_token()


def authorization_code(box: Box, scope: str, username: str) -> dict:
    # The authenticator follows its way back to the application, so there has to be a page.
    callback_url = f"{box.base_url}/hello-world/hello/world"
    app = box.create_app(name="authorization code", callback_url=callback_url)
    config = AuthorizationCodeConfig(
        environment="int",
        identity_service_base_url=f"{box.base_url}/oauth2-mock",
        callback_url=callback_url,
        client_id=app["api_key"],
        client_secret=app["client_secret"],
        scope=scope,
        login_form={"username": username},
    )
    return AuthorizationCodeAuthenticator(config).get_token()


def token_exchange(box: Box, realm: str, username: str) -> dict:
    key = Key("int-1")
    app = box.create_app(name="token exchange", jwks=key.jwks())
    id_token = keycloak_id_token(box, app, realm, username)
    config = TokenExchangeConfig(id_token=id_token, **signed_jwt(box, app, key))
    return TokenExchangeAuthenticator(config).get_token()


def keycloak_id_token(box: Box, app: dict, realm: str, username: str) -> str:
    """An ID token of the hosted mock, with the client that it lends to applications."""
    answer = requests.get(
        f"{box.base_url}/mock-jwks/keycloak-client-credentials",
        headers={"apikey": app["api_key"]},
        timeout=TIMEOUT_S,
    )
    lent = answer.json()["cis2" if realm.startswith("Cis2") else "nhs-login"]
    config = BoxKeycloakUserConfig(
        base_url=box.base_url,
        realm=realm,
        client_id=lent["client_id"],
        client_secret=lent["client_secret"],
        redirect_uri=f"{box.base_url}/hello-world/hello/world",
        login_form={"username": username},
    )
    return KeycloakUserAuthenticator(config).get_token()["id_token"]


class BoxKeycloakUserConfig(KeycloakUserConfig):
    """The hosted mock's address is fixed in the package, so its host is replaced here."""

    base_url: str

    @property
    def keycloak_url(self) -> str:
        hosted = super().keycloak_url
        assert hosted.startswith(KEYCLOAK), hosted
        return hosted.replace(KEYCLOAK, self.base_url, 1)


def signed_jwt(box: Box, app: dict, key: Key) -> dict:
    return {
        "environment": "int",
        "identity_service_base_url": f"{box.base_url}/oauth2-mock",
        "client_id": app["api_key"],
        "jwt_private_key": key.pem(),
        "jwt_kid": key.kid,
    }


if __name__ == "__main__":
    main()
