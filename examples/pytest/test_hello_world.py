import time

import pytest
import requests


def test_a_signed_jwt_opens_hello_world(client):
    assert client.greet() == "Hello Application!"


def test_a_token_is_used_again_until_it_expires(client, base_url):
    client.greet()
    client.greet()
    assert token_requests(base_url) == [200]

    # Ten minutes later, for the platform and for its client.
    requests.post(f"{base_url}/_mock/clock", json={"advance_s": 600})
    client.now = lambda: time.time() + 600
    assert client.greet() == "Hello Application!"
    assert token_requests(base_url) == [200, 200]


def test_an_outage_is_told_and_gets_over(client, base_url):
    requests.post(f"{base_url}/_mock/faults", json={"fault": "503", "times": 1})
    with pytest.raises(requests.HTTPError, match="503"):
        client.greet()
    assert client.greet() == "Hello Application!"


def token_requests(base_url):
    seen = requests.get(f"{base_url}/_mock/requests").json()["requests"]
    return [request["status"] for request in seen if request["path"] == "/oauth2/token"]
