"""A running gateway with a queue of a million messages, half of them for dead destinations, against the same gateway with a queue of a thousand for living ones.

Each delivery that is timed is the first one to its destination, in both queues: the million is gone through in the order of arrival, and its first 200,000 messages are for
200,000 destinations. So the small queue has as many destinations as messages.

The queues are made from one message that the gateway took and could not deliver: its rows in queue.db are written again and again, each copy with a number, a recipient
and a destination of its own, while nothing runs. DNS is a real server; a dead destination's host refuses connections.
"""
import glob
import os
import sqlite3
import subprocess
import time

from gateway import BUILD, wait_for
from nexthop import Nsd

PER_DESTINATION = 5
ROW_BITS = 16  # queue_number.c: a recipient's row is the message's number and 16 bits


def queue_file(g):
    return glob.glob(os.path.join(g.data, "**", "queue.db"), recursive=True)[0]


def copy_rows(path, n, dead):
    """Makes n messages of the one that is there: for n destinations; with `dead` for n / 5, and every second one of those is dead."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    (first, ) = db.execute("SELECT max(id) FROM msg").fetchone()
    names = [[c[1] for c in db.execute(f"PRAGMA table_info({t})")] for t in ("msg", "body", "rcpt")]
    msg, body = (dict(zip(names[i], db.execute(f"SELECT * FROM {t} WHERE {k} = ?", (first,)).fetchone())) for i, (t, k) in enumerate((("msg", "id"), ("body", "msg"))))
    rcpt = dict(zip(names[2], db.execute("SELECT * FROM rcpt WHERE id = ?", (first << ROW_BITS,)).fetchone()))

    def insert(table, columns, values):
        db.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", values)

    def rcpts():
        for i in range(1, n + 1):
            d = (i - 1) % (n // (PER_DESTINATION if dead else 1))
            hop = f"d{d}.{'dead' if dead and d % 2 else 'live'}.test"
            row = dict(rcpt, id=(first + i) << ROW_BITS, address=f"u{i}@{hop}", nexthop="mx:" + hop, attempts=0, next_at=rcpt["changed"], reason=None, remote=None, status=None)
            yield tuple(row.values())
    db.execute("BEGIN")
    insert("msg", names[0], (tuple(dict(msg, id=first + i).values()) for i in range(1, n + 1)))
    insert("body", names[1], ((first + i, body["sealed"]) for i in range(1, n + 1)))
    insert("rcpt", names[2], rcpts())
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def deliveries_per_s(sink, before, start, end):
    """From the start-th to the end-th arrival."""
    wait_for(f"{start} arrivals", 600, lambda: sink.count() - before >= start, every=0.002)
    began, at = time.monotonic(), sink.count()
    wait_for(f"{end} arrivals", 600, lambda: sink.count() - before >= end, every=0.002)
    return (sink.count() - at) / (time.monotonic() - began)


def run(top, sink, make, messages, count):
    """messages: in the queue; count: deliveries that are timed. Returns (seconds to the first delivery, deliveries a second)."""
    dns = Nsd(top)
    dns.zone("live.test", ["* MX 10 mx", "mx A 127.0.0.1"])
    dns.zone("dead.test", ["* MX 10 mx", "mx A 127.0.0.9"])
    dns.start()
    g = make(top, f"mx-port = {sink.port}\n", dns.settings())
    try:
        subprocess.run([os.path.join(BUILD, "tools", "load"), "127.0.0.1", str(g.inside), "1", "1", "2000", "a@hospital.example", "u@first.dead.test", "plain"], check=True,
                       stdout=subprocess.DEVNULL)
        g.stop()
        copy_rows(queue_file(g), messages, messages > 1000)
        before, began = sink.count(), time.monotonic()
        g.start(wait=False)
        wait_for("the first delivery", 20, lambda: sink.count() > before, every=0.002)
        first = time.monotonic() - began
        return first, deliveries_per_s(sink, before, count // 10, count)
    except Exception:
        print(open(g.log_path).read()[-3000:])
        raise
    finally:
        g.stop()
        dns.stop()
        g.wipe()
