"""A host of somebody else takes mail for a domain whose gateway speaks XSMG: a real Postfix, as its second MX or its only one. It reads nothing, and that it lacks XSMG is no downgrade of the domain."""
import re

from gateway import wait_for
from postfix import Postfix
from strangers import World, sealed, sent, trusted


class Backup(Postfix):
    """At an address of its own; its next hops, by domain."""
    def __init__(self, top, address, port, hops):
        routes = ", ".join(f"{{ {domain} = smtp:[{a}]:{p} }}" for domain, (a, p) in hops.items())
        super().__init__(top, "backup", extra={"transport_maps": f"inline:{{ {routes} }}", "relay_domains": ", ".join(hops), "mynetworks": "127.0.0.253/32",
                                               "smtp_tls_security_level": "may"})
        self.ip, self.port = address, port
        path = self.conf + "/master.cf"
        with open(path) as f:
            _, rest = f.read().split("\n", 1)
        with open(path, "w") as f:
            f.write(f"{address}:{port} inet n - n - - smtpd\n{rest}")


def test_third_party(top):
    w = World(top)
    w.add("hospital", "webpki", more="smtp-client {\n  idle-time = 0s\n  backoff-min = 200ms\n  backoff-max = 500ms\n}\n")
    w.add("lab", "webpki")
    w.add("clinic", "webpki")
    second = w.net + ".103"
    hospital, lab, clinic = w.start({"clinic": second})
    w.nsd.stop()
    w.nsd.zone(lab.domain, ["@ MX 10 gw", "@ MX 20 backup", f"gw A {lab.address}", f"backup A {second}", f"smg A {lab.address}", *[r for r in lab.published if "TLSA" not in r]])
    w.nsd.start()
    backup = Backup(top, second, w.port, {g.domain: (g.address, w.port) for g in (lab, clinic)})
    try:
        backup.start()
        # its only MX: the statement is found by DNS, and the first mail goes through sealed
        sent(hospital, clinic, "by a stranger alone")
        assert trusted(hospital, clinic)["established"] == "webpki"
        # its second MX, while the first one is away: taken and kept there, and delivered later
        sent(hospital, lab, "straight")
        hospital.wait_log(r"xsmg-put ours=hospital\.example partner=lab\.example .*taken=1")
        lab.stop()
        for n in range(3):
            code, text = hospital.mail(lab, f"kept {n}")
            assert code == 250, (code, text)
        wait_for("the backup to keep them", 90, lambda: len(set(re.findall(r"(\w+): to=<bob@lab\.example>.*status=deferred", backup.log()))) == 3, every=0.3)
        hospital.wait_log(r"xsmg-not-there of=lab\.example host=backup", 20)
        assert "alarm=" not in hospital.log(), re.findall(".*alarm=.*", hospital.log())
        assert not hospital.cli("status")["judge"]["partners_noticed"] and hospital.partner(lab)["state"] == "trusted"
        lab.start()
        for n in range(3):
            sealed(lab, f"kept {n}")
        sent(hospital, lab, "straight again")
        sent(lab, hospital, "and back")
        # whoever kept it has seen nothing of it, and nothing left with less than encryption
        assert not re.search(r"accepted .*treatment=(clear|sign|tls)", hospital.log())
        assert "XSMG" not in backup.log().upper().replace("XSMG-", "")
        assert not any(g.cli("pending")["statements"] for g in w.gateways)
    finally:
        w.stop()
        backup.stop()
