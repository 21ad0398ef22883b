"""What the Python clients share: the settings of a run, and one JSON line per check."""

import json
import re
import sys
import threading
import time
import traceback


class Settings:
    """The file that the driver wrote."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            values = json.load(file)
        self.bootstrap = values["bootstrap"]
        self.token_url = values["token_url"]
        self.topic = values["topic"]
        self.group_topic = values["group_topic"]
        self.foreign_topic = values["foreign_topic"]
        self.run = values["run"]
        self.users = {name: values[name] for name in ("owner", "reader", "other")}


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
