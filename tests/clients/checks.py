"""What the Python clients share: the settings of a run, and one JSON line per check."""

import itertools
import json
import re
import sys
import threading
import time
import traceback
import uuid

PATIENCE_S = 20


class Settings:
    """The file that the driver wrote."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            values = json.load(file)
        self.bootstrap = values["bootstrap"]
        # Of those that log in by token only.
        self.token_url = values.get("token_url")
        # Of those that know schemas only.
        self.registry = values.get("registry")
        # Of those that ask the agent's endpoint only.
        self.inside = values.get("inside")
        self.topic = values["topic"]
        self.group_topic = values["group_topic"]
        self.foreign_topic = values["foreign_topic"]
        self.run = values["run"]
        users = ("owner", "reader", "stranger", "administrator", "other")
        self.users = {name: values.get(name) for name in users}


class Names:
    """The settings of a run, and names that nobody has used; the base of what makes clients."""

    def __init__(self, settings):
        self.settings = settings
        self.prefix = uuid.uuid4().hex[:8]
        self.numbers = itertools.count(1)

    def name(self, what):
        """A group or transactional id that nobody has used."""
        return f"{what}-{self.prefix}-{next(self.numbers)}"


class Failed(Exception):
    """A check that does not hold."""


def expect(held, what):
    if not held:
        raise Failed(what)


def equal(found, expected, what):
    expect(found == expected, f"{what}: expected {expected!r}, found {found!r}")


def logical(*answers):
    """No answer shows a name as the brokers know it."""
    for answer in answers:
        physical = re.search(r"w0[0-9a-z]{25}-", str(answer))
        expect(not physical, f"a physical name is shown: {answer}")


def until(what, seconds, step):
    """Calls `step` until it gives something true; that is the result."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = step()
        if found:
            return found
    raise Failed(f"{what}: not within {seconds} s")


def settled(members, partitions):
    """Every partition has exactly one of the members, and every member has some."""
    held = [member.assigned or set() for member in members]
    return all(held) and sorted(it for some in held for it in some) == list(range(partitions))


def moves(join, send, partitions, patience_s):
    """A second member joins and leaves, partitions move, and nothing is lost.

    `join()` gives a running member with `assigned`, `seen` and `leave()`; `send()` the (partition, offset) pairs it sent.
    """

    def settle(what, members):
        until(what, patience_s, lambda: settled(members, partitions) or time.sleep(0.05))

    sent = set(send())
    first = join()
    settle("one member with every partition", [first])
    second = join()
    settle("two members that share", [first, second])
    sent.update(send())
    # The second reads of what it was given before it goes.
    until("a record at the second member", patience_s, lambda: second.seen or time.sleep(0.05))
    second.leave()
    settle("one member again", [first])
    sent.update(send())
    until("every record read", patience_s, lambda: sent <= {*first.seen, *second.seen} or time.sleep(0.05))
    first.leave()
    return f"{len(sent)} records, {len(set(second.seen))} by the second member"


class Joined(threading.Thread):
    """A member of a group; a client's own has `step()`, which reads some more, tells `seen` and `assigned`, and commits."""

    def __init__(self, consumer, topic):
        super().__init__(daemon=True)
        self.consumer, self.topic = consumer, topic
        self.seen, self.assigned, self.error = [], None, None
        self.leaving = threading.Event()
        self.start()

    def step(self):
        raise NotImplementedError

    def run(self):
        try:
            self.consumer.subscribe([self.topic])
            while not self.leaving.is_set():
                self.step()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error
        finally:
            self.consumer.close()

    def leave(self):
        self.leaving.set()
        self.join(PATIENCE_S)
        if self.error:
            raise self.error


def rebalance(client, produce, join):
    """`join(group)` gives a running member; `produce` sends to a partition and gives the offsets."""
    topic, group, producer = client.settings.group_topic, client.name("moves"), client.producer()

    def send():
        for partition in range(4):
            for offset in produce(producer, topic, [b"moving"] * 50, partition=partition):
                yield partition, offset

    return moves(lambda: join(group), send, 4, PATIENCE_S)


def idempotence(client, produce):
    """Offsets of an idempotent producer have no gap."""
    producer = client.producer(enable_idempotence=True, linger_ms=5)
    values = [f"idempotent {number}".encode() for number in range(1000)]
    offsets = produce(producer, client.settings.topic, values, partition=1)
    equal(offsets, list(range(offsets[0], offsets[0] + 1000)), "offsets without gap")


def run(name, check):
    """Runs one check and prints its line."""
    began = time.monotonic()
    try:
        detail, held = check() or "", True
    except Failed as failed:
        detail, held = str(failed), False
    except Exception:  # pylint: disable=broad-except
        detail, held = traceback.format_exc(), False
    line = {"check": name, "ok": held, "detail": detail, "seconds": round(time.monotonic() - began, 2)}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main(checks, beside):
    """Both give (name, function) pairs for the settings: `checks` run one after the other, `beside` all at once."""
    settings = Settings(sys.argv[1])
    only = sys.argv[2:]
    asked = lambda pairs: [it for it in pairs(settings) if not only or it[0] in only]
    threads = [threading.Thread(target=run, args=it) for it in asked(beside)]
    for thread in threads:
        thread.start()
    for name, check in asked(checks):
        run(name, check)
    for thread in threads:
        thread.join()
