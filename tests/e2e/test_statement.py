"""Partners that introduce themselves: real nsd, a real HTTPS server, statements made by openssl. Judged by whom the mail is sealed for, not by what we say of it."""
import os
import time

from finding import Ca
from gateway import wait_for
from mail import message, quick, send, solo
from nexthop import Authority, Nsd
from partners import PRIVATE, US
from smime import entity, seal, with_header
from statements import Peer, StatementServer, spki


class World:
    def __init__(self, top):
        self.top, self.nsd, self.authority = top, Nsd(top), Authority(top)
        self.web, self.peers, self.sent = StatementServer(self.authority), {}, {}

    def peer(self, domain, signed=False, path=None, key=True, ca=None, **statement):
        """A domain with its record _smg and the statement where it leads."""
        p = self.peers[domain] = Peer(self.top, domain, ca)
        self.nsd.zone(domain, p.records(self.web.address, path, key), signed)
        self.web.put(domain, p.statement(**statement))
        return p

    def start(self, statements="", settings=""):
        self.nsd.start()
        self.gw, self.inside, self.outside = solo(self.top, settings=f'tls-ca-file = "{self.authority.cert}"\n{settings}',
                                        sections=self.nsd.settings() + PRIVATE + f"find {{\n tiers = {{store, smg}}\n timeout = 8s\n}}\npartner-statements {{\n {statements}\n}}\n")
        return self.gw

    def stop(self):
        self.gw.stop()
        self.nsd.stop()
        self.web.stop()

    def mail(self, domain, want):
        """want: the identity that alone can open it, "clear", or (code, word, ...)."""
        address = "bob@" + domain
        code, text = send(self.gw.inside, US, address, message(US, address, "to " + domain))
        if isinstance(want, tuple):
            assert code == want[0], f"{domain}: wanted {want}: {code} {text}"
            for word in want[1:]:
                assert word in text, f"{domain}: {word!r} is not in: {code} {text}"
            return text
        assert code == 250, f"{domain}: {code} {text}\n{self.gw.log()[-3000:]}"
        self.sent[address] = self.sent.get(address, 0) + 1
        mail = self.outside.wait(self.sent[address], 30, lambda m: m.rcpts == [address])[-1]
        if want == "clear":
            assert b"hello" in mail.body, mail.data[:1000]
            return mail
        assert b"hello" not in mail.body, mail.data[:1000]
        assert want.open(mail.data), f"{domain}: not sealed for the one it should be"
        others = [i for p in self.peers.values() for i in (p.mail,) if i is not want]
        assert not any(i.open(mail.data) for i in others)
        return mail

    def shown(self, domain):
        return self.gw.cli("partner", "show", domain)["statement"]

    def fetch(self, domain):
        """Answers are dated in seconds, by a clock that may lag by some milliseconds, and one of this second is not asked for again."""
        then = int(time.time()) + 1.05
        wait_for("the next second", 5, lambda: time.time() > then, every=0.02)
        self.gw.postern("partner", "fetch", domain)

    def fetched(self, domain, state):
        """Has it fetched again, and waits for what became of it."""
        self.fetch(domain)
        return wait_for(f"{domain} to be {state}", 20, lambda: (lambda s: s if s and s["state"] == state else None)(self.shown(domain)), every=0.2)


@quick
def test_first_message(top):
    """Nothing is known of these domains but their records: the first message is sealed where something speaks for the key, and waits where nothing does."""
    w = World(top)
    ca = Ca(top, "health")
    dnssec = w.peer("dnssec.example", signed=True)
    webpki = w.peer("webpki.example", key=False)
    anchored = w.peer("anchored.example", ca=ca, path="/s")
    w.peer("unknown.example", path="/elsewhere")
    w.peer("lost.example", path="/elsewhere")
    w.peer("wrongkey.example", signed=True, path="/elsewhere", key=False)
    w.peer("expired.example", issued=time.time() - 9 * 86400)
    w.peer("future.example", issued=time.time() + 600, serial=int(time.time() * 1000) + 600000)
    w.peer("other.example")
    w.web.put("other.example", webpki.statement())
    w.peer("gone.example")
    w.web.put("gone.example", b"", 503)
    w.nsd.zone("none.example", [])
    gw = w.start()
    gw.postern("anchor", "add", ca.cert, "--scope", "anchored.example", "--yes")
    for domain, want, level in (("dnssec.example", dnssec.mail, "dnssec"), ("webpki.example", webpki.mail, "webpki"), ("anchored.example", anchored.mail, "anchored")):
        w.mail(domain, want)
        got = w.shown(domain)
        assert got["state"] == "trusted" and got["established"] == level, got
        asked = w.web.asked_for(domain)
        w.mail(domain, want)
        assert w.web.asked_for(domain) == asked, "the second message fetched it again"
    assert "cipher=aes-256-gcm" in w.shown("webpki.example")["reads"], w.shown("webpki.example")
    assert "what the trusted statement of its gateway says" in gw.postern("explain", US, "bob@webpki.example")[1]
    # AES-256-GCM, because the statement says that it is read
    assert b"authEnveloped-data" in w.mail("webpki.example", webpki.mail).data
    for domain, words in (("unknown.example", ("waits for your decision", "postern pending")), ("wrongkey.example", ("waits for your decision",)), ("expired.example", ("expires",)),
                          ("future.example", ("later",)), ("other.example", ("domain",)), ("gone.example", ("503",))):
        w.mail(domain, (451, "statement" if domain != "gone.example" else "smg.gone", *words))
    w.mail("none.example", "clear")
    # what the admin compares, and what he decides; the mail that waits goes then
    waiting = {s["domain"]: s for s in gw.cli("pending")["statements"]}
    assert set(waiting) == {"unknown.example", "wrongkey.example"}, waiting
    unknown = w.peers["unknown.example"]
    assert waiting["unknown.example"]["waiting"]["key"] == spki(unknown.key).hex()
    assert waiting["unknown.example"]["waiting"]["key_fingerprint"].replace(" ", "").lower() == spki(unknown.key).hex()
    text = gw.postern("pending")[1]
    assert "nothing speaks for its statement key" in text and "unknown.example" in text, text
    code, _, err = gw.postern("approve", "unknown.example", "--channel", "phone", "--reason", "compared", "--fingerprint", "00" * 32, check=False)
    assert code != 0 and "another fingerprint" in err, err
    assert gw.postern("approve", "unknown.example", check=False)[0] != 0
    gw.postern("approve", "unknown.example", "--channel", "phone", "--reason", "compared with Ms Weber", "--fingerprint", spki(unknown.key).hex())
    w.mail("unknown.example", unknown.mail)
    gw.postern("refuse", "wrongkey.example", "--channel", "letter", "--reason", "not theirs")
    w.mail("wrongkey.example", "clear")
    audit = "\n".join(f"{r['what']} {r['subject']} {r['detail']}" for r in gw.cli("audit", "list", "--max", "100")["rows"])
    for words in ("statement.trust dnssec.example by dnssec", "statement.trust webpki.example by webpki", "statement.pending unknown.example", "statement.approve unknown.example",
                  "compared with Ms Weber", "statement.refuse wrongkey.example"):
        assert words in audit, f"{words!r} is not in the audit log:\n{audit}"
    gw.postern("audit", "verify")
    w.stop()


def test_changes(top):
    """What comes after the first one: new certificates, new keys, thieves, two of one serial, withdrawal."""
    w = World(top)
    one = w.peer("webpki.example", key=False)
    signed = w.peer("dnssec.example", signed=True)
    stop = w.peer("stop.example", key=False)
    w.peer("late.example", path="/elsewhere")
    gw = w.start()
    for p in (one, signed, stop):
        w.mail(p.domain, p.mail)
    # another certificate for mail, by the same statement key
    old, one.mail = one.mail, one.identity("mail")
    w.web.put(one.domain, one.statement())
    w.fetch(one.domain)
    wait_for("the newer statement", 20, lambda: w.shown(one.domain)["trusted"]["serial"] == one.serial, every=0.2)
    w.mail(one.domain, one.mail)
    # a thief with the web server of a partner who is trusted by his signed zone: nothing changes, and the admin hears of it
    os.mkdir(os.path.join(top, "thief"))
    thief = Peer(os.path.join(top, "thief"), signed.domain)
    thief.serial = signed.serial + 5000
    w.web.put(signed.domain, thief.statement())
    got = w.fetched(signed.domain, "pending")
    assert got["trusted"]["serial"] == signed.serial and "names other keys" in got["waiting"]["why"], got
    w.mail(signed.domain, signed.mail)
    gw.wait_log("alarm=statement-waits of=dnssec.example")
    # swapped certificate: the content no longer is what was signed
    good = signed.statement()
    w.web.put(signed.domain, good.replace(signed.domain.encode(), b"dnssec.exampel", 1))
    w.fetch(signed.domain)
    gw.wait_log("statement of=dnssec.example .*result=refused")
    w.mail(signed.domain, signed.mail)
    # two statements of one serial by the key itself: frozen until the admin decides
    w.web.put(one.domain, one.statement(serial=one.serial, mail=[("both", old)]))
    got = w.fetched(one.domain, "frozen")
    w.mail(one.domain, (451, "frozen"))
    gw.wait_log("alarm=statement-frozen of=webpki.example")
    gw.postern("refuse", one.domain, "--channel", "phone", "--reason", "a test machine of theirs")
    w.mail(one.domain, one.mail)
    # a key that was not announced is no continuity, though its web server speaks for it: webpki, as before
    new = one.identity("statement")
    before, one.key = one.key, new
    w.web.put(one.domain, one.statement(new, before))
    w.fetch(one.domain)
    wait_for("the new key", 20, lambda: w.shown(one.domain)["trusted"]["key"] == spki(new).hex(), every=0.2)
    # the old key signs again: a thief, or an old state
    w.web.put(one.domain, one.sign(one.content(key=before), before))
    w.fetched(one.domain, "frozen")
    w.mail(one.domain, (451, "frozen"))
    gw.postern("partner", "compromised", one.domain, "--channel", "phone", "--reason", "stolen", "--fingerprint", spki(before).hex())
    assert w.shown(one.domain)["state"] == "trusted", w.shown(one.domain)
    w.mail(one.domain, one.mail)
    w.fetch(one.domain)
    gw.wait_log("result=refused .*(compromised|refused its statement key)")
    w.mail(one.domain, one.mail)
    # the present key is in other hands: nothing is believed, and mail waits
    gw.postern("partner", "compromised", signed.domain, "--channel", "phone", "--reason", "stolen")
    w.mail(signed.domain, (451, "cannot be told now"))
    # a withdrawal releases
    w.web.put(stop.domain, stop.statement(status="withdrawn"))
    w.fetched(stop.domain, "withdrawn")
    w.mail(stop.domain, "clear")
    w.stop()


def test_accept_and_expiry(top):
    """first-contact = accept takes what nothing speaks for; strict-expiry puts mail off once the statement ran out."""
    w = World(top)
    p = w.peer("first.example", path="/elsewhere", issued=time.time() - 7 * 86400 + 16)
    w.start("first-contact = accept\n strict-expiry = yes")
    w.mail(p.domain, p.mail)
    assert w.shown(p.domain)["established"] == "first-contact"
    wait_for("it to run out", 60, lambda: w.shown(p.domain)["state"] == "expired", every=0.5)
    w.mail(p.domain, (451, "strict-expiry"))
    w.stop()


def test_held_until_decided(top):
    """Incoming mail of a partner whose statement waits is held, and delivered by itself once the admin has approved it; its signature is believed from then on."""
    w = World(top)
    p = w.peer("lab.example", path="/elsewhere")
    gw = w.start()
    w.mail(p.domain, (451, "waits for your decision"))
    sender, cert = "bob@" + p.domain, next(f for f in gw.files if f.endswith("decrypt.pem"))

    def write(subject):
        mail = with_header(seal(cert, p.mail.sign(entity("hello from the laboratory\r\n"))), sender, US, subject)
        assert send(gw.outside, sender, US, mail)[0] == 250
    write("before")
    held = wait_for("it to be held", 20, lambda: gw.queue(state="held"))
    assert len(held) == 1 and not w.inside.mails, held
    gw.postern("approve", p.domain, "--channel", "phone", "--reason", "compared", "--pin")
    got = w.inside.wait(1, 30)[0]
    assert b"hello from the laboratory" in got.data and b"X-Postern-Verdict: sealed" in got.data, got.data[:1500]
    assert w.shown(p.domain)["established"] == "pinned"
    write("after")
    w.inside.wait(2, 30)
    w.mail(p.domain, p.mail)
    w.stop()
