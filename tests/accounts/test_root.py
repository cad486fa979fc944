"""Where clients begin: the documents that need no token, on the origin that the caller typed."""

from __future__ import annotations

import pytest


def test_the_root_names_one_origin_for_everything(client):
    links = client.get("/", headers={"Host": "localhost:8080"}).json()["links"]
    here = "http://localhost:8080"
    assert links["self"]["href"] == links["log_cache"]["href"] == here
    assert links["login"]["href"] == links["uaa"]["href"] == f"{here}/uaa"
    assert links["cloud_controller_v3"] == {"href": f"{here}/v3", "meta": {"version": "3.205.0"}}
    assert links["cloud_controller_v2"] is None
    assert client.get("/", headers={"Host": "127.0.0.1:1"}).json()["links"]["self"]["href"] == "http://127.0.0.1:1"


@pytest.mark.parametrize("path", ["/v3", "/v3/", "/v3/info", "/v3/info/"])
def test_what_the_api_is_needs_no_token(client, path):
    answer = client.get(path)
    assert answer.status_code == 200 and answer.json()["links"]["self"]["href"].startswith("http://testserver/v3")


def test_the_info_says_which_platform_this_is(client):
    info = client.get("/v3/info").json()
    assert info["name"] and info["osbapi_version"] and info["cli_version"]["minimum"]


def test_the_info_of_v2_leads_to_the_sign_in_and_says_that_there_is_no_v2(client):
    info = client.get("/v2/info").json()
    assert info["authorization_endpoint"] == info["token_endpoint"] == "http://testserver/uaa"
    assert info["api_version"] == ""


@pytest.mark.parametrize("path", ["/v3/nothing", "/v3/service_keys/1"])
def test_what_is_not_built_is_an_unknown_request(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["errors"] == [{"code": 10000, "title": "CF-NotFound", "detail": "Unknown request"}]


@pytest.mark.parametrize("path", ["/uaa/login", "/uaa/login/"])
def test_the_login_document_names_the_prompts(client, path):
    body = client.get(path, headers={"Accept": "application/json"}).json()
    assert body["prompts"]["username"] == ["text", "Username or e-mail"]
    assert body["prompts"]["password"][0] == "password" and "/uaa/passcode" in body["prompts"]["passcode"][1]
    assert body["app"]["version"] == "77.0.0" and body["links"]["uaa"] == "http://testserver/uaa"


def test_a_browser_is_sent_to_the_consoles_own_sign_in(browser):
    assert browser().get("/uaa/login").headers["Location"] == "/accounts/login/"


@pytest.mark.parametrize("path", ["/uaa/nothing", "/uaa/oauth/authorize", "/uaa/Groups"])
def test_what_the_oauth_server_has_not_is_404_in_json(client, path):
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 404 and answer.json()["error"] == "scim_resource_not_found"


def test_every_collection_that_is_named_is_there(api, client, root):
    links = client.get("/v3").json()["links"]
    missing = [name for name, link in links.items() if api(root).get(link["href"]).status_code == 404]
    assert missing == ["resource_matches"]  # which only takes POST
