#!/usr/bin/env python3
"""The campaign of tests/e2e/test_crash.py for as long as wanted: roles and parents of both gateways die at random, now and then two at once.

soak.py [SECONDS [SEED]]   default 600; every minute the flow stops, everything must drain, and the books must agree. Exit 0 when nothing was lost.
"""
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"), HERE]
from campaign import ROLES, Campaign  # noqa: E402

ROUND = 60
PATIENCE = 60  # a role that died often waits before it is started again


def one_round(c, end):
    while time.monotonic() < end:
        gw, dice = c.random.choice(c.gateways), c.random.random()
        if dice < 0.1:
            c.kill_parent(gw)
        elif dice < 0.3:
            c.kill(gw, *c.random.sample(ROLES, 2), patience=PATIENCE)
        else:
            c.kill(gw, c.random.choice(ROLES), patience=PATIENCE)


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    top = tempfile.mkdtemp(prefix="postern-soak-")
    os.chmod(top, 0o755)
    print(f"soak: {seconds} s, seed {seed}, in {top}", flush=True)
    c, good = Campaign(top, seed), False
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            one_round(c, min(end, time.monotonic() + ROUND))
            c.pause()
            c.drain(120)
            print("soak: " + c.check(), flush=True)
            c.resume()
        print("SOAK GOOD: " + c.finish(120))
        good = True
    finally:
        for g in c.gateways:
            g.stop()
        if good:
            shutil.rmtree(top, ignore_errors=True)
        else:
            print(f"SOAK FAILED; logs and queues: {top}")


main()
