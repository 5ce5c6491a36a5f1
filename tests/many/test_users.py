"""What a user can have the own gateway sign is never a statement of the domain, and what a user sends is never taken for one. By a user's real way: written in a mail program, signed by the gateway, seen on the wire."""
import base64
import json
import os
import re

from attackers import Meddler, Signed, get_reply
from clock import Clock
from finding import der
from gateway import wait_for
from mail import send
from statements import Peer
from strangers import World, sent, trusted


class Listener(Meddler):
    """Keeps what clients say as well."""
    said = b""

    def from_client(self, line, *args):
        self.said += line
        return super().from_client(line, *args)


def signed_of(said):
    """The SignedData of the last signed message in a recorded session."""
    part = re.findall(rb'smime\.p7[ms]"?\r\n(?:[^\r\n]+\r\n)*\r\n([A-Za-z0-9+/=\r\n]+?)\r\n(?:--|\.)', said)
    return base64.b64decode(part[-1])


def test_signed_for_a_user(top):
    """A user at the laboratory writes a statement with a key of his own as a mail, as its only part, as a message that only carries certificates. The laboratory's gateway signs it; he hands it to the
    hospital in its name."""
    clock = Clock(top + "/clock")
    w = World(top, clock)
    w.add("hospital", "webpki", first="ask\n  ask-after = 1m")
    w.add("lab", "webpki")
    before_lab, before_hospital = w.net + ".100", w.net + ".101"
    hospital, lab = w.start({"lab": before_lab, "hospital": before_hospital})
    cert = w.authority.issue("attacker.example")
    asked, heard = Meddler(before_lab, w.port, cert, (lab.address, w.port)), Listener(before_hospital, w.port, cert, (hospital.address, w.port))
    try:
        sent(hospital, lab, "first")
        held = trusted(hospital, lab)["trusted"]
        sent(lab, hospital, "answer")
        lab.postern("partner", "add", hospital.domain, "--treatment", "sign", "--strength", "require")
        os.mkdir(top + "/thief")
        thief = Peer(top + "/thief", lab.domain)
        thief.serial = held["serial"]
        content = json.dumps({**json.loads(thief.content()), "signer": json.loads(Signed(base64.b64decode(lab.shown()["statement"]["der"])).content)["signer"]}).encode()
        whole, a, b = thief.sign(content), "anna@" + lab.domain, "bob@" + hospital.domain
        certs = base64.encodebytes(whole).replace(b"\n", b"\r\n")
        forms = (("json", b"Content-Type: application/json\r\n\r\n" + content + b"\r\n"),
                 ("bare", b"\r\n" + content + b"\r\n"),
                 ("certificates", b'Content-Type: application/pkcs7-mime; smime-type=certs-only; name="smime.p7c"\r\nContent-Transfer-Encoding: base64\r\n\r\n' + certs),
                 ("statement", b'Content-Type: application/cms; name="statement"\r\nContent-Transfer-Encoding: base64\r\n\r\n' + certs))
        for n, (name, part) in enumerate(forms):
            heard.said = b""
            lab.postern("partner", "release", hospital.domain)  # what came was encrypted
            mail = f"From: {a}\r\nTo: {b}\r\nSubject: {name}\r\nMessage-ID: <{name}@test>\r\nDate: Sun, 22 Nov 2026 08:00:00 +0100\r\nMIME-Version: 1.0\r\n".encode() + part
            code, text = send(lab.inside, a, b, mail)
            assert code == 250, (name, code, text)
            hospital.sink.by_subject(name, 40)
            made = signed_of(heard.said)
            assert der(thief.key.cert) not in made  # it is the gateway's signature
            asked.cut()
            clock.forward(3700)
            asked.get, before, mark = (lambda domain, made=made: get_reply(made, "A" * 43)), len(asked.met), len(hospital.log().encode())
            tries = [0]

            def once():
                tries[0] += 1
                sent(hospital, lab, f"after {name} {tries[0]}")
                return len(asked.met) > before
            wait_for("it to be handed out", 30, once)
            hospital.wait_log(r'statement of=lab\.example from=\S+ result=refused .*why="type:', 20, mark)
            asked.get = None
            got = hospital.partner(lab)
            assert got["state"] == "trusted" and got["trusted"]["id"] == held["id"], got
        assert not hospital.cli("pending")["statements"] and not lab.cli("pending")["statements"]
        sent(hospital, lab, "at the end")
    finally:
        w.stop()
        asked.close()
        heard.close()
