"""The letters of `dead_letters.py`, when their contract lets them pass: `redrive.py SETTINGS [CHECK ...]`.

The endpoint inside lists what a consumer reads, and a redrive puts each letter into its topic once, as it was sent."""

import collections
import json
import pathlib
import ssl
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from checks import PATIENCE_S, equal, expect, main, until
from clients import Client
from dead_letters import AFTER_S, everything


class Inside:
    """The agent's endpoint in its network, as whoever can read its state folder sees it."""

    def __init__(self, client):
        told = client.settings.inside
        folder = pathlib.Path(told["state_dir"])
        self.context = ssl.create_default_context(cafile=folder / "authority" / "ca.pem")
        self.token = (folder / "inside-token").read_text(encoding="ascii").strip()
        self.base = f"{told['url']}/v1/dead-letters/{told['topic_id']}"

    def call(self, method, path, token=True, body=None):
        request = urllib.request.Request(self.base + path, method=method)
        if token:
            request.add_header("Authorization", f"Bearer {self.token}")
        if body is not None:
            request.data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=PATIENCE_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def redriven(self, **wish):
        """How a redrive ended."""
        status, begun = self.call("POST", "/redrive", body=wish)
        equal(status, 202, str(begun))

        def ended():
            status, progress = self.call("GET", "/redrive", token=False)
            equal(status, 200, str(progress))
            return progress["phase"] != "RUNNING" and progress or time.sleep(0.1)

        return until("the end of a redrive", 60, ended)

    def listed(self, limit):
        """All letters, a page at a time."""
        found, place = [], ""
        while True:
            status, page = self.call("GET", f"/letters?payload=true&limit={limit}{place}")
            equal(status, 200, str(page))
            found += page["letters"]
            if page["next"] is None:
                return found
            place = "&" + "&".join(f"{name}={value}" for name, value in page["next"].items())


def letters(client):
    return everything(client, client.settings.group_topic, len, quiet_s=AFTER_S)


def own(records):
    """Without those of Weir and of rules."""
    return [it for it in records if not any(name.startswith("__") for name, _value in it.headers() or [])]


def stranger(client):
    inside = Inside(client)
    for method, path in [("POST", "/redrive"), ("DELETE", "/redrive"), ("GET", "/letters?payload=true")]:
        status, problem = inside.call(method, path, token=False)
        equal(status, 401, str(problem))
        expect("inside-token" in problem["detail"], str(problem))


def listing(client):
    inside, read = Inside(client), letters(client)
    expect(read, "there are letters")
    listed = inside.listed(20)
    equal(
        sorted((it["partition"], it["offset"]) for it in listed),
        sorted((it.partition(), it.offset()) for it in read),
        "places",
    )
    for letter in listed:
        equal(letter["rule"], "checked", "the rule")
        equal(letter["origin"]["topic"], client.settings.topic, "the topic, by the tenant's name")
        equal(letter["key"], {"text": "key", "bytes": 3, "cut": False}, "the key")
        expect("base64" in letter["value"], "Avro is no text")
    return f"{len(listed)} letters"


def redrive(client):
    inside, topic = Inside(client), client.settings.topic
    sent = collections.Counter((it.partition(), it.key(), it.value()) for it in letters(client))
    count = sent.total()
    dry = inside.redriven(dry_run=True)
    equal((dry["phase"], dry["delivered"]), ("DONE", count), f"dry: {dry}")
    ended = inside.redriven()
    equal((ended["phase"], ended["letters"], ended["delivered"]), ("DONE", count, count), f"in earnest: {ended}")

    def arrived(records):
        found = own(records)
        return [it for it in found if (it.partition(), it.key(), it.value()) in sent]

    found = arrived(everything(client, topic, lambda records: len(arrived(records)) >= count, quiet_s=AFTER_S))
    equal(collections.Counter((it.partition(), it.key(), it.value()) for it in found), sent, "what arrived")
    for record in found:
        equal([name for name, _value in record.headers()], ["mark"], "its producer's headers")
    again = inside.redriven()
    equal((again["phase"], again["letters"]), ("DONE", 0), f"once more: {again}")
    return f"{count} letters"


def checks(settings):
    client = Client(settings)
    named = {"stranger": stranger, "listing": listing, "redrive": redrive}
    return [(name, lambda check=check: check(client)) for name, check in named.items()]


if __name__ == "__main__":
    main(checks, lambda settings: [])
