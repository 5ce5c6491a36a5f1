"""Two nodes of one domain: what is supported, as it is. A data directory belongs to one gateway; a second node has its own, restored from a backup of the first one. Both answer for the domain, with the
same keys and statements of their own."""
import copy
import os

from gateway import free_ports, wait_for
from strangers import World, sealed, sent, trusted


def node(top, first, address):
    """Another one beside the first: with the same keys, at an address of its own."""
    second = copy.copy(first)
    second.address, second.dir = address, os.path.join(top, "second")
    os.mkdir(second.dir)
    os.chmod(second.dir, 0o755)
    second.data, second.sock, second.conf, second.log_path = (os.path.join(second.dir, n) for n in ("data", "sock", "conf", "log"))
    second.inside, second.outside = free_ports(2)
    first.postern("backup", os.path.join(top, "backup"))
    second.postern("restore", os.path.join(top, "backup"), "--data", second.data)
    second.write_conf()
    return second


def test_two_nodes(top):
    w = World(top)
    w.add("hospital", "webpki", first="ask\n  ask-after = 1m", more="smtp-client {\n  idle-time = 0s\n  backoff-min = 200ms\n  backoff-max = 500ms\n}\n")
    w.add("lab", "webpki", statement="rollover-lead = 2s\n rollover-early = 1s\n rollover-overlap = 1h\n rollover-before = 0s")
    hospital, first = w.start()
    second = node(top, first, w.net + ".102")
    try:
        # not two on one store
        conf, log = second.conf, second.log_path
        third = copy.copy(second)
        third.data, third.conf, third.log_path, third.sock = first.data, conf + ".third", log + ".third", second.sock + ".third"
        third.write_conf()
        third.start(wait=False)
        assert third.proc.wait(30) != 0
        assert "is in use by another posternd" in third.log()
        w.nsd.stop()
        w.nsd.zone(first.domain, ["@ MX 10 one", "@ MX 20 two", f"one A {first.address}", f"two A {second.address}", f"smg A {first.address}", *[r for r in first.published if "TLSA" not in r]])
        w.nsd.start()
        second.start()
        sent(hospital, first, "to the first node")
        trusted(hospital, first)
        sent(first, hospital, "from the first node")
        # the second one is ahead: it was restored, and says something else
        second.stop()
        second.statement += "\n signs = some"
        second.write_conf()
        second.start()
        ahead = wait_for("the second node to be ahead", 30, lambda: (lambda a, b: b["serial"] if b["serial"] > a["serial"] else None)(first.shown()["statement"], second.shown()["statement"]), every=0.2)
        sent(second, hospital, "from the second node")
        first.stop()  # so the hospital comes to the second one
        second.host = first.host
        sent(hospital, second, "to the second node")
        # what the second one says is believed or passed over as any other; then the first one, which lags behind
        first.start()
        for n in range(3):
            sent(hospital, first, f"to the first again {n}")
            sent(first, hospital, f"from the first again {n}")
            sent(second, hospital, f"from the second again {n}")
        hospital.postern("partner", "fetch", first.domain)
        got = hospital.partner(first)
        assert got["state"] == "trusted" and got["trusted"]["serial"] <= max(ahead, first.shown()["statement"]["serial"]), got
        # mail keys change at one node alone: what is sealed for the new ones is read there; the other node cannot, and says so instead of anything else
        first.postern("domain", "rollover", first.domain)
        wait_for("the keys to change", 60, lambda: [r for r in first.shown()["rollovers"] if r["keys"] == "mail"][0]["step"] in ("overlap", "done"), every=0.3)
        serial = first.shown()["statement"]["serial"]

        def followed():
            hospital.postern("partner", "fetch", first.domain)
            return hospital.partner(first)["trusted"]["serial"] >= serial
        wait_for("the hospital to follow", 30, followed, every=1.1)
        sent(hospital, first, "to the new keys")
        first.stop()
        code, text = hospital.mail(first, "to the node without them")
        assert code == 250, (code, text)
        notice = hospital.sink.wait(1, 60, lambda m: m.sender == "" and b"to.the.node.without.them" in m.data)[0]
        assert b"for none of the certificates of lab.example" in notice.data.replace(b"\r\n ", b" "), notice.data[:3000]
        # restored from the first one once more, it reads them
        first.start()
        second.stop()
        place = os.path.join(top, "backup-2")
        first.postern("backup", place)
        second.postern("restore", place, "--data", second.data, "--force")
        second.start()
        first.stop()
        sent(hospital, second, "to the node that has them now")
        assert hospital.partner(first)["state"] == "trusted" and not hospital.cli("pending")["statements"]
        assert "frozen" not in hospital.log() and "alarm=statement" not in hospital.log()
        sealed(second, "to the second node")
    finally:
        second.stop()
        w.stop()
