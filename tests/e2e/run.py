#!/usr/bin/env python3
"""End-to-end tests: every function test_* in tests/e2e/test_*.py, each with a directory of its own and real processes.

run.py [--quick] [--jobs=N] [NAME...]   NAME: a part of file:function. --quick: those marked with @quick (also run under sanitizers). --jobs: so many at a time, each in a
process and with ports of its own (they wait more than they work); up to three that fail so are run once more alone and, if that is good, named as unsteady. FOLDER in the environment: tests of another folder.
A test passes by returning; anything raised fails it, and the logs of its gateways are shown. What cannot run fails: nothing is passed over.
"""
import glob
import importlib
import os
import random
import shutil
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.environ.get("FOLDER", HERE)
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"), FOLDER]
import gateway  # noqa: E402

AGAIN_MOST = 3  # so many that fail beside others get a second, lonely run; more are no accident of the load


def tests():
    for path in sorted(glob.glob(os.path.join(FOLDER, "test_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        for name in [n for n in vars(module) if n.startswith("test_")]:
            yield module.__name__[5:] + ":" + name[5:], getattr(module, name)


def sanitizer_reports(top):
    out = []
    for folder, _, names in os.walk(top):
        for n in names:
            if n == "log":
                text = open(os.path.join(folder, n), errors="replace").read()
                out += [line for line in text.split("\n") if "ERROR: AddressSanitizer" in line or "runtime error:" in line or "required:" in line]
    return out


def run(name, test):
    top = tempfile.mkdtemp(prefix="postern-e2e-")
    os.chmod(top, 0o755)
    began, gateways = time.monotonic(), []
    init = gateway.Gateway.__init__  # those that start in another way are remembered too

    def remember(self, *args, **kw):
        init(self, *args, **kw)
        gateways.append(self)
    gateway.Gateway.__init__ = remember
    error = None
    try:
        test(top)
    except BaseException as e:  # also what tests raise by assert and KeyboardInterrupt
        error = e
        trace = traceback.format_exc()
    finally:
        gateway.Gateway.__init__ = init
        for g in gateways:
            try:
                g.stop()
            except Exception as e:  # the others are stopped all the same
                if error is None:
                    error, trace = e, traceback.format_exc()
    reports = sanitizer_reports(top)
    if reports and error is None:
        error, trace = AssertionError("sanitizer"), "\n".join(reports)
    print(f"{'ok' if error is None else 'FAILED'} {name} ({time.monotonic() - began:.1f} s)", flush=True)
    if error is not None:
        print(trace, flush=True)
        for g in dict.fromkeys(gateways):
            print(f"--- end of {g.log_path}", flush=True)
            print("\n".join(g.log().split("\n")[-25:]) if os.path.exists(g.log_path) else "it was never started", flush=True)
    else:
        shutil.rmtree(top, ignore_errors=True)
    if isinstance(error, KeyboardInterrupt):
        raise error
    return error is None


def begin(slot, jobs, name, test):
    """A process that runs one test: (pid, file with what it says)."""
    out = tempfile.TemporaryFile(mode="w+")
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid, out
    code = 1
    try:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
        random.seed()
        gateway.PORTS = (slot, jobs)
        code = 0 if run(name, test) else 1
    except BaseException:
        print(f"FAILED {name}\n{traceback.format_exc()}")
    finally:
        sys.stdout.flush()
        os._exit(code)


def side_by_side(chosen, jobs):
    """The names of those that failed. Of one that passes only its line is shown (what its servers said of clients that went away is no news)."""
    left, running, bad = list(chosen), {}, []
    while left or running:
        for slot in set(range(jobs)) - {s for s, _, _ in running.values()}:
            if left:
                name, test = left.pop(0)
                pid, out = begin(slot, jobs, name, test)
                running[pid] = slot, name, out
        pid, status = os.wait()
        _, name, out = running.pop(pid)
        out.seek(0)
        said = out.read()
        out.close()
        print(said if status else "".join(line + "\n" for line in said.split("\n") if line.startswith("ok " + name)), end="", flush=True)
        if status:
            bad.append(name)
    return bad


def again(names, chosen):
    """Those that failed beside others are run once more, alone: (names that fail again, names that do not). What fails only in company is told in the last lines, as unsteady."""
    by_name, bad, unsteady = dict(chosen), [], []
    for name in names:
        print(f"once more, alone: {name}", flush=True)
        (bad if side_by_side([(name, by_name[name])], 1) else unsteady).append(name)
    return bad, unsteady


def main():
    args = sys.argv[1:]
    quick = "--quick" in args
    jobs = max([int(a[7:]) for a in args if a.startswith("--jobs=")], default=1)
    wanted = [a for a in args if not a.startswith("--")]
    chosen = [(n, t) for n, t in tests() if (not quick or getattr(t, "quick", False)) and (not wanted or any(w in n for w in wanted))]
    began = time.monotonic()
    bad = side_by_side(chosen, jobs) if jobs > 1 else [n for n, t in chosen if not run(n, t)]
    unsteady = []
    if jobs > 1 and len(bad) <= AGAIN_MOST:
        bad, unsteady = again(bad, chosen)
    print(f"end-to-end tests: {len(chosen)} run, {len(bad)} failed, {len(unsteady)} unsteady, {time.monotonic() - began:.0f} s")
    for n in unsteady:
        print("UNSTEADY (failed beside others, passed alone; what it said stands above) " + n)
    for n in bad:
        print("FAILED " + n)
    return bool(bad) or not chosen


sys.exit(main())
