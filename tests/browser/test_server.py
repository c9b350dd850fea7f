"""JupyterLab as `ctkit lab` starts it: here and for its owner only, quiet about news, on the lesson."""

import json
import re
import socket
import urllib.error
import urllib.request

import pytest


def test_it_listens_on_this_machine_only(lab):
    port = int(lab.url.rsplit(":", 1)[1])
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    with pytest.raises(OSError):  # noqa: PT011 (refused or timed out, as the system likes)
        socket.create_connection(("127.0.0.2", port), timeout=5).close()


def test_it_asks_for_its_token(lab):
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{lab.url}/api/contents", timeout=10)
    assert json.loads(lab.ask("/api/contents/notebooks"))["type"] == "directory"


def test_it_fetches_neither_news_nor_updates(lab):
    page = lab.ask("/lab").decode()
    told = json.loads(re.search(r'id="jupyter-config-data" type="application/json">(.*?)</script>', page, re.S)[1])
    assert told["news"] == {"disabled": True}
    assert json.loads(lab.ask("/lab/api/update")) == {"notification": None}
    assert lab.outside() == []


def test_the_views_of_ctkit_are_known_to_it(lab):
    federated = json.loads(re.search(r'"federated_extensions": (\[.*?\])', lab.ask("/lab").decode(), re.S)[1])
    assert {"anywidget", "@jupyter-widgets/jupyterlab-manager"} <= {extension["name"] for extension in federated}
