"""Asking the network while clients wait: one question for many, silent servers, bounds, a scout that dies. The name server is the test's own, so that it answers when it shall."""
import os
import re
import signal
import socket
import struct
import threading
import time

from finding import Ca, Directory, der
from gateway import wait_for
from mail import Talk, message, quick, send, solo
from names import Names, flat
from partners import PRIVATE
from smime import Identity

FIND = "find {{\n  {0}\n}}\n"


def cert(pem):
    return struct.pack(">HHB", 1, 0, 0) + der(pem)


def start(top, names, find="", settings=""):
    return solo(top, settings=settings, sections=names.settings("example") + FIND.format(find))


def partner(top, gw, names):
    """clinic.example has a certificate in DNS, of an authority that is believed."""
    ca = Identity(top, "ca", ca=True)
    clinic = Identity(top, "clinic", "DNS:clinic.example", issuer=ca)
    names.records[("clinic.example", "CERT")] = [cert(clinic.cert)]
    gw.postern("anchor", "add", ca.cert, "--scope", "*", "--yes")


def rcpt(gw, address, timeout=60):
    """(reply to RCPT, seconds it took)"""
    t = Talk(gw.inside, timeout=timeout)
    t.ask("EHLO client.test")
    t.ask("MAIL FROM:<ann@hospital.example>")
    began = time.monotonic()
    got = t.ask(f"RCPT TO:<{address}>")
    took = time.monotonic() - began
    t.ask("QUIT")
    t.close()
    return got, took


class Clients:
    """RCPT of each address in a session of its own, at the same time."""
    def __init__(self, gw, addresses):
        self.got = {}

        def one(a):
            self.got[a] = rcpt(gw, a)
        self.threads = [threading.Thread(target=one, args=(a,)) for a in addresses]
        for t in self.threads:
            t.start()

    def join(self):
        for t in self.threads:
            t.join(60)
        return self.got


def lookups(gw):
    return gw.cli("status")["judge"]["lookups"]


@quick
def test_one_question_for_many(top):
    names = Names()
    gw, inside, outside = start(top, names, "tiers = {store, cert}\n timeout = 15s", settings="sessions-per-client = 500\n")
    try:
        partner(top, gw, names)
        names.shut()
        before = lookups(gw)
        clients = Clients(gw, [f"bob{i}@clinic.example" for i in range(100)])
        wait_for("100 that wait", 30, lambda: lookups(gw)["waiting"] == 100)
        assert lookups(gw)["asking"] == 1 and lookups(gw)["asked"] == before["asked"] + 1
        # nobody else waits for them
        assert send(gw.inside, "ann@hospital.example", "eve@hospital.example", message("ann@hospital.example", "eve@hospital.example", "inside"))[0] == 250
        names.open()
        got = clients.join()
        assert all(reply.startswith("250") for reply, _ in got.values()), got
        # known from here on
        reply, _ = rcpt(gw, "later@clinic.example")
        assert reply.startswith("250"), reply
        after = lookups(gw)
        assert after["asked"] == before["asked"] + 1 and after["waiting"] == 0 and after["asking"] == 0 and after["used"] > 100
    finally:
        names.open()
        gw.stop()
        names.stop()


@quick
def test_a_thousand_to_one_partner(top):
    """Fifty sessions of twenty messages each to somebody new, begun before anything is answered: DNS and the directory are asked as often as for one message."""
    names, ca = Names(), Ca(top, "authority")
    made = {d: ca.issue(d, "DNS:" + d, kind="ec") for d in ("one.example", "thousand.example")}
    directory = Directory(top, "theirs", [(d, [made[d].cert]) for d in made]).start()
    for d in made:
        names.records[("ns." + d, "A")] = [bytes((127, 0, 0, 1))]
        names.records[("_ldap._tcp." + d, "SRV")] = [struct.pack(">HHH", 0, 0, directory.port) + flat("ns." + d)]
    gw, _, _ = solo(top, settings="sessions-per-client = 500\n", sections=names.settings("example") + PRIVATE + "find {\n  tiers = {store, cert, ldap}\n  timeout = 15s\n}\n")
    try:
        gw.postern("anchor", "add", ca.cert, "--yes")

        def asked(domain, was):
            """When the look-up is over: whoever asked may have been answered before."""
            wait_for("the end of the look-up", 20, lambda: lookups(gw)["asking"] == 0)
            return {k: names.asked.count((name + domain, k)) for name, k in (("", "CERT"), ("_ldap._tcp.", "SRV"), ("ns.", "A"))}, directory.searches() - was
        assert rcpt(gw, "bob@one.example")[0].startswith("250")
        for_one = asked("one.example", 0)
        assert for_one[1] > 0 and max(for_one[0].values()) == 1, for_one
        was, codes = directory.searches(), []

        def session():
            t = Talk(gw.inside, timeout=60)
            t.ask("EHLO client.test")
            t.say("".join(f"MAIL FROM:<ann@hospital.example>\r\nRCPT TO:<bob@thousand.example>\r\nRSET\r\n" for _ in range(20)))
            codes.extend([t.reply()[:3] for _ in range(60)][1::3])
            t.close()
        names.shut()
        threads = [threading.Thread(target=session) for _ in range(50)]
        for t in threads:
            t.start()
        wait_for("fifty that wait", 30, lambda: lookups(gw)["waiting"] == 50)
        names.open()
        for t in threads:
            t.join(60)
        assert codes == ["250"] * 1000, {c: codes.count(c) for c in set(codes)}
        got = asked("thousand.example", was)
        assert got[0] == for_one[0] and 0 < got[1] <= 4, (got, for_one)  # two questions, over one connection or two, each asked for its bases once
    finally:
        names.open()
        gw.stop()
        names.stop()
        directory.stop()


@quick
def test_a_server_that_is_silent(top):
    names = Names()
    names.silent.add("dead.example")
    gw, inside, outside = start(top, names, "tiers = {store, cert}\n place-timeout = 1s\n timeout = 4s\n unsure-for = 60s")
    try:
        gw.postern("partner", "add", "listed.dead.example", "--treatment", "seal", "--strength", "require")
        # P1: surely unsigned and never seen protected: as good as none; listed: later
        reply, took = rcpt(gw, "bob@new.dead.example")
        assert reply.startswith("250") and 0.8 < took < 20, (reply, took)
        reply, took = rcpt(gw, "bob@listed.dead.example")
        assert reply.startswith("451 4.") and 0.8 < took < 20, (reply, took)
        wait_for("the time limit at the server", 20, lambda: lookups(gw)["asking"] == 0)
        # the refusal has an id, under which the log and the judge have the steps; what went out in the clear has none in the log that fails
        trace = re.search(r"\(trace ([0-9a-f]{8})\)$", reply).group(1)
        told = gw.cli("trace", trace)
        assert told["recipient"] == "bob@listed.dead.example" and told["certificates"] == "uncertain" and told["why"] in reply.replace("451-4.7.5 ", ""), told
        assert {"store", "dns CERT", "decision"} <= {s["place"] for s in told["steps"]}, told
        assert re.search(rf"looked-in trace={trace} step=1 ", gw.log()) and f"trace {trace})" in gw.wait_log(r"refused client=.*to=<bob@listed.*").group(0)
        text = gw.postern("trace", trace.upper())[1]
        assert "Where was looked:" in text and "dns CERT" in text, text
        kept = gw.cli("trace")["traces"]
        assert [t["recipient"] for t in kept] == ["bob@listed.dead.example", "bob@new.dead.example"], kept
        for bad, status in ("zzzzzzzz", 2), ("123", 2), ("00000000" if trace != "00000000" else "11111111", 1):
            assert gw.postern("trace", bad, check=False)[0] == status
        # that there was no answer is remembered
        for who, code in ("carl@new.dead.example", "250"), ("bob@listed.dead.example", "451"):
            was = lookups(gw)["asked"]
            reply, _ = rcpt(gw, who)
            assert reply.startswith(code) and lookups(gw)["asked"] == was, reply
    finally:
        gw.stop()
        names.stop()


def test_ten_thousand_domains_of_a_dead_server(top):
    names = Names()
    names.silent.add("example")
    gw, inside, outside = start(top, names, "tiers = {store, cert}\n place-timeout = 3s\n timeout = 5s\n asking-max = 40\n waiting-max = 200", settings="sessions-per-client = 500\n")
    try:
        worst = {"asking": 0, "waiting": 0}
        done, codes = threading.Event(), []

        def session(first):
            t = Talk(gw.inside, timeout=120)
            t.ask("EHLO client.test")
            for i in range(first, first + 100):
                t.ask("MAIL FROM:<ann@hospital.example>")
                codes.append(t.ask(f"RCPT TO:<bob@d{i}.example>")[:3])
                t.ask("RSET")
                if done.is_set():
                    break
            t.close()
        threads = [threading.Thread(target=session, args=(100 * i,)) for i in range(100)]
        for t in threads:
            t.start()
        end = time.monotonic() + 8
        while time.monotonic() < end:
            now = lookups(gw)
            worst = {k: max(v, now[k]) for k, v in worst.items()}
            # what needs nobody's answer goes on
            began = time.monotonic()
            assert send(gw.inside, "ann@hospital.example", "eve@hospital.example", message("ann@hospital.example", "eve@hospital.example", "inside"))[0] == 250
            assert time.monotonic() - began < 2
        done.set()
        for t in threads:
            t.join(60)
        assert worst["asking"] <= 40 and worst["waiting"] <= 200, worst
        assert lookups(gw)["refused"] > 100 and len(codes) > 500, (lookups(gw), len(codes))
        # those that could not be asked for were put off; those without an answer count as none
        assert set(codes) <= {"250", "451"} and codes.count("451") > 100, {c: codes.count(c) for c in set(codes)}
    finally:
        gw.stop()
        names.stop()


def test_hundreds_of_domains_of_a_dead_directory(top):
    """SRV of all of them names one that takes connections and says nothing: few questions wait for it, the others are put off at once, and who has another directory is served."""
    names, ca, deaf = Names(), Ca(top, "authority"), socket.socket()
    deaf.bind(("127.0.0.1", 0))
    deaf.listen(64)
    lab = ca.issue("lab", "DNS:lab.example", kind="ec")
    directory = Directory(top, "theirs", [("lab.example", [lab.cert])]).start()
    for domain, port, host in [("lab.example", directory.port, "ns.lab.example")] + [(f"d{i}.example", deaf.getsockname()[1], "ns.dead.example") for i in range(400)]:
        names.records[(host, "A")] = [bytes((127, 0, 0, 1))]
        names.records[("_ldap._tcp." + domain, "SRV")] = [struct.pack(">HHH", 0, 0, port) + flat(host)]
    gw, _, _ = solo(top, settings="sessions-per-client = 500\n", sections=names.settings("example") + PRIVATE + "find {\n tiers = {store, ldap}\n place-timeout = 2s\n timeout = 4s\n asking-site = 20\n}\n")
    try:
        gw.postern("anchor", "add", ca.cert, "--yes")
        said, worst = [], {"asking": 0, "waiting": 0}

        def session(first):
            t = Talk(gw.inside, timeout=60)
            t.ask("EHLO client.test")
            t.say("".join(f"MAIL FROM:<ann@hospital.example>\r\nRCPT TO:<bob@d{i}.example>\r\nRSET\r\n" for i in range(first, first + 10)))
            said.extend([t.reply() for _ in range(30)][1::3])
            t.close()
        threads = [threading.Thread(target=session, args=(10 * i,)) for i in range(40)]
        for t in threads:
            t.start()
        wait_for("some that wait", 20, lambda: lookups(gw)["waiting"] > 0)
        assert rcpt(gw, "bob@lab.example")[0].startswith("250")
        while any(t.is_alive() for t in threads):
            worst = {k: max(v, lookups(gw)[k]) for k, v in worst.items()}
        assert len(said) == 400 and all(x.startswith("451 4.7.1") for x in said), {x[:9] for x in said}
        assert worst["asking"] <= 40 + 20 and worst["waiting"] <= 40, worst
        assert all("ldap://ns.dead.example" in x for x in said), [x for x in said if "ldap://ns.dead.example" not in x][:3]
        assert sum("too many questions wait" in x for x in said) > 100, said[::40]
    finally:
        gw.stop()
        names.stop()
        directory.stop()
        deaf.close()


@quick
def test_hostile_name_servers(top):
    """They want to be asked by TCP and then never end, drip, or hang up: each client is told to come again within its time, and who is served by the same process is not held up."""
    ca, kinds = Identity(top, "ca", ca=True), ("endless", "drip", "close")
    good = {"plain.example": None, "large.example": "whole"}
    names = {who: Names() for who in (*kinds, *good)}  # of each an address: a connection of TCP serves all questions to one
    for domain, fault in good.items():
        names[domain].records[(domain, "CERT")] = [cert(Identity(top, domain, "DNS:" + domain, issuer=ca, kind="ec").cert)]
        names[domain].tcp.update({domain: fault} if fault else {})
    zones = [(d, names[d]) for d in good]
    for kind in kinds:
        names[kind].tcp = {f"{kind}{i}.example": kind for i in range(12)}
        zones += [(d, names[kind]) for d in names[kind].tcp]
    hostile = [d for kind in kinds for d in names[kind].tcp]
    dns = names["drip"].settings(others=zones)
    gw, _, outside = solo(top, settings="sessions-per-client = 500\ndefault-strength = require\n", sections=dns + FIND.format("tiers = {store, cert}\n place-timeout = 2s\n timeout = 4s"))
    try:
        gw.postern("anchor", "add", ca.cert, "--scope", "*", "--yes")
        clients = Clients(gw, ["bob@" + d for d in hostile])
        wait_for("questions by TCP of each kind", 20, lambda: all(names[k].by_tcp for k in kinds))
        for domain in good:
            reply, took = rcpt(gw, "bob@" + domain)
            assert reply.startswith("250") and took < 2, (domain, reply, took)
        got = clients.join()
        bad = {a: said for a, said in got.items() if not said[0].startswith("451 4.") or "cannot be told now" not in said[0] or said[1] > 8}
        assert not bad and len(got) == len(hostile), bad
        assert ("large.example", "CERT") in names["large.example"].by_tcp
        wait_for("an end of all questions", 10, lambda: lookups(gw)["asking"] == 0 and lookups(gw)["waiting"] == 0)
        # later too they are put off, and nothing of them has left
        reply, _ = rcpt(gw, "carl@drip0.example")
        assert reply.startswith("451 4."), reply
        assert not outside.mails and not gw.queue()
    finally:
        gw.stop()
        for n in names.values():
            n.stop()


@quick
def test_the_scout_dies_meanwhile(top):
    names = Names()
    gw, inside, outside = start(top, names, "tiers = {store, cert}\n timeout = 15s")
    try:
        partner(top, gw, names)
        names.shut()
        clients = Clients(gw, ["bob@clinic.example"])
        wait_for("one that waits", 20, lambda: lookups(gw)["waiting"] == 1 and any(n == "clinic.example" for n, _ in names.asked))
        os.kill(gw.roles()["scout"][0], signal.SIGKILL)
        wait_for("the question asked again", 20, lambda: lookups(gw)["asked"] == 2)
        names.open()
        (reply, took), = clients.join().values()
        assert reply.startswith("250"), reply
        gw.wait_log("scout-away")
    finally:
        names.open()
        gw.stop()
        names.stop()
