#!/usr/bin/env python3
"""make interop: the certification kit against our own gateway, with every case; its signed report; two gateways by one plan; against every faulty gateway of interop/mutants.md; against two foreign gateways. Prints a table.

ONLY: words of `own peers mutants foreign`, ids of mutants, or ids of cases."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from dns_proxy import DnsProxy  # noqa: E402
from faulty import mutants, only_cases
from gateway import ROOT, free_ports
from proxies import Gang
from under_test import MARKS, OWN, Kit, UnderTest, newest, results

STRICT = ("revocation-hard", "subject-inside", "gateway-ec")  # setups that exclude what other cases want: a gateway of their own
PROFILES = ("smg-1", "smg-2", "smime-4", "find", "trust", "hostile")


class World:
    """The kit, a gateway of ours, and the proxies between them: pipes, unless mutants are switched on."""
    def __init__(self, top, cases=None, strict=False, own=OWN, **settings):
        self.kit, self.gang = Kit(top, cases=cases, own=own, **settings), Gang()
        inside, outside, to_in, to_out, out, within, dns = free_ports(7)
        self.kit.init(f"127.0.0.1:{to_in}", f"127.0.0.1:{to_out}", setups=",".join(STRICT) if strict else "direct,tls,xsmg,xsmg-rates,public,aia,anchor-per-domain", tester="make interop", **{"gateway-name": "Postern"}, **MARKS)
        port = self.kit.port
        for place, at, target in (("out", out, port(self.kit.outside)), ("in", within, port(self.kit.inside)), ("to-in", to_in, inside), ("to-out", to_out, outside)):
            self.gang.add(place, at, target)
        self.gang.proxies.append(DnsProxy(self.gang, dns, port(self.kit.dns)))
        self.kit.gateway_outside = outside
        self.gateway = UnderTest(top, self.kit, inside, outside, through=(out, within), resolver=f"127.0.0.1:{dns}", strict=strict)

    def start(self):
        """The kit answers meanwhile, as for an operator who sets his gateway up: authorities' lists are asked for when they are believed."""
        served = self.kit.serve()
        try:
            self.gateway.start()
            self.gateway.prepare()
        finally:
            served.terminate()
            served.wait()
        return self

    def stop(self):
        self.gateway.stop()
        self.gang.stop()


def all_cases():
    """{id: does it need the strict gateway?} of interop/cases."""
    out, folder = {}, os.path.join(ROOT, "interop", "cases")
    for profile in os.listdir(folder):
        for case in os.listdir(os.path.join(folder, profile)):
            with open(os.path.join(folder, profile, case, "case")) as f:
                needs = re.search(r"^needs (.*)$", f.read(), re.M)
            out[case] = bool(needs and {"setup:" + s for s in STRICT}.intersection(needs[1].split()))
    return out


def one_gateway(top, chosen, strict):
    """These cases with one gateway, the signed report, and the check of it. ([(profile, result)], good)."""
    os.makedirs(top)
    world = World(top, cases=only_cases(top, chosen), strict=strict)
    try:
        world.start()
        _, text = world.kit.call("run", world.kit.dir, check=False)
    finally:
        world.stop()
    print(text, end="")
    if "signed and countersigned" not in text:
        return [], False
    run = newest(world.kit)
    code, text = world.kit.call("verify-report", run, check=False)
    print(text, end="")
    return [(c["profile"], c["result"]) for c in results(run)["cases"]], code == 0


def own(top, only):
    """Every case, by one of two gateways of ours. (lines of the table, how much was wrong)."""
    known, got, bad = all_cases(), [], 0
    assert not set(only) - set(known), f"no such case: {set(only) - set(known)}"
    for strict in (False, True):
        chosen = {c for c, hard in known.items() if hard == strict and (not only or c in only)}
        if chosen:
            some, good = one_gateway(os.path.join(top, "strict" if strict else "own"), chosen, strict)
            got += some
            bad += not good
    table = []
    for profile in PROFILES:
        cases = [result for p, result in got if p == profile]
        if cases:
            table.append((profile, len(cases), *[cases.count(r) for r in ("passed", "failed", "not run")]))
    return table, bad + sum(result != "passed" for _, result in got)


def peers(top):
    """Two operators with a gateway each: each kit tests the other's gateway, by one plan. How much was wrong."""
    cases = only_cases(os.path.join(top, "peers"), {c for c in os.listdir(os.path.join(ROOT, "interop", "cases", "smg-1"))})
    names = {"clinic": "clinic.example", "lab": "lab.example"}  # whose gateway; the other one's kit tests it
    other, worlds = {"clinic": "lab", "lab": "clinic"}, {}
    for name, domain in names.items():
        os.makedirs(os.path.join(top, "peers", name))
        worlds[name] = World(os.path.join(top, "peers", name), cases=cases, strict=True, own=domain)
    try:
        for w in worlds.values():
            w.start()
        plan = os.path.join(top, "peers", "plan.json")
        party = [f"{n},{d},{worlds[other[n]].kit.file('tester.pem')},{worlds[n].kit.file('gateway-sign.pem')}" for n, d in names.items()]
        worlds["clinic"].kit.call("plan", "make", "--profiles", "smg-1", "--party", party[0], "--party", party[1], "-o", plan)
        with concurrent.futures.ThreadPoolExecutor() as both:
            for _, text in both.map(lambda n: worlds[n].kit.call("run", worlds[n].kit.dir, "--plan", plan, "--as", other[n], check=False), names):
                print(text.splitlines()[-1])
    finally:
        for w in worlds.values():
            w.stop()
    code, text = worlds["clinic"].kit.call("plan", "verify", plan, newest(worlds["lab"].kit), newest(worlds["clinic"].kit), check=False)
    print(text if code else f"two gateways by one plan: {text.count('holds: ')} facts hold", end="" if code else "\n")
    # the same run twice is not what two parties did
    again, text = worlds["clinic"].kit.call("plan", "verify", plan, newest(worlds["lab"].kit), newest(worlds["lab"].kit), check=False)
    if again == 0:
        print("peers: one run was taken for two:\n" + text)
    return int(code != 0) + int(again == 0)


# what a gateway made by hand does right, and what it must be found out for
GOOD_BY_HAND = {"smg1-out-sealed", "smg1-in-sealed", "smg1-in-unsigned", "smg1-out-unlisted"}
ANY_SCRIPT = {"smg1-out-require": "clear text where sealing is required", "smg1-out-mixed": "clear text to the one without a certificate"}
BAD_BY_HAND = {"openssl-filter": {**ANY_SCRIPT, "smg1-out-expired": "an expired certificate", "smg1-in-other-domain": "a signer of another domain"}, "gpgsm-filter": ANY_SCRIPT}


def foreign(top, name):
    """One of interop/gateways: (counts, what was wrong)."""
    kit = Kit(top, name="kit-" + name, settle="3s", within="20s", **{"mark-" + m: f"^X-Filter: {m}$" for m in ("trusted", "untrusted", "broken", "unsigned")}, **{"gateway-name": name})
    inside, outside, again = free_ports(3)
    kit.init(f"127.0.0.1:{inside}", f"127.0.0.1:{outside}")
    state, set_up = os.path.join(top, "state-" + name), os.path.join(ROOT, "interop", "gateways", name, "set-up")
    subprocess.run([set_up, "start", "--state", state, "--setup", os.path.join(kit.dir, "setup.json"), "--inside", f"127.0.0.1:{inside}", "--outside", f"127.0.0.1:{outside}",
                    "--again", f"127.0.0.1:{again}", "--user", "nobody"], check=True, stdout=subprocess.DEVNULL)
    try:
        for n in ("gateway-sign.pem", "gateway-encrypt.pem"):
            shutil.copy(os.path.join(state, "gateway.pem"), os.path.join(kit.dir, n))
        kit.call("run", kit.dir, "--profile", "smg-1", check=False)
    finally:
        subprocess.run([set_up, "stop", "--state", state], check=True, stdout=subprocess.DEVNULL)
    code, text = kit.call("verify-report", newest(kit), "--tester", kit.file("tester.pem"), "--gateway", kit.file("gateway-sign.pem"), check=False)
    got = {c["id"]: c["result"] for c in results(newest(kit))["cases"]}
    wrong = [f"{c} {got.get(c)}, and it does that right" for c in sorted(GOOD_BY_HAND) if got.get(c) != "passed"]
    wrong += [f"{c} {got.get(c)}: {why} was not found" for c, why in BAD_BY_HAND[name].items() if got.get(c) != "failed"]
    wrong += ["its countersigned report does not hold:\n" + text] if code or "countersigned manifest.json" not in text else []
    for line in wrong:
        print(f"{name}: {line}")
    return (name, len(got), *[list(got.values()).count(r) for r in ("passed", "failed", "not run")]), len(wrong)


def main():
    words = sys.argv[1:]
    cases = [w for w in words if re.fullmatch(r"[a-z0-9]+-[a-z0-9-]+", w)]
    faults = [w for w in words if re.fullmatch(r"M\d+", w)]
    parts = [w for w in words if w in ("own", "peers", "mutants", "foreign")] + ["own"] * bool(cases) + ["mutants"] * bool(faults)
    assert parts or not words, f"no such thing: {words}"
    parts = parts or ["own", "peers", "mutants", "foreign"]
    top = tempfile.mkdtemp(prefix="postern-interop-")
    os.chmod(top, 0o755)
    began, bad, table = time.monotonic(), 0, []
    try:
        if "own" in parts:
            table, bad = own(top, cases)
        if "mutants" in parts:
            bad += mutants(World, top, faults)
        with concurrent.futures.ThreadPoolExecutor() as side:
            two = [side.submit(peers, top)] if "peers" in parts else []
            hand = [side.submit(foreign, top, name) for name in BAD_BY_HAND] if "foreign" in parts else []
            for row, wrong in (one.result() for one in hand):
                table.append(row)
                bad += wrong
            bad += sum(one.result() for one in two)
    finally:
        if os.environ.get("KEEP"):
            print("kept:", top)
        else:
            shutil.rmtree(top, ignore_errors=True)
    print(f"{'profile':16} cases passed failed not-run")
    for name, *numbers in table:
        print(f"{name:16}" + "".join(f"{n:7}" for n in numbers))
    print(f"interop: {time.monotonic() - began:.0f} s, {'all good' if not bad else 'NOT GOOD'}")
    return 1 if bad else 0


sys.exit(main())
