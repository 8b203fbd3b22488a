"""The platform in a box as the scripts here arrange it, and the user at the browser."""

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from lxml import html

TIMEOUT_S = 30


class Key:
    """A key pair of a client's own."""

    def __init__(self, kid: str, alg: str = "RS512") -> None:
        self.kid = kid
        self.alg = alg
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def pem(self) -> str:
        return self._private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    def jwks(self) -> dict:
        jwk = RSAAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        return {"keys": [{**jwk, "kid": self.kid, "alg": self.alg, "use": "sig"}]}


class Box:
    """The running platform."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def create_app(self, **settings) -> dict:
        return self._control("apps", settings)

    def create_client(self, **settings) -> dict:
        return self._control("clients", settings)

    def greeting(self, whom: str, access_token: str) -> dict:
        """What Hello World says to the holder of a token."""
        headers = {"Authorization": f"Bearer {access_token}"}
        url = f"{self.base_url}/hello-world/hello/{whom}"
        answer = requests.get(url, headers=headers, timeout=TIMEOUT_S)
        return {"status": answer.status_code, **answer.json()}

    def _control(self, path: str, body: dict) -> dict:
        answer = requests.post(f"{self.base_url}/_mock/{path}", json=body, timeout=TIMEOUT_S)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()


def sign_in(authorization_url: str, username: str) -> str:
    """What a user does at the sign-in page. Returns the URL that the browser is sent back to."""
    browser = requests.Session()
    page = browser.get(authorization_url, timeout=TIMEOUT_S)
    form = html.fromstring(page.text, base_url=page.url).get_element_by_id("kc-form-login")
    form.make_links_absolute()
    fields = {**dict(form.form_values()), "username": username}
    answer = browser.post(form.action, data=fields, timeout=TIMEOUT_S, allow_redirects=False)
    assert answer.is_redirect, f"the sign-in page answers {answer.status_code}"
    return answer.headers["Location"]
