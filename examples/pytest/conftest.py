"""The platform in a box, and an application that is registered there."""

import json
import subprocess
import time

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from hello_world import HelloWorld
from jwt.algorithms import RSAAlgorithm


@pytest.fixture(scope="session")
def started(tmp_path_factory):
    ready = tmp_path_factory.mktemp("nhs-auth") / "ready.json"
    command = ["nhs-auth", "mock", "--listen", "127.0.0.1:0", "--ready-file", str(ready)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as mock:
        while not ready.exists():
            assert mock.poll() is None, "nhs-auth mock has ended"
            time.sleep(0.02)
        yield json.loads(ready.read_text())["base_url"]
        mock.terminate()


@pytest.fixture
def base_url(started):
    requests.post(f"{started}/_mock/reset")  # each test meets it as at the start
    return started


@pytest.fixture(scope="session")
def private_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=4096)


@pytest.fixture
def client(base_url, private_key):
    jwk = RSAAlgorithm.to_jwk(private_key.public_key(), as_dict=True)
    jwks = {"keys": [{**jwk, "kid": "test-1", "alg": "RS512", "use": "sig"}]}
    app = requests.post(f"{base_url}/_mock/apps", json={"name": "pytest", "jwks": jwks}).json()
    return HelloWorld(base_url, app["api_key"], private_key, "test-1")
