"""Lints the Helm chart with Helm's own library, renders it in each of its uses, and holds what comes
out against Kubernetes' schemas and our own promises. Prints how many objects it looked at.
"""

import pathlib
import shutil
import sys
import tempfile

import helm_python as helm
import kubernetes_validate
import yaml

HELM = pathlib.Path(sys.argv[1])
VERSIONS = ["1.25.0", "1.30.0", "1.37.0"]
CHART = HELM / "nhs-auth-proxy"
SECRET = {"existingSecret": "keys"}

EVERYTHING = SECRET | {
    "image": {"repository": "registry.example/nhs-auth", "digest": "sha256:" + "a" * 64},
    "imagePullSecrets": [{"name": "pull"}],
    "extraArgs": ["--drain=20"],
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://egress.example:3128"}],
    "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "networkPolicy": {
        "from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}],
        "adminFrom": [{"namespaceSelector": {"matchLabels": {"team": "watch"}}}],
        "to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
        "extraEgress": [{"ports": [{"port": 6379}]}],
    },
    "standalone": {
        "serviceAccountName": "nhs-auth",
        "serverNames": ["nhs.example"],
        "podAnnotations": {"a": "b"},
        "podLabels": {"c": "d"},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "k", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
    },
}


def main():
    lint(CHART, SECRET)
    seen = check(render(CHART, SECRET), {"ConfigMap", "Deployment", "NetworkPolicy", "Service"})
    seen += check(
        render(CHART, EVERYTHING),
        {"ConfigMap", "Deployment", "NetworkPolicy", "PodMonitor", "Service"},
    )
    standalone_is_for_the_network(render(CHART, SECRET))
    refused(CHART, {}, "existingSecret")
    refused(CHART, SECRET | {"config": "-----BEGIN PRIVATE KEY-----"}, "config")
    refused(CHART, SECRET | {"replicas": 3}, "replicas")
    refused(CHART, SECRET | {"ports": {"http": 80}}, "http")

    with tempfile.TemporaryDirectory() as folder:
        app = pathlib.Path(folder) / "app-with-sidecar"
        shutil.copytree(HELM / "app-with-sidecar", app)
        shutil.copytree(CHART, app / "charts" / "nhs-auth-proxy")
        lint(app, {})
        for native in [True, False]:
            values = {"nhs-auth-proxy": {"nativeSidecar": native}}
            objects = render(app, values)
            versions = [it for it in VERSIONS if it != "1.25.0"] if native else VERSIONS
            seen += check(objects, {"ConfigMap", "Deployment"}, versions)
            sidecar_is_for_its_pod(objects, native)
    print(seen)


def lint(chart, values):
    report = helm.lint(chart, values, strict=True)
    # An icon is recommended, and there is none.
    told = [it for it in report["messages"] if it["error"] != "icon is recommended"]
    assert not told and not report["errors"], report


def render(chart, values):
    with helm.Chart.load(chart) as loaded:
        loaded.validate_schema(values)
        texts = loaded.render(values, name="test", namespace="ns").values()
    return [it for text in texts for it in yaml.safe_load_all(text) if it]


def check(objects, kinds, versions=VERSIONS):
    assert {it["kind"] for it in objects} == kinds, [it["kind"] for it in objects]
    for it in objects:
        if it["kind"] != "PodMonitor":  # which is of the Prometheus Operator, not of Kubernetes
            for version in versions:
                kubernetes_validate.validate(it, version, strict=True)
        if it["kind"] == "Deployment":
            check_pod(it["spec"]["template"]["spec"])
        if it["kind"] == "ConfigMap":
            assert "PRIVATE KEY" not in it["data"]["nhs-auth.toml"]
        assert it["kind"] != "Secret"
    return len(objects)


def sidecar_of(objects):
    pod = next(it for it in objects if it["kind"] == "Deployment")["spec"]["template"]["spec"]
    all_of_them = pod.get("initContainers", []) + pod["containers"]
    return next(it for it in all_of_them if it["name"] == "nhs-auth-proxy")


def check_pod(pod):
    ours = next(
        it
        for it in pod.get("initContainers", []) + pod["containers"]
        if it["name"] == "nhs-auth-proxy"
    )
    security = ours["securityContext"]
    assert security["runAsNonRoot"] and security["runAsUser"] != 0
    assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["securityContext"]["fsGroup"] == security["runAsGroup"]
    volumes = {it["name"] for it in pod["volumes"]}
    for mount in ours["volumeMounts"]:
        assert mount["name"] in volumes and mount["readOnly"], mount
    ports = {it["name"]: it["containerPort"] for it in ours["ports"]}
    for probe, path in [
        ("startupProbe", "/healthz"),
        ("livenessProbe", "/healthz"),
        ("readinessProbe", "/readyz"),
    ]:
        asked = ours[probe]["httpGet"]
        assert asked == {"path": path, "port": "nhs-auth-admin"}, asked
    assert f"--admin=0.0.0.0:{ports['nhs-auth-admin']}" in ours["args"]
    # No secret on a command line: only where it is.
    assert not [it for it in ours["args"] if "secret=" in it and "=file:" not in it]


def standalone_is_for_the_network(objects):
    arguments = sidecar_of(objects)["args"]
    assert "--listen=0.0.0.0:8081" in arguments and "--allow-remote" in arguments
    assert "--caller-secret=file:/run/secrets/nhs-auth/caller-secret" in arguments
    service = next(it for it in objects if it["kind"] == "Service")
    assert f"--server-name={service['metadata']['name']}.ns.svc" in arguments
    pod = next(it for it in objects if it["kind"] == "Deployment")["spec"]["template"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    policy = next(it for it in objects if it["kind"] == "NetworkPolicy")["spec"]
    selected = policy["podSelector"]["matchLabels"]
    assert selected.items() <= pod["metadata"]["labels"].items()
    assert all(rule["from"] for rule in policy["ingress"]), policy


def sidecar_is_for_its_pod(objects, native):
    sidecar = sidecar_of(objects)
    pod = next(it for it in objects if it["kind"] == "Deployment")["spec"]["template"]["spec"]
    assert (sidecar in pod.get("initContainers", [])) == native
    # What others reach is the admin port alone.
    assert "--listen=127.0.0.1:8081" in sidecar["args"]
    assert "--allow-remote" in sidecar["args"]
    assert [it["name"] for it in sidecar["ports"]] == ["nhs-auth-admin"]
    assert sidecar.get("restartPolicy") == ("Always" if native else None)


def refused(chart, values, word):
    try:
        render(chart, values)
    except helm.HelmError as error:
        assert word in str(error), error
    else:
        raise AssertionError(f"{values} were taken")


main()
