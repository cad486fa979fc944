"""What a manifest may say, and the sentences about what it may not."""

from __future__ import annotations

import pytest

from apps.models import App


def post(client, space, text, kind="application/x-yaml"):
    return client.post(f"/v3/spaces/{space.guid}/actions/apply_manifest", data=text, content_type=kind)


def details(response):
    return [error["detail"] for error in response.json()["errors"]]


UNITS = "must use a supported unit: B, K, KB, M, MB, G, GB, T, or TB"


@pytest.mark.parametrize(
    ("keys", "sentences"),
    [
        ("memory: 1", [f'Process "web": Memory {UNITS}']),
        ("memory: 1X", [f'Process "web": Memory {UNITS}']),
        ("memory: much", ['Process "web": Memory is not a number']),
        ("memory: 0M", ['Process "web": Memory must be greater than 0MB']),
        ("memory: -5M", ['Process "web": Memory must be greater than 0MB']),
        ("memory: 99999999T", ['Process "web": Memory must be at most 2147483647MB']),
        ("disk_quota: 512k", ['Process "web": Disk quota must be greater than 0MB']),
        ("disk-quota: 5", [f'Process "web": Disk quota {UNITS}']),
        ("log-rate-limit-per-second: 5", [f'Process "web": Log rate limit per second {UNITS}']),
        ("log-rate-limit-per-second: -2B", ['Process "web": Log rate limit must be an integer greater than or equal to -1']),
        ("instances: -1", ['Process "web": Instances must be greater than or equal to 0']),
        ("instances: many", ['Process "web": Instances is not a number']),
        ("instances: 1.5", ['Process "web": Instances must be an integer']),
        ("instances: 99999", ['Process "web": Instances must be less than or equal to 10000']),
        ("timeout: 0", ['Process "web": Timeout must be greater than or equal to 1']),
        ("command: [a]", ['Process "web": Command must be a string']),
        ("command: ''", ['Process "web": Command must be between 1 and 4096 characters']),
        ("health-check-type: magic", ['Process "web": Health check type must be "port", "process", or "http"']),
        (
            "health-check-type: port, health-check-http-endpoint: /x",
            ['Process "web": Health check type must be "http" to set a health check HTTP endpoint.'],
        ),
        ("health-check-http-endpoint: x", ['Process "web": Health check http endpoint must be a valid URI path']),
        (
            "readiness-health-check-type: 5",
            ['Process "web": Readiness health check type must be "port", "process", or "http"'],
        ),
        ("processes: web", ["Processes must be an array of process configurations"]),
        ("processes: [{instances: 1}]", ["All Processes must specify a type"]),
        ("processes: [{type: a}, {type: a}]", ['Process "a" may only be present once']),
        ("processes: [{type: a, memory: x}]", ['Process "a": Memory is not a number']),
        ("sidecars: {}", ["Sidecars must be an array of sidecar configurations"]),
        (
            "sidecars: [{name: a}]",
            [
                'Sidecar "a": Command must be between 1 and 4096 characters',
                'Sidecar "a": Process types must have at least 1 process_type',
            ],
        ),
        ("env: [a]", ["Env must be an object of keys and values"]),
        ("env: {PORT: 1}", ["Environment variable name 'PORT' is reserved; the platform sets it itself."]),
        ("buildpack: a, buildpacks: [a]", ["Buildpack and Buildpacks fields cannot be used together."]),
        ("buildpacks: a", ["Buildpacks must be an array"]),
        ("buildpacks: [1]", ["Buildpacks can only contain strings"]),
        ("stack: none", ["Stack must be an existing stack"]),
        ("lifecycle: cnb", ["Lifecycle type is not included in list: buildpack, docker"]),
        ("routes: a.example", ["Routes must be a list of route objects"]),
        ("routes: [a.example]", ["Routes must be a list of route objects"]),
        ("routes: [{route: 'a b.example'}]", ["The route 'a b.example' is not a properly formed URL"]),
        ("routes: [{route: tcp://a.example}]", ["The route 'tcp://a.example' is not a properly formed URL"]),
        ("routes: [{route: example}]", ["The route 'example' is not a properly formed URL"]),
        (
            "routes: [{route: a.example, protocol: http2}]",
            ["Route 'a.example': protocol must be 'http1': the router speaks HTTP/1.1 to apps."],
        ),
        ("routes: [{route: a.example, options: 1}]", ["Route 'a.example': options must be an object"]),
        (
            "routes: [{route: a.example, options: {x: 1}}]",
            ["Route 'a.example' contains invalid route option 'x'. Valid keys: 'loadbalancing'"],
        ),
        (
            "routes: [{route: a.example, options: {loadbalancing: hash}}]",
            [
                "Cannot use loadbalancing value 'hash' for Route 'a.example'; "
                "Valid values are: 'round-robin, least-connection'"
            ],
        ),
        ("no-route: 1", ["No-route must be a boolean"]),
        ("random-route: true, default-route: true", ["Random-route and default-route may not be used together"]),
        (
            "features: {magic: true}",
            ["Features must be a map of valid feature names to booleans (true = enabled, false = disabled)"],
        ),
        ("features: {ssh: true}", ["Feature 'ssh' cannot be enabled on this platform yet. Remove it, or set it to false."]),
        ("metadata: {labels: {1: a}}", ["Metadata keys must be strings"]),
        ("metadata: {labels: {'a b': c}}", ["Label key error: 'a b' contains invalid characters, is empty or is longer than 63 characters"]),
        (
            "services: [{parameters: {}}]",
            ["Services must be a list of names, or of objects with a name, and perhaps parameters and a binding_name"],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_app_is_said_at_once(api, alice, space, keys, sentences):
    answer = post(api(alice), space, f"applications: [{{name: site, {keys}}}]")
    assert answer.status_code == 422
    assert details(answer) == [f"For application 'site': {sentence}" for sentence in sentences]
    assert not App.objects.exists()


def test_all_that_is_wrong_is_said_together(api, alice, space):
    answer = post(api(alice), space, "applications: [{memory: 1}, {name: 5}, {name: b, instances: x, timeout: x}]")
    assert details(answer) == [
        "For application at index 0: Name must not be empty",
        f'For application at index 0: Process "web": Memory {UNITS}',
        "For application at index 1: Name must be a string",
        "For application 'b': Process \"web\": Instances is not a number",
        "For application 'b': Process \"web\": Timeout is not a number",
    ]


@pytest.mark.parametrize("keys", ["host: x", "services: []", "routes: []", "memory: null", "health-check-type: none"])
def test_what_means_nothing_is_read_over(api, alice, space, keys):
    assert post(api(alice), space, f"applications: [{{name: site, {keys}}}]").status_code == 202
    assert App.objects.exists()


@pytest.mark.parametrize(
    ("text", "status", "sentence"),
    [
        ("", 422, "Cannot parse manifest with no 'applications' field."),
        ("applications: []", 422, "Cannot parse manifest with no 'applications' field."),
        ("[]", 422, "Cannot parse manifest with no 'applications' field."),
        ("version: 2\napplications: [{name: a}]", 422, "Unsupported manifest schema version."),
        ("applications: [{name: a", 400, "Request invalid due to parse error: the manifest is not valid YAML in line"),
        ("a: 1\n---\nb: 1", 400, "Request invalid due to parse error: the manifest is not valid YAML"),
        ("applications: !!python/object/apply:os.system ['true']", 400, "Request invalid due to parse error:"),
        ('applications: [{name: "a\\0b"}]', 400, "Request invalid due to parse error: the manifest has a null byte"),
        ('applications: [{name: "\\uD800"}]', 400, "Request invalid due to parse error: the manifest has a null byte"),
        ("a: &a [*a]\napplications: [{name: a}]", 400, "Request invalid due to parse error: an alias of the manifest"),
        ("applications: " + "[" * 5000, 400, "Request invalid due to parse error:"),
        (f"applications: [{{name: a, memory: 0x{'f' * 5000}}}]", 400, "Request invalid due to parse error:"),
        ("x: " + "a" * 300_000, 400, "Request invalid due to parse error: the manifest is larger than 256 KB"),
        ("applications: [1]", 422, "For application at index 0: Name must not be empty"),
    ],
)
def test_what_is_no_manifest_does_no_harm(api, alice, space, text, status, sentence):
    answer = post(api(alice), space, text)
    assert answer.status_code == status, answer.content
    assert details(answer)[0].startswith(sentence)


def test_aliases_do_not_blow_up(api, alice, space):
    lists = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12))
    answer = post(api(alice), space, f"l0: &l0 [x]\n{lists}\napplications: [{{name: a}}]")
    assert details(answer) == ["Request invalid due to parse error: the manifest's aliases make it too large"]
    merges = "\n".join(f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}" for n in range(1, 12))
    answer = post(api(alice), space, f"m0: &m0 {{a: b}}\n{merges}\napplications: [{{name: a}}]")
    assert details(answer) == ["Request invalid due to parse error: the manifest's aliases make it too large"]


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_only_yaml_is_read(api, alice, space, kind):
    answer = post(api(alice), space, "applications: [{name: a}]", kind)
    assert (answer.status_code, details(answer)) == (400, ["Bad request: Content-Type must be yaml"])
