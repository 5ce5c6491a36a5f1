"""P10, with an attacker's script: of what is wrong inside an encryption nothing shows outside, in no code, text, time, bounce or notice.

The attacker takes a good sealed message apart (a small DER reader below), spoils it in every way that needs no private key, and sends the pieces in random order
between good mail of the same size. What is compared: the replies without the queue id, and how long the 250 took.
"""
import base64
import os
import random
import re
import time
import zlib

from gateway import wait_for
from mail import Talk, quick, solo
from smime import Identity, crlf, entity, openssl, seal, with_header

US, THEM = "a@hospital.example", "b@partner.example"
HIGH = "open-failures-max = 1000000"


# ---- taking messages apart ----

class Der:
    """One element: tag, octets of its content, children when constructed. Definite lengths only."""
    def __init__(self, octets, at=0):
        self.tag = octets[at]
        n, at = octets[at + 1], at + 2
        if n >= 128:
            k = n & 127
            n, at = int.from_bytes(octets[at:at + k], "big"), at + k
        self.content, self.end, self.kids = octets[at:at + n], at + n, []
        if self.tag & 0x20:
            p = 0
            while p < n:
                kid = Der(self.content, p)
                self.kids.append(kid)
                p = kid.end

    def octets(self):
        body = b"".join(k.octets() for k in self.kids) if self.kids else self.content
        n = len(body)
        if n < 128:
            return bytes([self.tag, n]) + body
        size = n.to_bytes((n.bit_length() + 7) // 8, "big")
        return bytes([self.tag, 128 | len(size)]) + size + body


class Envelope:
    """An EnvelopedData or AuthEnvelopedData of one recipient (RSA)."""
    def __init__(self, der):
        self.top = Der(der)
        inner = self.top.kids[1].kids[0]
        self.key = inner.kids[1].kids[0].kids[3]  # encryptedKey
        self.content = inner.kids[2].kids[2]  # encryptedContent
        self.mac = inner.kids[3] if len(inner.kids) > 3 else None
        assert self.key.tag == 0x04 and len(self.key.content) == 256 and not self.content.kids

    def octets(self):
        return self.top.octets()


def flip(element, at, bit=1):
    b = bytearray(element.content)
    b[at] ^= bit
    element.content = bytes(b)


def public(cert):
    """(n, e) of an RSA certificate."""
    pem = openssl("x509", "-in", cert, "-noout", "-pubkey")
    text = openssl("pkey", "-pubin", "-noout", "-text", data=pem).decode()
    n = re.search(r"Modulus:\n((?:\s+[0-9a-f:]+\n)+)", text).group(1)
    return int(re.sub(r"[\s:]", "", n), 16), int(re.search(r"Exponent: (\d+)", text).group(1))


def raw(cert, block):
    """RSA without any padding: what an attacker makes with nothing but the certificate."""
    n, e = public(cert)
    return pow(int.from_bytes(block, "big"), e, n).to_bytes(256, "big")


def padded(key, kind=b"\x00\x02", separator=b"\x00", fill=b"\xaa"):
    return kind + fill * (256 - len(kind) - len(separator) - len(key)) + separator + key


def enveloped(cert, content, *options):
    return openssl("cms", "-encrypt", "-binary", "-outform", "DER", *(options or ("-aes-256-cbc",)), "-recip", cert, data=content)


def smime(der, kind="enveloped-data"):
    """As a message's MIME entity."""
    b64 = base64.encodebytes(der).replace(b"\n", b"\r\n")
    return f'MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type={kind}; name="smime.p7m"\r\nContent-Transfer-Encoding: base64\r\n\r\n'.encode() + b64


def sign(who, content):
    return crlf(openssl("cms", "-sign", "-binary", "-signer", who.cert, "-inkey", who.key, "-md", "sha256", "-nodetach", data=content))


def filled(us, them, size):
    """A good sealed message whose DER is as long as another's, to the block."""
    n = 100
    for _ in range(3):
        der = enveloped(us, sign(them, entity(text(n))))
        n = max(1, n + (size - len(der)) * 3 // 4)
    return enveloped(us, sign(them, entity(text(n))))


def text(n):
    line = b"0123456789 abcdefghijklmnopqrstuvwxyz 0123456789 abcdefghijklm\r\n"
    return (line * (n // len(line) + 1))[:n - 2] + b"\r\n"


# ---- the variants ----

def variants(top, us, them):
    """name -> (a message spoilt inside, a good one of its size, words of the reason it is held with)."""
    content = sign(them, entity(text(2000)))
    good = enveloped(us, content)
    gcm = enveloped(us, content, "-aes-256-gcm")
    stranger = Identity(top, "stranger", "DNS:hospital.example")
    unopened, unread = "encrypted for us, but it cannot be opened", "encrypted, and opened, but a layer inside cannot be read"
    out = {}

    def spoil(name, change, der=good, words=unopened):
        e = Envelope(der)
        change(e)
        assert len(e.octets()) == len(der) and e.octets() != der, name
        out[name] = (e.octets(), der, words)

    def key(octets):
        def change(e):
            e.key.content = octets
        return change
    assert Envelope(good).octets() == good and Envelope(gcm).octets() == gcm
    spoil("first block of the content", lambda e: flip(e.content, 3))
    spoil("middle of the content", lambda e: flip(e.content, len(e.content.content) // 2), words=unread)
    spoil("last block of the content", lambda e: flip(e.content, -1), words=(unopened, unread))  # one time in 256 what comes out ends in good padding
    spoil("block before the last", lambda e: flip(e.content, -17))
    spoil("encrypted key", lambda e: flip(e.key, 100))
    spoil("content key for somebody else", key(Envelope(enveloped(stranger.cert, content)).key.content))
    spoil("key padding 00 01", key(raw(us, padded(os.urandom(32), b"\x00\x01"))))
    spoil("key padding 01 02", key(raw(us, b"\x01" + padded(os.urandom(32))[1:])))
    spoil("key padding without end", key(raw(us, b"\x00\x02" + b"\xbb" * 254)))
    spoil("key too short", key(raw(us, padded(os.urandom(16)))))
    spoil("key too long", key(raw(us, padded(os.urandom(33)))))
    spoil("key empty", key(raw(us, padded(b""))))
    spoil("another key, well padded", key(raw(us, padded(os.urandom(32)))))
    spoil("tag", lambda e: flip(e.mac, 3), gcm)
    spoil("content under a tag", lambda e: flip(e.content, 30), gcm)

    def inside(name, octets, words):
        der = enveloped(us, octets)
        out[name] = (der, filled(us, them, len(der)), words)
    inside("garbage inside", os.urandom(3000), unopened)
    inside("cut inside", content[:len(content) // 2], unread)
    head, body = content.split(b"\r\n\r\n", 1)
    changed = base64.b64decode(body).replace(b"abcdefgh", b"abcdefgH", 1)
    inside("changed under the signature", head + b"\r\n\r\n" + base64.encodebytes(changed).replace(b"\n", b"\r\n"), "encrypted, but the signature is not valid")
    inside("signed by a stranger", sign(stranger, entity(text(2000))), "encrypted, signed by someone not trusted")
    inside("not signed", entity(text(4000)), "encrypted, but not signed")
    inside("forbidden cipher inside", seal(us, content, "-des3"), unread)
    inside("sealed for somebody else inside", seal(stranger.cert, content), "certificate that is not ours")
    return out


def bomb(us, them, signed):
    """10,000 multiparts in each other, inside the encryption."""
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(10000)) + b"\r\nx\r\n"
    der = enveloped(us, sign(them, deep) if signed else deep)
    return der, filled(us, them, len(der)), "encrypted, and opened: the MIME parts of the message are nested more than 50 deep"


# ---- the attacker ----

class Attacker:
    """Sends and measures: the replies to each command, and the time from the final dot to the answer."""
    def __init__(self, gw):
        self.gw, self.talk, self.sent, self.n = gw, None, {}, 0

    def send(self, name, der, sender=THEM):
        """der: CMS octets, or a whole MIME entity."""
        if self.talk is None:
            self.talk = Talk(self.gw.outside, timeout=90)
            self.talk.ask("EHLO attacker.test")
        self.n += 1
        data = with_header(smime(der) if der[:1] == b"\x30" else der, THEM, US, f"n{self.n:06d}")
        assert not re.search(rb"^\.", data, re.M)
        replies = [self.talk.ask(c) for c in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{US}>", "DATA")]
        self.talk.say(data)
        time.sleep(0.001)  # all of it is there before the clock starts
        began = time.perf_counter()
        replies.append(self.talk.ask(b".\r\n"))
        took = time.perf_counter() - began
        self.sent.setdefault(name, []).append((f"<n{self.n:06d}@test>", replies, took))

    def settle(self):
        """Nothing of the messages sent so far is still at work: the next measurement is not disturbed by them."""
        wait_for("the queue to come to rest", 60, lambda: (lambda q: q["queued"] + q["active"] == 0)(self.gw.cli("status")["relay"]["queue"]))

    def close(self):
        self.talk.ask("QUIT")
        self.talk.close()
        self.talk = None


def same(replies):
    """What an attacker sees of a transaction, without the queue id."""
    return [re.sub(r"queued as [0-9A-Z]{10}$", "queued as ID", r) for r in replies]


def advantage(a, b):
    """How well two sets of times can be told apart: |P(a later than b) - 1/2|, ties halved; 0 nothing, 0.5 always."""
    wins = sum((x > y) + 0.5 * (x == y) for x in a for y in b)
    return abs(wins / (len(a) * len(b)) - 0.5)


def look_alike(attacker, spoilt, good):
    """Codes and texts equal, times not to be told apart. n per set: the advantage of pure chance has a deviation of sqrt((2n+1)/12)/n."""
    a, b = attacker.sent[spoilt], attacker.sent[good]
    assert all(same(r) == same(b[0][1]) for _, r, _ in a + b), (spoilt, a[0][1], b[0][1])
    assert same(b[0][1])[-1] == "250 2.0.0 queued as ID", b[0][1]
    n = len(a)
    chance = ((2 * n + 1) / 12) ** 0.5 / n
    got = advantage([t for _, _, t in a], [t for _, _, t in b])
    median = lambda v: sorted(t for _, _, t in v)[n // 2]
    if got > 4.5 * chance:
        return f"{spoilt}: advantage {got:.2f} (chance {chance:.2f}), medians {median(a) * 1e3:.2f} and {median(b) * 1e3:.2f} ms"
    return None


def together(attacker, names):
    """All variants with a twin of exactly their size as one set each: sees differences too small for one variant alone."""
    attacker.sent["all spoilt"] = [x for n in names for x in attacker.sent[n]]
    attacker.sent["all good"] = [x for n in names for x in attacker.sent[n + " (good)"]]
    return look_alike(attacker, "all spoilt", "all good")


def attack(gw, cases, rounds):
    """Every variant and its good twin `rounds` times, in random order, so that drift of the machine hits both alike."""
    attacker = Attacker(gw)
    for der in [d for spoilt, good, _ in cases.values() for d in (spoilt, good)][:6]:
        attacker.send("warm", der)
    for _ in range(rounds):
        turn = [(n, d) for name, (spoilt, good, _) in cases.items() for n, d in ((name, spoilt), (name + " (good)", good))]
        random.shuffle(turn)
        for name, der in turn:
            attacker.send(name, der)
        attacker.settle()
    attacker.close()
    return attacker


def check_all(gw, attacker, cases, inside, outside):
    twins = [name for name, (spoilt, good, _) in cases.items() if len(spoilt) == len(good)]
    bad = [x for x in [look_alike(attacker, name, name + " (good)") for name in cases] + ([together(attacker, twins)] if len(twins) > 1 else []) if x]
    assert not bad, "\n".join(bad)
    # every spoilt one held with its reason, every good one delivered, nobody outside told anything
    queue = gw.queue(max=100000)
    held = {m["message_id"]: m for m in queue if m["state"] == "held"}
    arrived = {m.field("Message-ID") for m in inside.mails}
    for name, (_, _, words) in cases.items():
        words = (words,) if isinstance(words, str) else words
        for mid, _, _ in attacker.sent[name]:
            assert mid in held and any(x in held[mid]["recipients"][0]["reason"] for x in words), (name, held.get(mid))
            assert mid not in arrived, name
        for mid, _, _ in attacker.sent[name + " (good)"]:
            assert mid in arrived and mid not in held, name
        show = " ".join(gw.postern("queue", "show", held[attacker.sent[name][0][0]]["id"])[1].split())
        assert "State: held" in show and any(x in show for x in words), show
    assert outside.mails == [] and all(m.sender == THEM for m in inside.mails)


def house(top, settings=HIGH):
    gw, inside, outside = solo(top, settings=settings)
    them = Identity(top, "them", "DNS:partner.example")
    gw.postern("partner", "add", "partner.example", "--strength", "require")
    gw.postern("cert", "import", them.cert, "--for", "partner.example", "--pin", "--yes")
    return gw, inside, outside, them, os.path.join(gw.dir, "decrypt.pem")


def test_no_oracle(top):
    gw, inside, outside, them, us = house(top)
    cases = variants(top, us, them)
    attacker = attack(gw, cases, 36)
    check_all(gw, attacker, cases, inside, outside)


def test_no_oracle_bombs(top):
    gw, inside, outside, them, us = house(top)
    cases = {"bomb": bomb(us, them, False), "signed bomb": bomb(us, them, True)}
    attacker = attack(gw, cases, 24)
    check_all(gw, attacker, cases, inside, outside)


@quick
def test_the_measure(top):
    """The criterion itself: it finds a fifth of the time among noise and stragglers, and finds nothing where there is nothing."""
    dice = random.Random(1)

    def times(n, more):
        return [("<x@test>", ["250 2.0.0 queued as 0123456789"], (dice.lognormvariate(0, 0.15) + (dice.random() < 0.1) * dice.random() * 20) * 0.003 + more) for _ in range(n)]
    attacker = Attacker(None)
    for i in range(200):
        attacker.sent = {"spoilt": times(36, 0), "good": times(36, 0)}
        assert look_alike(attacker, "spoilt", "good") is None
    found = 0
    for i in range(50):
        attacker.sent = {"spoilt": times(36, 0.0012), "good": times(36, 0)}
        found += look_alike(attacker, "spoilt", "good") is not None
    assert found > 40, found
    attacker.sent = {"spoilt": times(24, 0.006), "good": times(24, 0)}
    assert alike(attacker, "spoilt", "good", "250") is not None
    attacker.sent = {"spoilt": times(24, 0), "good": times(24, 0)}
    assert alike(attacker, "spoilt", "good", "250") is None
    attacker.sent["good"][3][1][0] = "451 4.3.0 later"
    try:
        look_alike(attacker, "spoilt", "good")
    except AssertionError:
        return
    raise AssertionError("a different reply went unnoticed")


# ---- captured ciphertexts, wrapped anew ----

def element(tag, *parts):
    body = b"".join(parts)
    size = b"" if len(body) < 128 else len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 128 | len(size) if size else len(body)]) + size + body


def oid(*dotted):
    """The content of an OBJECT IDENTIFIER, of its numbers behind the first two."""
    out = bytes([42])
    for n in dotted:
        octets = [n & 127]
        while n >= 128:
            n >>= 7
            octets.append(128 | n & 127)
        out += bytes(reversed(octets))
    return element(0x06, out)


PKCS = (840, 113549, 1)


def compressed(content):
    """CompressedData (RFC 3274) around a MIME entity, as a MIME entity."""
    inside = element(0x30, oid(*PKCS, 7, 1), element(0xa0, element(0x04, zlib.compress(content))))
    data = element(0x30, element(0x02, b"\0"), element(0x30, oid(*PKCS, 9, 16, 3, 8)), inside)
    return smime(element(0x30, oid(*PKCS, 9, 16, 1, 9), element(0xa0, data)), "compressed-data")


def relabelled(der):
    """AuthEnvelopedData with GCM as EnvelopedData with CBC: the same key and octets, the tag left off."""
    top = Der(der)
    inner = top.kids[1].kids[0]
    info = inner.kids[2]
    octets = info.kids[2].content
    alg = element(0x30, element(0x06, bytes.fromhex("60864801650304012a")), element(0x04, octets[:16]))
    content = element(0x30, info.kids[0].octets(), alg, element(0x80, octets[:len(octets) // 16 * 16]))
    return element(0x30, oid(*PKCS, 7, 3), element(0xa0, element(0x30, inner.kids[0].octets(), inner.kids[1].octets(), content)))


def two_keys(der, bad_first):
    """Two RecipientInfos that name our certificate: one key good, one spoilt."""
    e, twin = Envelope(der), Envelope(der)
    flip(twin.key, 100)
    infos, other = e.top.kids[1].kids[0].kids[1], twin.top.kids[1].kids[0].kids[1].kids[0]
    infos.kids.insert(0 if bad_first else 1, other)
    return e.octets()


def multipart(subtype, *parts, params=""):
    body = b"".join(b"--edge\r\n" + p + b"\r\n" for p in parts) + b"--edge--\r\n"
    return f'MIME-Version: 1.0\r\nContent-Type: multipart/{subtype}; boundary="edge"{params}\r\n\r\n'.encode() + body


def html(octets):
    return b"Content-Type: text/html\r\n\r\n" + octets + b"\r\n"


def attached(entity_octets):
    return b"Content-Type: message/rfc822\r\n\r\n" + with_header(entity_octets, THEM, US, "inner")


def shapes(attacker_id):
    """name -> (how captured octets are wrapped, reverse-path, reply to the final dot)."""
    queued = "250 2.0.0 queued as ID"
    status = b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.partner.example\r\n\r\nFinal-Recipient: rfc822; x@partner.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    return {
        "as it came": (lambda d: smime(d), THEM, queued),
        "label of another kind": (lambda d: smime(d, "authEnveloped-data"), THEM, queued),
        "in a multipart/signed of his own": (lambda d: attacker_id.sign(smime(d), detached=True, extra=("-binary",)), THEM, queued),
        "in an opaque signature of his own": (lambda d: sign(attacker_id, smime(d)), THEM, queued),
        "compressed": (lambda d: compressed(smime(d)), THEM, queued),
        "in message/rfc822": (lambda d: b"MIME-Version: 1.0\r\n" + attached(smime(d)), THEM, queued),
        "as a returned message": (lambda d: multipart("report", b"Content-Type: text/plain\r\n\r\nreturned\r\n", status, attached(smime(d)), params="; report-type=delivery-status"), "", queued),
        "between parts of html": (lambda d: multipart("mixed", html(b'<img src="http://evil.example/'), smime(d), html(b'">')), THEM, "550 5.7.1"),
        "joined twice": (lambda d: multipart("mixed", smime(d), smime(d)), THEM, "550 5.7.1"),
    }


def alike(attacker, a, b, final):
    """Codes and texts the same; the medians of the times within a quarter or 3 ms, or no further apart than a busy machine puts them by chance."""
    seen, other = attacker.sent[a], attacker.sent[b]
    assert all(same(r) == same(other[0][1]) for _, r, _ in seen + other), (a, seen[0][1], other[0][1])
    assert same(other[0][1])[-1].startswith(final), (a, other[0][1])
    x, y = (sorted(t for _, _, t in v)[len(v) // 2] for v in (seen, other))
    n = len(seen)
    apart = advantage([t for _, _, t in seen], [t for _, _, t in other]) > 4 * ((2 * n + 1) / 12) ** 0.5 / n
    return f"{a}: medians {x * 1e3:.2f} and {y * 1e3:.2f} ms" if apart and abs(x - y) > max(0.25 * max(x, y), 0.003) else None


def test_replayed_and_wrapped_anew(top):
    """Whatever an attacker puts around a captured message or does to it, its answer is that of one spoilt inside; only structure that anybody can see is refused."""
    gw, inside, outside, them, us = house(top)
    evil = Identity(top, "evil", "DNS:evil.example")
    content, other = sign(them, entity(text(1500))), sign(them, entity(text(1500)))
    good, gcm = enveloped(us, content), enveloped(us, content, "-aes-256-gcm")
    spoilt = Envelope(good)
    flip(spoilt.content, -17)
    pairs = {name: (wrap(good), wrap(spoilt.octets()), sender, final) for name, (wrap, sender, final) in shapes(evil).items()}
    swapped, cbc = Envelope(good), relabelled(gcm)
    swapped.key.content = Envelope(enveloped(us, other)).key.content
    queued = "250 2.0.0 queued as ID"
    pairs["key of another message"] = (swapped.octets(), good, THEM, queued)
    pairs["two keys"] = (two_keys(good, True), two_keys(good, False), THEM, queued)
    pairs["GCM as CBC"] = (cbc, filled(us, them, len(cbc)), THEM, queued)
    attacker = Attacker(gw)
    for name, (a, b, sender, _) in pairs.items():
        attacker.send("warm", a, sender)
    for _ in range(24):
        turn = [(n, d, s) for name, (a, b, s, _) in pairs.items() for n, d, s in ((name, a, s), (name + " (other)", b, s))]
        random.shuffle(turn)
        for name, octets, sender in turn:
            attacker.send(name, octets, sender)
        attacker.settle()
    attacker.close()
    bad = [x for x in [alike(attacker, name, name + " (other)", p[3]) for name, p in pairs.items()] if x]
    assert not bad, "\n".join(bad)
    arrived = {m.field("Message-ID"): m for m in inside.mails}
    held = {m["message_id"]: m["recipients"][0]["reason"] for m in gw.queue(state="held", max=100000)}

    def fate(name):
        ids = [mid for mid, _, _ in attacker.sent[name]]
        return ["held" if m in held else arrived[m].field("X-Postern-Verdict") if m in arrived else "gone" for m in ids]
    for name in ("key of another message", "GCM as CBC", *(n + " (other)" for n in ("as it came", "in a multipart/signed of his own", "in an opaque signature of his own", "compressed"))):
        assert set(fate(name)) == {"held"}, (name, fate(name))
    # what he signs around it is neither the author's word nor a harm to it
    for name in ("as it came", "in a multipart/signed of his own", "in an opaque signature of his own", "compressed", "GCM as CBC (other)"):
        assert set(fate(name)) == {"sealed"}, (name, fate(name), [held.get(m) for m, _, _ in attacker.sent[name]][:1])
    for name in ("in message/rfc822", "as a returned message", "in message/rfc822 (other)"):
        assert set(fate(name)) == {"clear"}, (name, fate(name))
    for mid, _, _ in attacker.sent["in message/rfc822"]:
        assert b"0123456789 abcdefghij" not in arrived[mid].body
    for name in ("between parts of html", "joined twice"):
        assert set(fate(name)) == {"gone"}, (name, fate(name))
    assert outside.mails == []


def test_failures_limit(top):
    """After open-failures-max messages that could not be opened, the next of that client are held unopened, good ones too; released, they come."""
    gw, inside, outside, them, us = house(top, settings="")
    good = enveloped(us, sign(them, entity(text(500))))
    attacker = Attacker(gw)
    wraps = [w for w, s, final in shapes(Identity(top, "evil", "DNS:evil.example")).values() if s and final[0] == "2"]
    attacker.send("before", good)
    inside.by_subject("n000001")
    for i in range(5):
        e = Envelope(enveloped(us, sign(them, entity(text(500)))))
        flip(e.content, -17)
        attacker.send("bad", wraps[i](e.octets()))
        attacker.settle()
    attacker.send("after", good)
    attacker.settle()
    attacker.close()
    replies = {tuple(same(r)) for sent in attacker.sent.values() for _, r, _ in sent}
    assert len(replies) == 1, replies
    held = {m["message_id"]: m for m in gw.queue(state="held")}
    assert len(held) == 6
    for i in range(2, 7):
        assert "cannot be opened" in held[f"<n{i:06d}@test>"]["recipients"][0]["reason"]
    last = held["<n000007@test>"]
    assert last["recipients"][0]["reason"].startswith("held unopened: within an hour too many messages of this client"), last
    gw.postern("queue", "release", last["id"])
    mail = inside.by_subject("n000007")
    assert mail.field("X-Postern-Verdict") == "sealed" and mail.body == text(500)
    assert outside.mails == []
