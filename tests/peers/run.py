#!/usr/bin/env python3
"""The gateway and other programs, both ways; RFC examples; PKITS. Prints tables; fails for every cell that fails and is not listed in expected.txt with its reason.

run.py [--quick] [NAME...]   NAME: a peer (openssl, gpgsm, nss, thunderbird, bouncycastle, pkijs) or a part (gateway, pkits, shapes, rfc4134, rfc9216); --quick: openssl and gpgsm,
without the gateway's processes. Needs what `make interop-deps` installs, no display and no network.
"""
import fnmatch
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"), HERE]
import examples  # noqa: E402
import matrix  # noqa: E402
import peers  # noqa: E402
import pkits  # noqa: E402
import through  # noqa: E402
from smime import Identity  # noqa: E402

KINDS = {"rsa": "rsa", "p256": "ec", "p384": "p384", "p521": "p521"}
# what begins so was said by the gateway or of it: never a fault of the peer
OURS = ("cms ended with", "not taken", "not sealed", "only 0 of 1 mails", "no smime=pass", "another body", "another verdict", "hospital: ")
PARTS = {"gateway": None, "pkits": pkits.run, "shapes": examples.shapes, "rfc4134": examples.rfc4134, "rfc9216": examples.rfc9216}


class Expected:
    """Lines of expected.txt: peer, direction, cannot or fails, cell (with *), reason; two blanks between them."""
    def __init__(self, path):
        self.rows = []
        for number, line in enumerate(open(path), 1):
            line = line.strip()
            if line and not line.startswith("#"):
                words = [w.strip() for w in line.split("  ") if w.strip()]
                assert len(words) == 5 and words[1] in ("send", "receive") and words[2] in ("cannot", "fails"), f"{path}:{number}: not peer, direction, cannot|fails, cell, reason"
                self.rows.append(words)

    def find(self, peer, direction, cell):
        for p, d, how, c, why in self.rows:
            if p == peer and d == direction and fnmatch.fnmatchcase(cell, c):
                return how, why
        return None, ""


class Report:
    """What was tried, and how it ended; the words that go under the table."""
    def __init__(self):
        self.bad, self.better, self.counts = [], [], {}

    def mark(self, peer, direction, cell, how, why):
        if how == "cannot":
            return self.count("-")
        got = why()
        if got is None and how == "fails":
            self.better.append(f"{peer}, {direction}, {cell}: listed as failing, but works")
            return self.count("yes!")
        if got is None:
            return self.count("yes")
        if how == "fails" and not got.startswith(OURS):
            return self.count("no")
        self.bad.append(f"{peer}, {direction}, {cell}: {got}")
        return self.count("FAIL")

    def count(self, word):
        self.counts[word] = self.counts.get(word, 0) + 1
        return word


def identities(top):
    ca = Identity(top, "ca", ca=True, cn="Interop CA", days=30)
    names = {"us": "email:a@hospital.example,DNS:hospital.example", "them": ",".join(["email:b@partner.example"] + [f"DNS:{p}{name}.example" for name in peers.ALL for p in ("", "signed.")])}
    return ca, {f"{who}-{kind}": Identity(top, f"{who}-{kind}", san, key, issuer=ca, days=30) for who, san in names.items() for kind, key in KINDS.items()}


def table(title, columns, rows):
    """A table as docs/INTEROP.md has it."""
    print(f"\n{title}\n\n| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name, marks in rows:
        print(f"| {name} | {' | '.join(marks)} |")
    sys.stdout.flush()


def play_all(title, cells, chosen, expected, report, play):
    """play(peer, direction, cell): the reason or None."""
    rows = []
    for cell in cells:
        marks = []
        for p in chosen:
            both = []
            for direction in ("send", "receive"):
                how, _ = expected.find(p.name, direction, cell)
                both.append(report.mark(p.name, direction, cell, how, lambda: play(p, direction, cell)))
            marks.append(" / ".join(both))
        rows.append((cell, marks))
    table(title, [f"{p.name} {p.version()}" for p in chosen], rows)


def start(top, names, who, ca, report):
    got = []
    for name in names:
        lacks = peers.missing(name)
        if lacks:
            report.bad.append(f"{name}: NOT RUN, {lacks} is missing: make interop-deps")
            continue
        got.append(peers.ALL[name](os.path.join(top, name), who, ca))
    return got


def reasons(expected, chosen):
    """One line for each reason of a peer."""
    print("\nWhy some cells are \"no\" (tried, fails for the peer's reasons) or \"-\" (there is nothing to try):\n")
    for name in [c.name for c in chosen]:
        mine = [(why, f"{cell} ({d})") for p, d, _, cell, why in expected.rows if p == name and why != "as above"]
        for reason in dict.fromkeys(why for why, _ in mine):
            print(f"  * {name}: {'; '.join(c for why, c in mine if why == reason)}: {reason}")


def play_peers(top, wanted, quick, report):
    names = [n for n in peers.ALL if not wanted or n in wanted]
    if quick:
        names = [n for n in names if n in ("openssl", "gpgsm")]
    if wanted and not names and "gateway" in wanted:
        names = list(peers.ALL)
    ca, who = identities(top)
    expected = Expected(os.path.join(HERE, "expected.txt"))
    ours = matrix.Ours(os.path.join(top, "ours"), who, ca)
    chosen = []
    try:
        chosen = start(top, names, who, ca, report)
        if not wanted or set(wanted) & set(peers.ALL):
            play_all("send / receive, straight through the gateway's CMS", matrix.CELLS, chosen, expected, report, lambda p, d, c: matrix.play(p, ours, d, c))
        if not quick and (not wanted or "gateway" in wanted):
            with through.Both(top, who, chosen) as both:
                play_all("send / receive by SMTP through a running gateway", through.CELLS, chosen, expected, report, both.play)
        if not quick:
            reasons(expected, chosen)
    finally:
        for p in chosen:
            p.end()


def main():
    quick = "--quick" in sys.argv
    wanted = [a for a in sys.argv[1:] if not a.startswith("--")]
    unknown = [w for w in wanted if w not in peers.ALL and w not in PARTS]
    if unknown:
        sys.exit(f"unknown: {' '.join(unknown)}; there are {' '.join([*peers.ALL, *PARTS])}")
    began, report = time.monotonic(), Report()
    top = tempfile.mkdtemp(prefix="postern-interop-")
    os.chmod(top, 0o755)
    try:
        if not wanted or "gateway" in wanted or set(wanted) & set(peers.ALL):
            play_peers(top, wanted, quick, report)
        for name, part in PARTS.items():
            if part and not quick and (not wanted or name in wanted):
                part(os.path.join(top, name), table, report)
    finally:
        if not report.bad:
            shutil.rmtree(top, ignore_errors=True)
    print(f"\ninterop: {', '.join(f'{n} {w}' for w, n in sorted(report.counts.items()))}; {len(report.bad)} failures, {time.monotonic() - began:.0f} s")
    for line in report.better:
        print("BETTER " + line)
    for line in report.bad:
        print("FAILED " + line)
    if report.bad:
        print(f"left behind: {top}")
    return bool(report.bad)


sys.exit(main())
