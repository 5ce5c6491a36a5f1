"""Does the kit judge? Each row of interop/mutants.md is played against a gateway that has the row's fault, and must be found. Rows of different cases are played in one run; those of the same
case come in different ones."""
import concurrent.futures
import os
import re
import shutil
import threading

from forge import Keys
from gateway import ROOT
from mutants import MUTANTS
from under_test import newest, results

SETTINGS = {"settle": "1500ms", "within": "15s", "workers": "24"}


def rows():
    """mutants.md: [(id, what it does, case, requirement)]."""
    with open(os.path.join(ROOT, "interop", "mutants.md")) as f:
        found = re.findall(r"^\| (M\d+) \| (.*?) \| .*? \| ([a-z0-9-]+) \| ([A-Z0-9-]+) \|$", f.read(), re.M)
    assert len(found) >= 46, "interop/mutants.md has fewer rows than it had"
    return found


def rounds(todo):
    """Rows in lists in which each case stands once."""
    out = []
    for row in todo:
        free = next((r for r in out if all(row[2] != other[2] for other in r)), None)
        if free is None:
            out.append(free := [])
        free.append(row)
    return out


def only_cases(top, ids):
    """A directory of these cases alone: what the others need of a gateway is not set up."""
    made, all_cases = os.path.join(top, "cases"), os.path.join(ROOT, "interop", "cases")
    for profile in os.listdir(all_cases):
        for case in ids.intersection(os.listdir(os.path.join(all_cases, profile))):
            shutil.copytree(os.path.join(all_cases, profile, case), os.path.join(made, profile, case))
    return made


def played(world, ids):
    """id -> result of these cases, as the report has it."""
    world.kit.call("run", world.kit.dir, "--case", ",".join(sorted(ids)), "--no-report", check=False)
    return {c["id"]: c for c in results(newest(world.kit))["cases"]}


def faulty_round(world, todo):
    """row -> the result of its case by the gateway with the row's fault."""
    own = {use: Keys(i.cert, i.key) for use, i in world.gateway.own.items()}
    world.gang.mutants = {row[2]: MUTANTS[row[0]][0](world.kit, own, row[2]) for row in todo}
    try:
        got = played(world, {row[2] for row in todo})
        return {row: got[row[2]] for row in todo}
    finally:
        for m in world.gang.mutants.values():
            m.stop()
        world.gang.mutants = {}


def sound(world_class, top, todo, quiet):
    """id -> result of the cases by a gateway without a fault, through the same proxies. It is another gateway: what a partner's statement once said stays known. quiet: set when nothing else runs;
    the cases that measure times wait for that."""
    world = world_class(os.path.join(top, "sound"), cases=os.path.join(top, "cases"), **SETTINGS)
    try:
        world.start()
        world.gang.mutants = {}
        cases = {row[2] for row in todo}
        timed = {c for c in cases if "-oracle-" in c}
        got = played(world, cases - timed) if cases - timed else {}
        quiet.wait()
        return got | (played(world, timed) if timed else {})
    finally:
        world.stop()


def with_faults(world_class, top, todo, quiet):
    """row -> the result of its case."""
    world, got = world_class(os.path.join(top, "faulty"), cases=os.path.join(top, "cases"), **SETTINGS), {}
    try:
        world.start()
        for some in rounds(todo):
            got |= faulty_round(world, some)
        return got
    finally:
        world.stop()
        quiet.set()


def judged(row, before, after):
    """(was the fault found, by the right requirement and for the right cause?, what the report says)."""
    name, _, case, requirement = row
    wrong = [f["sentence"] for f in after["findings"] if f["result"] == "failed"]
    says = wrong[0] if wrong else after["result"]
    if before["result"] != "passed":
        return False, f"{before['result']} without the fault: " + "; ".join(f["sentence"] for f in before["findings"] if f["result"] != "passed")
    return after["result"] == "failed" and requirement in after["proves"] and bool(re.search(MUTANTS[name][1], says)), says


def mutants(world_class, top, only):
    """Prints a line a row; how many were not found."""
    top = os.path.join(top, "mutants")
    for name in ("sound", "faulty"):
        os.makedirs(os.path.join(top, name))
    chosen = [r for r in rows() if not only or r[0] in only]
    todo = [r for r in chosen if r[0] in MUTANTS]
    only_cases(top, {r[2] for r in todo})
    quiet = threading.Event()
    with concurrent.futures.ThreadPoolExecutor() as both:
        one, other = (both.submit(f, world_class, top, todo, quiet) for f in (sound, with_faults))
        before, after = one.result(), other.result()
    caught = 0
    for row in chosen:
        if row not in todo:
            print(f"not played {row[0]} {row[1]}")
            continue
        good, says = judged(row, before[row[2]], after[row])
        caught += good
        print(f"{'caught' if good else 'MISSED'} {row[0]} {row[1]}: {row[2]}, {row[3]}: {says[:300]}", flush=True)
    print(f"mutants: {len(todo)} of {len(chosen)} played, {caught} caught")
    return len(chosen) - caught
