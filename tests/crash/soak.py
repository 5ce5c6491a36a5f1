#!/usr/bin/env python3
"""The crash campaign: while MESSAGES messages pass two gateways, a process of a random role gets SIGKILL every few hundred milliseconds.

soak.py [MESSAGES [SEED]]   default 20000. First half: every role but the relay; what comes twice then is a fault. Second half: the relay and the parents too; a relay that dies
between the next hop's 250 and its own record of it delivers again, which RFC 5321 allows: counted, and each one must have such a death in its trail. After each half all must
drain and the books agree. Exit 0 when nothing was lost and nothing came twice without cause; else 1, and logs and queues stay.
"""
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"), HERE]
from campaign import ROLES, Campaign  # noqa: E402

PAUSE = (0.1, 0.5)  # between two kills
PARENT = 0.03  # of the kills in the second half
STALL = 120  # seconds without one acknowledgement: mail does not flow
SETTINGS = "restart-pause = 50ms\n"


def half(c, upto, roles, parents):
    moved, count, told = time.monotonic(), len(c.acked), time.monotonic()
    while len(c.acked) < upto:
        time.sleep(c.random.uniform(*PAUSE))
        gw = c.random.choice(c.gateways)
        if parents and c.random.random() < PARENT:
            c.kill_parent_now(gw)
        else:
            c.strike(gw, c.random.choice(roles))
        now = time.monotonic()
        if len(c.acked) > count:
            moved, count = now, len(c.acked)
        assert now - moved < STALL, f"no message was acknowledged for {STALL} s"
        if now - told > 30:
            told = now
            print(f"soak: {c.kills} kills, {len(c.acked)} acknowledged, {len(c.open)} under way, {c.duplicates()} duplicates", flush=True)
    c.pause()
    c.drain(180)
    print("soak: " + c.check(), flush=True)


def main():
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    top = tempfile.mkdtemp(prefix="postern-soak-")
    os.chmod(top, 0o755)
    began, words, good = time.monotonic(), "", False
    print(f"soak: {messages} messages, seed {seed}, in {top}", flush=True)
    c = Campaign(top, seed, clients=10, settings=SETTINGS, outstanding=600)
    try:
        half(c, messages // 2, [r for r in ROLES if r != "relay"], False)
        assert c.duplicates() == 0, f"{c.duplicates()} came twice though no relay was killed:\n{c.trail()}"
        c.resume()
        half(c, messages, ROLES, True)
        c.finish(180)
        causeless = c.without_cause()
        assert not causeless, f"{len(causeless)} came twice though no relay was killed between:\n{causeless[0][1]}"
        good = True
    except AssertionError as e:
        words = str(e)
    finally:
        c.ending.set()
        for g in c.gateways:
            g.stop()
    print(f"soak: {c.kills} kills in {time.monotonic() - began:.0f} s; {len(c.acked)} acknowledged, lost {len(c.open)}, duplicates {c.duplicates()}, {c.later} told to try later, {c.cut} cut off")
    if good:
        print("SOAK GOOD")
        shutil.rmtree(top, ignore_errors=True)
        return 0
    print(f"SOAK FAILED: {words}\nlogs and queues: {top}")
    return 1


sys.exit(main())
