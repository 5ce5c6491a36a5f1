"""Many gateways that know nothing of each other but the DNS: each in a network namespace of its own with port 25 and 443, a real nsd that is root and serves signed and unsigned zones.

N in the environment (default 8) is how many. Of five in a row one each is dnssec, webpki, anchored (an authority that the others have an anchor for), first (nothing speaks for its key; every second
gateway takes that, the others ask their admin) and pinned (the others pinned its key beforehand). Mail goes between all pairs; then all change their keys for mail, and those believed by dnssec their
statement keys too, while mail flows. Judged by what arrives at the users: nothing refused, nothing in the clear, nothing unreadable.
"""
import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from gateway import wait_for
from mail import message, send
from netns import ROOT_SERVERS, Dns, Net, NetGateway
from nexthop import Authority
from sink import Sink
from smime import Identity
from strangers import Introduced, World

N = int(os.environ.get("N", "8"))
KINDS = ("dnssec", "webpki", "anchored", "first", "pinned")
LEAD, OVERLAP = int(os.environ.get("LEAD", "180")), 600  # seconds: an old copy is asked for again after a minute here and not a day, and keys are announced three ahead, not 14 days


def each(what, them):
    """Done for all of them, four at a time; what it said of each."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(what, them))


class Far(Introduced, NetGateway):
    """One gateway in its namespace."""
    def __init__(self, net, i):
        name = f"d{i}"
        self.net, self.kind, self.asks, self.actions, self.read = net, KINDS[i % len(KINDS)], i % 2 == 0, [], 0
        host = net.net.host(name, f"20.0.{1 + i // 200}.{1 + i % 200}")
        self.sink = host.inside(Sink)
        self.www = ("smg." if self.kind in ("dnssec", "webpki") else "www.") + name + ".example"
        super().__init__(host, net.top, name, name + ".example", self.sink.address, settings=f'tls-ca-file = "{net.authority.cert}"\n',
                         outside_settings='unlimited = {"20.0.0.0/8"}')

    def write_conf(self):
        self.sections = (self.net.nsd.settings() + "mta-sts {\n  enabled = no\n}\nfind {\n  tiers = {store, smg}\n  place-timeout = 12s\n  timeout = 15s\n}\n"
                         f'partner-statements {{\n  first-contact = {"ask" if self.asks else "accept"}\n  fetch-timeout = 20s\n  ask-after = 1m\n}}\n'
                         f'public {{\n  address = "{self.host.address}:443"\n  hostname = "{self.www}"\n  connections-per-client = 200\n}}\n'
                         f"statement {{\n  rollover-lead = {LEAD}s\n  rollover-early = {LEAD // 2}s\n  rollover-overlap = {OVERLAP}s\n  rollover-before = 0s\n  signs = all\n}}\n")
        super().write_conf()

    def introduce(self):
        self.begin(self.net, self.www)

    def settled(self):
        return all(r["step"] in ("overlap", "done") for r in self.shown()["rollovers"])

    def publish(self):
        lines = self.postern("dns-records", self.domain)[1].splitlines()
        published = [line for line in lines if line.startswith("_smg.") or (" TLSA " in line and self.kind == "dnssec")]
        host, www = (h[:-len(self.domain) - 1] for h in (self.hostname, self.www))
        with self.net.zones:
            self.net.nsd.zone(self.domain, ["$TTL 5", f"@ MX 10 {host}", f"{host} A {self.host.address}", f"{www} A {self.host.address}", *published], self.kind == "dnssec")

    def admin(self, other, *args):
        """What an admin does about one partner: counted."""
        self.actions.append((other.kind, args[0]))
        self.postern(*args)

    def mail(self, other, subject):
        sender, rcpt = "anna@" + self.domain, "bob@" + other.domain
        return self.host.inside(lambda: send(self.inside, sender, rcpt, message(sender, rcpt, subject)))


class FarWorld:
    tls = World.tls

    def __init__(self, top):
        self.top, self.net, self.zones, self.sent, self.took, self.again = top, Net(top), threading.Lock(), {}, {}, {}
        self.authority, self.ca = Authority(top), Identity(top, "health", ca=True)
        self.nsd = Dns(top, self.net.host("dns", "20.0.0.53", *ROOT_SERVERS))
        self.all = []

    def start(self):
        for i in range(N):  # the signed ones have their keys from here on
            self.nsd.zone(f"d{i}.example", [], KINDS[i % len(KINDS)] == "dnssec")
        self.nsd.start()
        self.all = [Far(self, i) for i in range(N)]
        each(self.begin, self.all)
        print(f"{N} gateways run", flush=True)
        keys = {g.domain: g.key() for g in self.all if g.kind == "pinned"}
        self.beforehand = sum(each(lambda g: self.before(g, keys), self.all))
        for g in self.all:
            wait_for(f"the authority's certificates of {g.domain}", 60 + LEAD, g.settled, every=0.5)
        each(Far.publish, self.all)
        self.reload()

    @staticmethod
    def begin(g):
        g.start(wait=False)
        g.wait_ready(300)
        g.introduce()

    def before(self, g, keys):
        """What g's admin has done before anything is sent: how many anchors were added."""
        others = [o for o in self.all if o is not g]
        for other in (o for o in others if o.kind == "pinned"):
            g.admin(other, "partner", "add", other.domain)
            g.admin(other, "partner", "statement", other.domain, "--pin", keys[other.domain])
        anchored = [o.domain for o in others if o.kind == "anchored"]
        for domain in anchored:
            g.postern("anchor", "add", self.ca.cert, "--scope", domain, "--yes")
        return len(anchored)

    def reload(self):
        self.nsd.proc.send_signal(signal.SIGHUP)

    def one(self, g, other, subject):
        """A message with all that an admin has to do for it. The mail is expected to arrive, whatever it takes."""
        code, text = g.mail(other, subject)
        if code == 451 and other.kind == "first" and g.asks and "waits for your decision" in text:
            g.admin(other, "approve", other.domain, "--channel", "phone", "--reason", "compared", "--fingerprint", other.key())
            code, text = g.mail(other, subject)
        while code == 451 and "cannot be told now" in text and self.again.get(subject, 0) < 5:  # as a mail server does it; 400 processes on few cores
            self.again[subject] = self.again.get(subject, 0) + 1
            time.sleep(1)
            code, text = g.mail(other, subject)
        assert code == 250, f"{g.domain} to {other.domain}: {code} {text}"
        self.sent[subject] = (other, time.time())

    def arrived(self, seconds):
        """Every message sent so far came to its user, opened, with a signature that is believed: seconds from the final dot to there, sorted."""
        end = time.monotonic() + seconds
        while True:
            for g in self.all:
                self.read(g)
            late = self.sent.keys() - self.took.keys()
            if not late:
                return sorted(self.took.values())
            if time.monotonic() > end:
                raise AssertionError(f"{len(late)} of {len(self.sent)} mails did not arrive: {sorted(late)[:20]}")
            time.sleep(0.2)

    def read(self, g):
        """What the users of one gateway got since it was read last."""
        with g.sink.lock:
            mails = g.sink.mails[g.read:]
            g.read += len(mails)
        for m in mails:
            subject = m.field("Subject") or ""
            assert subject in self.sent and self.sent[subject][0] is g, f"users of {g.domain} got something else: {m.data[:2000]}"
            assert b"hello" in m.body and m.field("X-Postern-Verdict").startswith("sealed"), m.data[:2000]
            assert subject not in self.took, f"{subject} came twice"
            self.took[subject] = m.at - self.sent[subject][1]

    def decide(self):
        """Who asks his admin is asked about whose mail came and waits."""
        for g in self.all:
            for s in g.cli("pending")["statements"]:
                other = next(o for o in self.all if o.domain == s["domain"])
                assert other.kind == "first" and g.asks, f"{g.domain} waits for a decision about {s}"
                g.admin(other, "approve", other.domain, "--channel", "phone", "--reason", "compared", "--fingerprint", other.key())

    def stop(self):
        each(Far.stop, self.all)
        self.nsd.stop()
        self.net.stop()


def words(took):
    return f"p50 {took[len(took) // 2]:.2f} s, p99 {took[min(len(took) - 1, len(took) * 99 // 100)]:.2f} s, longest {took[-1]:.2f} s"


def test_many(top):
    w, began = FarWorld(top), time.monotonic()
    try:
        w.start()
        print(f"{N} gateways stand after {time.monotonic() - began:.0f} s", flush=True)
        began = time.monotonic()
        pairs = [(a, b) for a in w.all for b in w.all if a is not b]
        random.shuffle(pairs)
        each(lambda p: w.one(*p, f"first {p[0].name} {p[1].name}"), pairs)
        deciders = time.monotonic() + 60
        while True:
            w.decide()
            try:
                took = w.arrived(5)
                break
            except AssertionError:
                if time.monotonic() > deciders:
                    raise
        print(f"{len(took)} first messages between all pairs in {time.monotonic() - began:.0f} s, all sealed: {words(took)}", flush=True)
        sealed_only(w)
        counted(w)
        rollover(w, pairs)
        counted(w)
    finally:
        w.stop()


def sealed_only(w):
    """Of what every gateway took from its users, nothing left with less than encryption."""
    for g in w.all:
        taken = [line for line in g.log().split("\n") if " accepted session=" in line and "from=<anna@" + g.domain in line]
        assert taken and all("treatment=seal " in line for line in taken), [line for line in taken if "treatment=seal " not in line][:3]


def rollover(w, pairs):
    w.sent.clear()
    w.took.clear()
    began, n, old = time.monotonic(), 0, dict(zip(w.all, each(mail_certs, w.all)))
    statement = [g for g in w.all if g.kind == "dnssec"]  # without DNSSEC or an authority a key has to be announced for seven days
    each(lambda g: g.postern("domain", "rollover", g.domain, *(["--hook", g.hook(w.ca)] if g.kind == "anchored" else [])), w.all)
    for g in statement:
        g.postern("domain", "rollover", g.domain, "--statement-key")
        g.publish()  # with both keys in the record, where it names any
    w.reload()
    changing, look = set(w.all), 0
    with ThreadPoolExecutor(4) as pool:
        while changing or n < len(pairs):
            until = time.monotonic() + 0.5
            batch = [pairs[i % len(pairs)] for i in range(n, n + 8)]
            list(pool.map(lambda x: w.one(*x[1], f"flow {x[0]}"), zip(range(n, n + len(batch)), batch)))
            n += len(batch)
            if time.monotonic() > look:
                changing, look = {g for g in changing if not g.settled()}, time.monotonic() + 5
            time.sleep(max(0, until - time.monotonic()))  # a steady flow: some 16 messages a second, each pair in its turn
            assert time.monotonic() - began < 1200, "the keys do not change"
    each(lambda k: w.one(*pairs[k], f"flow {n + k}"), range(len(pairs)))  # after the change, once between all
    took = w.arrived(120)
    deferred = sum(g.log().count(" deferred to=") for g in w.all)
    changed = sum(mail_certs(g) != old[g] for g in w.all)
    assert changed == N, f"only {changed} of {N} have other keys for mail"
    sealed_only(w)
    bad = [line for g in w.all for line in g.log().split("\n") if " relay refused " in line and "waits for your decision" not in line or " failed to=" in line]
    bad = [line for line in bad if not ("code=451" in line and "cannot be told now" in line)]  # counted
    assert not bad, bad[:5]
    print(f"{N} changed their keys for mail and {len(statement)} their statement keys in {time.monotonic() - began:.0f} s, while {len(took)} messages went: {words(took)}; {deferred} deferrals",
          flush=True)


def mail_certs(g):
    return {i["certificate"]["fingerprint"] if "fingerprint" in i["certificate"] else str(i["certificate"]) for i in g.cli("domain", "list", g.domain)["identities"]
            if i["use"] in ("sign", "decrypt") and i["active"]}


def counted(w):
    by = {k: sum(kind == k for g in w.all for kind, _ in g.actions) for k in KINDS}
    print("what admins did about partners: " + ", ".join(f"{k} {n}" for k, n in by.items()) + f" (anchors that were there before: {w.beforehand})", flush=True)
    print(f"handed in again after 451, because a partner's statement had not come in time: {len(w.again)} messages, {sum(w.again.values())} times", flush=True)
    assert by["dnssec"] == by["webpki"] == by["anchored"] == 0, by
