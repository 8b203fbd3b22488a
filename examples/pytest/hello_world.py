"""A small client of an NHS API, by signed JWT: what the tests beside it are about."""

import time
import uuid

import jwt
import requests

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TIMEOUT_S = 30


class HelloWorld:
    def __init__(self, base_url, api_key, private_key, kid, now=time.time):
        self.base_url = base_url
        self.token_url = f"{base_url}/oauth2/token"
        self.api_key = api_key
        self.private_key = private_key
        self.kid = kid
        self.now = now
        self.token = None

    def greet(self):
        answer = self.call()
        if answer.status_code == 401:  # the token has expired, or is no longer known
            self.token = None
            answer = self.call()
        answer.raise_for_status()
        return answer.json()["message"]

    def call(self):
        self.token = self.token or self.new_token()
        url = f"{self.base_url}/hello-world/hello/application"
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.get(url, headers=headers, timeout=TIMEOUT_S)

    def new_token(self):
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.new_assertion(),
        }
        answer = requests.post(self.token_url, data=form, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()["access_token"]

    def new_assertion(self):
        claims = {
            "iss": self.api_key,
            "sub": self.api_key,
            "aud": self.token_url,
            "jti": str(uuid.uuid4()),  # the platform takes each only once
            "exp": int(self.now()) + 150,  # and at most five minutes ahead
        }
        return jwt.encode(claims, self.private_key, algorithm="RS512", headers={"kid": self.kid})
