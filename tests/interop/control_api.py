"""Calls the control API of the platform in a box, and holds it against its OpenAPI document.

    control_api.py BASE_URL OPENAPI_JSON

Every documented operation is called. Each answer must be documented, and each documented answer
must be seen. A body that is accepted must be valid by the document, and one that is refused must
not be. What is wrong is told on standard error, with exit code 1.
"""

import argparse
import json
from pathlib import Path

import requests
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

METHODS = {"delete", "get", "patch", "post", "put"}
NO_APP = "00000000-0000-4000-8000-000000000000"
LONGEST_BODY = 1024 * 1024
TIMEOUT_S = 30

# Documented, and too dear to show here.
NOT_SHOWN = {("post", path, 409) for path in ("/apps", "/clients", "/products", "/users")}


def main() -> None:
    parser = argparse.ArgumentParser(description="Hold the control API against its document.")
    parser.add_argument("base_url")
    parser.add_argument("openapi", type=Path)
    args = parser.parse_args()

    document = json.loads(args.openapi.read_text())
    validate(document)
    api = ControlApi(f"{args.base_url}/_mock", document)
    api.call("post", "/reset", expect=204)
    assert api.call("get", "/openapi.json", expect=200) == document, "another document is served"
    apps(api)
    products(api)
    users(api)
    clients(api)
    tokens(api)
    faults(api, args.base_url)
    clock(api)
    recorded_requests(api, args.base_url)
    everywhere(api)

    unseen = api.documented() - api.seen - NOT_SHOWN
    assert not unseen, f"documented, and never seen: {sorted(unseen)}"
    print(json.dumps({"seen": len(api.seen)}))


class ControlApi:
    """The control API, each of whose answers is checked as it comes."""

    def __init__(self, url: str, document: dict) -> None:
        self.url = url
        self.document = document
        self.session = requests.Session()
        self.seen: set[tuple[str, str, int]] = set()
        self.accepted: dict[tuple[str, str], dict] = {}

    def call(self, method, path, body=None, *, expect, valid=None, headers=None, **parameters):
        """Calls an operation by its documented path, and checks the answer.

        A body that is refused has to be invalid by the document, unless `valid` says otherwise.
        """
        url = self.url + path.format(**parameters)
        answer = self.session.request(method, url, json=body, headers=headers, timeout=TIMEOUT_S)
        assert answer.status_code == expect, told(method, path, answer)
        if body is not None and expect in (200, 201, 400):
            error = self.first_error(self.request_schema(method, path), body)
            said = f"{body}: {told(method, path, answer)}; by the document: {error or 'valid'}"
            assert (error is None) == (valid or expect != 400), said
            if expect != 400:
                self.accepted[method, path] = body
        return self.documented_answer(method, path, answer)

    def documented_answer(self, method, path, answer):
        said = told(method, path, answer)
        responses = self.document["paths"][path][method]["responses"]
        assert str(answer.status_code) in responses, f"not documented: {said}"
        self.seen.add((method, path, answer.status_code))
        content = self.resolved(responses[str(answer.status_code)]).get("content")
        if content is None:
            assert answer.content == b"", f"there should be no body: {said}"
            return None
        content_type = answer.headers["Content-Type"]
        assert content_type in content, f"{content_type} is not documented: {said}"
        error = self.first_error(content[content_type]["schema"], answer.json())
        assert error is None, f"{error}: {said}"
        return answer.json()

    def documented(self) -> set[tuple[str, str, int]]:
        return {
            (method, path, int(status))
            for path, method in self.operations()
            for status in self.document["paths"][path][method]["responses"]
        }

    def operations(self) -> list[tuple[str, str]]:
        paths = self.document["paths"].items()
        return [(path, method) for path, item in paths for method in item if method in METHODS]

    def request_schema(self, method, path):
        body = self.document["paths"][path][method].get("requestBody")
        return body and self.resolved(body)["content"]["application/json"]["schema"]

    def first_error(self, schema, value):
        # The whole document goes along, so that its references lead somewhere.
        validator = Draft202012Validator(
            {**schema, "components": self.document["components"]},
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        return next((f"{e.json_path}: {e.message}" for e in validator.iter_errors(value)), None)

    def resolved(self, value):
        while "$ref" in value:
            target = self.document
            for step in value["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            value = target
        return value


def told(method, path, answer) -> str:
    # What was asked for may be a secret; what went wrong is not.
    text = answer.text if answer.status_code >= requests.codes.bad_request else ""
    return f"{method} {path}: {answer.status_code} {text}"


def apps(api: ControlApi) -> None:
    item = "/apps/{application_id}"
    made = api.call("post", "/apps", {"name": "whole", "jwks": {"keys": []}}, expect=201)
    app, no_app = {"application_id": made["application_id"]}, {"application_id": NO_APP}
    for body in [
        {},
        {"jwks": "not a JWKS"},
        {"jwks_url": "https://jwks.test/", "jwks": None},
        {"scopes": ["urn:nhsd:apim:app:level3:hello-world"], "callback_url": "https://a.test/"},
        {"scopes": None, "approved": False, "company_active": False, "developer_active": False},
        {"rate_limit": 5, "products": ["prescriptions"]},
    ]:
        api.call("post", "/apps", body, expect=201)
        api.call("patch", item, body, expect=200, **app)
        api.call("get", item, expect=200, **app)
    nothing = {"jwks": None, "jwks_url": None, "callback_url": None, "rate_limit": None}
    api.call("patch", item, nothing, expect=200, **app)
    assert len(api.call("get", "/apps", expect=200)["apps"]) == 7

    for body in [
        [],
        {"name": None},
        {"jwks": {}, "jwks_url": "https://jwks.test/"},
        {"jwks_url": 1},
        {"scopes": "urn:nhsd:apim:app:level3:hello-world"},
        {"approved": "yes"},
        {"rate_limit": -1},
    ]:
        api.call("post", "/apps", body, expect=400)
        api.call("patch", item, body, expect=400, **app)

    api.call("delete", item, expect=204, **app)
    api.call("get", item, expect=404, **no_app)
    api.call("patch", item, {}, expect=404, **no_app)
    api.call("delete", item, expect=404, **no_app)


def products(api: ControlApi) -> None:
    prescriptions = {
        "name": "prescriptions",
        "scopes": ["urn:nhsd:apim:user-nhs-cis2:aal3:prescriptions"],
    }
    assert api.call("post", "/products", prescriptions, expect=201) == prescriptions
    assert prescriptions in api.call("get", "/products", expect=200)["products"]
    for body in [{}, {"name": "x"}, {"name": "", "scopes": []}, {"name": "x", "scopes": "y"}]:
        api.call("post", "/products", body, expect=400)
    api.call("delete", "/products/{name}", name="prescriptions", expect=204)
    api.call("delete", "/products/{name}", name="prescriptions", expect=404)


def users(api: ControlApi) -> None:
    role = {"person_roleid": "1", "role_name": "A role", "role_code": "S0:G0:R0", "aow": ["x"]}
    for body in [
        {"provider": "nhs-login", "username": "9990000001", "level": "P9"},
        {"provider": "cis2", "username": "plain", "level": "3", "claims": {"title": "Dr"}},
        {
            "provider": "cis2",
            "username": "whole",
            "level": 2,
            "given_name": "Kim",
            "family_name": "Example",
            "roles": [role, {**role, "person_roleid": "2", "org_code": "A1A1A"}],
            "selected_roleid": "empty",
        },
    ]:
        made = api.call("post", "/users", body, expect=201)
        assert made.items() >= {**body, "roles": made["roles"]}.items()
        assert made in api.call("get", "/users", expect=200)["users"]
    someone = {"provider": "cis2", "username": "someone", "level": 3}
    for change in [
        {"provider": "elsewhere"},
        {"username": None},
        {"roles": [{}]},
        {"selected_roleid": "some"},
        {"claims": []},
        {"claims": None},
        {"level": {}},
        {"level": 2.5},
    ]:
        api.call("post", "/users", {**someone, **change}, expect=400)


def clients(api: ControlApi) -> None:
    for body in [
        {"provider": "cis2"},
        {"provider": "nhs-login", "jwks": {"keys": []}, "jwks_uri_signing_algorithm": "RS256"},
        {"provider": "cis2", "jwks": None, "jwks_uri": "https://jwks.test/"},
        {
            "provider": "cis2",
            "client_id": "whole",
            "client_secret": "known",
            "redirect_uris": ["https://app.test/callback"],
            "token_endpoint_auth_method": "client_secret_post",
        },
    ]:
        made = api.call("post", "/clients", body, expect=201)
        listed = api.call("get", "/clients", expect=200)["clients"]
        assert made["client_id"] in [client["client_id"] for client in listed]
    for change in [
        {"provider": "elsewhere"},
        {"jwks": {}, "jwks_uri": "https://jwks.test/"},
        {"redirect_uris": "https://app.test/callback"},
        {"token_endpoint_auth_method": "none"},
        {"jwks_uri_signing_algorithm": "PS512"},
    ]:
        api.call("post", "/clients", {"provider": "cis2", **change}, expect=400)
    whole = {"provider": "cis2", "client_id": "whole"}
    api.call("delete", "/clients/{provider}/{client_id}", expect=204, **whole)
    api.call("delete", "/clients/{provider}/{client_id}", expect=404, **whole)


def tokens(api: ControlApi) -> None:
    for body in [
        {"provider": "nhs-login", "username": None, "claims": None, "headers": None},
        {"provider": "cis2", "realm": "Cis2-mock-int", "username": "656005750109"},
        {
            "provider": "cis2",
            "claims": {"exp": None, "acr": "AAL1_USERPASS"},
            "headers": {"kid": 1},
        },
    ]:
        api.call("post", "/id-tokens", body, expect=201)
    for body in [{}, {"provider": "cis2", "claims": []}, {"provider": "cis2", "headers": ""}]:
        api.call("post", "/id-tokens", body, expect=400)
    for unknown in [{"username": "nobody"}, {"realm": "NHS-Login-mock-int"}]:
        api.call("post", "/id-tokens", {"provider": "cis2", **unknown}, expect=400, valid=True)
    api.call("post", "/logout-tokens", {"sid": "x", "claims": None}, expect=201)
    api.call("post", "/logout-tokens", {"sid": "x", "claims": {"nonce": "y"}}, expect=201)
    for body in [{}, {"sid": 1}, {"sid": "x", "claims": "y"}]:
        api.call("post", "/logout-tokens", body, expect=400)


def faults(api: ControlApi, base_url: str) -> None:
    schemas = api.document["components"]["schemas"]
    names, aliases = schemas["FaultName"]["enum"], schemas["FaultAlias"]["enum"]
    said = api.call("post", "/faults", {}, expect=400)["error_description"]
    listed = said.split(": ")[1].split(", ")
    assert listed == names, f"the document has other faults: {listed}"

    out_of_the_way = {"path": "/nowhere"}
    for name in names + aliases:
        offset = {"offset_s": -1.5} if str(name).startswith("clock") else {}
        made = api.call("post", "/faults", {"fault": name, **out_of_the_way, **offset}, expect=201)
    api.call("delete", "/faults/{id}", id=made["id"], expect=204)
    api.call("delete", "/faults/{id}", id=made["id"], expect=404)
    limits = {"application_id": NO_APP, "times": 2, "share": 0.5, "delay_ms": 5}
    api.call("post", "/faults", {"fault": "429", "retry_after_s": 7, **limits}, expect=201)
    assert len(api.call("get", "/faults", expect=200)["faults"]) == len(names + aliases)
    api.call("delete", "/faults", expect=204)

    for body in [
        {"fault": "flood"},
        {"fault": None},
        {"fault": "clock"},
        {"fault": "slow", "offset_s": 1},
        {"fault": "slow", "times": 0},
        {"fault": "slow", "share": 1.5},
        {"fault": "slow", "delay_ms": -1},
        {"fault": "slow", "path": None},
    ]:
        api.call("post", "/faults", body, expect=400)

    # Each leaves its mark in the list of requests.
    for name in ["reset", "429", "502"]:
        api.call("post", "/faults", {"fault": name, "times": 1}, expect=201)
        try:
            requests.get(f"{base_url}/hello-world/hello/world", timeout=TIMEOUT_S)
        except requests.ConnectionError:
            assert name == "reset"


def clock(api: ControlApi) -> None:
    api.call("get", "/clock", expect=200)
    moved = api.call("post", "/clock", {"advance_s": 90.5}, expect=200)
    assert moved["offset_s"] == 90.5
    for body in [{}, {"advance_s": "5"}, {"advance_s": None}, {"advance_s": 3e9}]:
        api.call("post", "/clock", body, expect=400)
    api.call("post", "/clock", {"advance_s": -90.5}, expect=200)


def recorded_requests(api: ControlApi, base_url: str) -> None:
    key = api.call("post", "/apps", {"name": "recorded"}, expect=201)["api_key"]
    application = f"{base_url}/hello-world/hello/application"
    for headers in [{"apikey": key}, {"Authorization": "Bearer unknown"}]:
        requests.get(application, headers=headers, timeout=TIMEOUT_S)
    form = {"grant_type": "client_credentials", "client_assertion": "malformed"}
    requests.post(f"{base_url}/oauth2/token", data=form, timeout=TIMEOUT_S)
    form = {"grant_type": "authorization_code", "client_assertion": "malformed"}
    requests.post(f"{base_url}/nhs-login/token", data=form, timeout=TIMEOUT_S)

    listed = api.call("get", "/requests", expect=200)["requests"]
    members = {member for request in listed for member in request}
    some = {"application_id", "error", "fault", "message_id", "remark", "rule"}
    assert some <= members, members
    api.call("delete", "/requests", expect=204)
    assert api.call("get", "/requests", expect=200) == {"requests": []}


def everywhere(api: ControlApi) -> None:
    """What holds for every operation, whichever it is."""
    app = api.call("post", "/apps", {}, expect=201)
    parameters = {
        "application_id": app["application_id"],
        "client_id": "nobody",
        "id": 0,
        "name": "nothing",
        "provider": "cis2",
    }
    for path, method in api.operations():
        foreign = {"Origin": "https://elsewhere.test"}
        api.call(method, path, headers=foreign, expect=403, **parameters)
        if api.request_schema(method, path):
            undocumented = {**api.accepted[method, path], "undocumented": 1}
            api.call(method, path, undocumented, expect=400, **parameters)
            too_long = {"name": "x" * LONGEST_BODY}
            api.call(method, path, too_long, expect=413, **parameters)

    for path, item in api.document["paths"].items():
        url = api.url + path.format(**parameters)
        refused = api.session.request("TRACE", url, timeout=TIMEOUT_S)
        allowed = {method.lower() for method in refused.headers["Allow"].split(", ")}
        assert (refused.status_code, allowed) == (405, METHODS & item.keys()), path


if __name__ == "__main__":
    main()
