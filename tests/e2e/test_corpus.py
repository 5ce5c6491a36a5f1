"""Every message of the corpus (tests/data/mail) through two gateways: sealed, signed and in the clear. What arrives is what was sent after the one canonicalisation that docs/ADMIN.md
describes; what is refused or marked is listed here with the reason, and nothing else may be."""
import os
import re
import sys
import threading

from gateway import ROOT, wait_for
from mail import Talk, pair, solo
from smime import Identity

sys.path.append(os.path.join(ROOT, "tests", "data", "mail"))
import corpus  # noqa: E402
import corpus_compare as compare  # noqa: E402

DOMAIN = {"seal": "lab.example", "sign": "sign.lab.example", "clear": "clear.lab.example", "rfc9788": "rfc9788.lab.example", "message": "message.lab.example"}
SEALED = ("seal", "rfc9788", "message")

MALFORMED = "554 5.6.0 The header of the message or of a part is malformed: "
STRUCTURE = "554 5.6.0 The MIME structure is malformed: "
LINE_END = "550 5.5.2 The message has a CR or LF that is not part of a CRLF; every line must end with CRLF (RFC 5321 2.3.8)."
LINE = "554 5.6.0 A line of the message is longer than the 65536 octets accepted here."
FIELD = "554 5.6.0 A MIME field cannot be read: "
SEVEN = "554 5.6.3 The message cannot be put into 7-bit form: "

# What the first gateway refuses whatever the treatment: two readers would see two messages, or a declared limit. The reply, word for word.
REFUSED = {
    "line-70000": LINE, "line-70000-eight-bit": LINE, "field-over-the-limit": LINE,
    "cte-twice": STRUCTURE + "Content-Transfer-Encoding stands twice in one header.",
    "type-twice": STRUCTURE + "Content-Type stands twice in one header.",
    "boundary-twice-different": FIELD + "the parameter boundary stands there twice with different values.",
    "type-40-parameters": FIELD + "it has more than 32 parameters.",
    "type-quoted-never-closed": FIELD + "a quotation mark is not closed, or a control character stands in a value.",
    "fields-1100": "554 5.6.0 The header of the message or of a part has more than 1000 fields.",
    "field-blank-before-colon": MALFORMED + "a field name has a blank or another forbidden character in it.",
    "field-mbox-from": MALFORMED + "a field name has a blank or another forbidden character in it.",
    "field-none": MALFORMED + "a line is neither a field nor the continuation of one.",
    "begins-with-continuation": MALFORMED + "it begins with a continuation line.",
    "field-nul": MALFORMED + "it has a NUL.",
    "received-too-many": "554 5.4.6 The message has more than 50 Received fields: it goes round in a circle.",
    "lf-only": LINE_END, "lf-mixed": LINE_END, "cr-only": LINE_END, "cr-cr-lf": LINE_END, "lf-in-header": LINE_END, "lf-dot-lf": LINE_END,
}
# What cannot be put into 7 bits, which signing in the clear demands: nobody knows what the octets of an unknown encoding mean, nor where the parts of a broken multipart
# end, and what somebody else signed is not touched.
REFUSED_SIGN = {
    "cte-unknown-eight-bit": SEVEN + "a part has an unknown Content-Transfer-Encoding and is not 7-bit.",
    "close-missing-eight-bit": STRUCTURE + "a multipart is not closed by its boundary.",
    "part-header-malformed-eight-bit": MALFORMED + "a field name has a blank or another forbidden character in it.",
    "pgp-mime-signed-eight-bit": SEVEN + "a part of it is signed and has 8-bit text or overlong lines.",
}
# What the second gateway keeps after it opened it (ADMIN.md, "Incoming mail"): a structure made to exhaust its readers; a layer for a key it does not have; something encrypted beside
# what is not. What the reason says.
HELD = {
    "parts-1100": "encrypted, and opened: the message has more than 1000 MIME parts",
    "smime-sealed-and-forwarded": "part 2 is encrypted and stands inside a multipart, beside what anybody can write there",
    "smime-sealed-for-a-person": "encrypted for us, but it cannot be opened: inside lies a layer that is encrypted for a certificate that is not ours",
}
# Sent without an envelope of ours, it is refused by the second gateway (foreign-encrypted, encrypted-part = refuse), and the sender is told by a notice.
RETURNED = {"smime-sealed-for-a-person", "smime-sealed-and-forwarded"}
# Delivered, but the signature is not believed, because it must be the author's: there is none, there are two, or the author is somebody for whom hospital.example cannot speak.
BROKEN = {
    "from-two-addresses": "the field From cannot be read: it has more than one address",
    "from-twice": "the message has 2 From fields where at most one may stand",
    "from-empty": "the field From cannot be read: an address is missing",
    "from-group": "the field From cannot be read: it has a group where one mailbox must stand",
    "from-missing": "the message has no From field",
    "from-display-name-trick": "the name beside the author's address shows another one (director@hospital.example): the author is ward7@hospital.example",
}
UNTRUSTED = {"from-other-domain"}
# The author's own signature decides the verdict, being the innermost, and nobody believes it here: the clear form stays on, the opaque one must be opened to be read.
OWN_SIGNATURE = {"smime-clear-signed", "smime-opaque-signed"}
# A part has a signature, what stands beside it has none: said of mail that has no other.
PARTLY = {"smime-signed-and-forwarded"}


def refusal(name, treatment):
    return REFUSED.get(name) or (REFUSED_SIGN.get(name) if treatment == "sign" else None)


def verdict(name, treatment):
    if name in OWN_SIGNATURE and treatment != "message":
        return "untrusted"
    if treatment == "clear":
        return "partly-signed" if name in PARTLY else "clear"
    if name in BROKEN:
        return "broken"
    return "untrusted" if name in UNTRUSTED else "signed" if treatment == "sign" else "sealed"


def every_way(top):
    """hospital.example seals to three domains of the laboratory (header fields as they are, and protected in two ways), signs to another, and sends in the clear to the last."""
    hospital, lab, hs, ls = pair(top, trust=False)
    ls.offers = (*ls.offers, "SMTPUTF8")
    lab.sections = "".join(f'domain "{d}" {{\n inside-server = "{ls.address}"\n recipients = any\n sealed-unsigned = mark\n}}\n' for d in DOMAIN.values() if d != lab.domain)
    lab.domain_settings = "recipients = any\n sealed-unsigned = mark"
    lab.settings += "\nopen-failures-max = 100\n"  # some of them cannot be opened, and what comes behind must be all the same
    lab.write_conf()
    lab.stop()
    lab.start()
    hospital.trust(lab, "--treatment", "seal", "--strength", "require")
    hospital.postern("partner", "add", DOMAIN["sign"], "--treatment", "sign", "--strength", "require")
    hospital.postern("partner", "add", DOMAIN["clear"], "--treatment", "clear", "--strength", "never")
    for wrap in ("rfc9788", "message"):
        hospital.postern("partner", "add", DOMAIN[wrap], "--treatment", "seal", "--strength", "require", "--format", "wrap=" + wrap)
        path = os.path.join(top, wrap + ".pem")
        with open(path, "w") as f:
            f.write(next(k["pem"] for k in lab.cli("domain", "add", DOMAIN[wrap], "--self-signed")["keys"] if k["use"] == "decrypt"))
        hospital.postern("cert", "import", path, "--for", DOMAIN[wrap], "--pin", "--yes")
    lab.trust(hospital, "--treatment", "seal", "--strength", "require")
    return hospital, lab, hs, ls


def hand_in(port, cases, domain, replies):
    """All of them over one session; replies[name]: the reply that ended the transaction."""
    t = Talk(port, timeout=60)
    t.ask("EHLO ward7.hospital.example")
    for c in cases:
        got = t.ask(f"MAIL FROM:<{c.sender}>" + "".join(" " + o for o in c.options or ()))
        if got.startswith("250"):
            got = t.ask(f"RCPT TO:<{c.name}@{domain}>")
        if got.startswith("250"):
            assert t.ask("DATA").startswith("354")
            body = re.sub(rb"(^|\r\n)\.", rb"\1..", c.data)
            got = t.ask(body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        replies[c.name] = got
        if not got.startswith("250"):
            t.ask("RSET")
    t.close()


def arrives(name, treatment):
    """A layer inside a message that is wrapped whole is for its reader to open, like any attached message."""
    if treatment == "message" and name == "smime-sealed-for-a-person":
        return True
    return name not in (HELD if treatment in SEALED else RETURNED)


def faults_of(case, treatment, reply, mail):
    """Sentences on what is not as it must be."""
    refused = refusal(case.name, treatment)
    if refused:
        return [] if reply == refused and mail is None else [f"was to be refused: {refused}; was answered: {reply}"]
    if not reply.startswith("250 "):
        return [f"was refused: {reply}"]
    if not arrives(case.name, treatment):
        return [] if mail is None else ["was delivered"]
    if mail is None:
        return ["did not arrive"]
    want, got = verdict(case.name, treatment), mail.field("X-Postern-Verdict")
    out = [] if got == want else [f"verdict {got}, not {want}: {mail.field('X-Postern-Reason')}"]
    if treatment != "clear" and case.name in BROKEN and BROKEN[case.name] not in mail.field("X-Postern-Reason"):
        out.append(f"reason {mail.field('X-Postern-Reason')}")
    opened = case.name == "smime-opaque-signed" and treatment != "message"
    why = compare.differs(corpus.signed_inside(case) if opened else case, treatment, mail.data, opened, want in ("sealed", "signed", "clear"))
    return out + ([why] if why else [])


def expected_at_sink(cases, replies):
    return {f"{c.name}@{DOMAIN[t]}" for t in DOMAIN for c in cases
            if replies[t][c.name].startswith("250 ") and arrives(c.name, t)}


def test_corpus(top):
    hospital, lab, hs, ls = every_way(top)
    cases = corpus.cases()
    assert len(cases) >= 200
    replies = {t: {} for t in DOMAIN}
    threads = [threading.Thread(target=hand_in, args=(hospital.inside, cases, DOMAIN[t], replies[t])) for t in DOMAIN]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    want = expected_at_sink(cases, replies)
    try:
        ls.wait(len(want), 30, lambda m: m.rcpts[0] in want)
    except AssertionError:
        pass  # each that is missing is named below
    came = {m.rcpts[0]: m for m in ls.mails}
    faults = [f"{t} {c.name}: {f}" for t in DOMAIN for c in cases for f in faults_of(c, t, replies[t][c.name], came.get(f"{c.name}@{DOMAIN[t]}"))]
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults)
    assert len(ls.mails) == len(came), "a message arrived twice"

    def held():
        return {m["recipients"][0]["address"].split("@")[0]: m["recipients"][0]["reason"] for m in lab.queue(state="held") if m["recipients"][0]["address"].endswith("@" + DOMAIN["seal"])}
    wait_for("those that are held", 30, lambda: len(held()) >= len(HELD))  # what is held may come to its end behind what is delivered
    assert held().keys() == HELD.keys() and all(why in held()[n] for n, why in HELD.items()), held()
    for n in RETURNED:
        hs.wait(1, 20, lambda m: m.field("Auto-Submitted") and f"{n}@{DOMAIN['clear']}".encode() in m.data)


def deliver(gw, name, rcpt):
    replies = {}
    case = next(c for c in corpus.cases() if c.name == name)
    hand_in(gw.inside, [case], rcpt.split("@")[1], replies)
    assert replies[name].startswith("250 "), replies


def test_invitations(top):
    """Programs that read calendars understand no S/MIME in Outlook's way: what a rule exempts, and nothing more, goes unprotected; signed alone, it is signed opaque."""
    gw, _, outside = solo(top)
    gw.postern("cert", "import", Identity(top, "lab", "DNS:lab.example").cert, "--for", "lab.example", "--pin", "--yes")
    gw.postern("partner", "add", "lab.example", "--treatment", "seal", "--strength", "require")
    gw.postern("partner", "add", "sign.lab.example", "--treatment", "sign", "--strength", "require")

    def kind_of(name, domain):
        deliver(gw, name, "x@" + domain)
        return outside.wait(1, 20, lambda m: m.rcpts == [f"{name}@{domain}"])[0].field("Content-Type")
    assert "enveloped-data" in kind_of("invitation", "lab.example")
    for name, want in (("invitation-outlook", "smime-type=signed-data"), ("tnef-alone", "smime-type=signed-data"), ("plain", "multipart/signed")):
        assert want in kind_of(name, "sign.lab.example"), name
    gw.postern("rule", "add", "plans", "--recipient", "*@lab.example", "--treatment", "seal", "--strength", "require", "--exempt", "calendar")
    gw.postern("rule", "add", "signed plans", "--recipient", "*@sign.lab.example", "--treatment", "sign", "--strength", "require", "--exempt", "calendar,auto-reply")
    assert gw.cli("rule", "list")["rules"][1]["exempt"] == "calendar,auto-reply"
    for name, domain, want in (("invitation-alone", "lab.example", "text/calendar"), ("invitation-with-ics-attached", "lab.example", "multipart/mixed"),
                               ("invitation-with-report-attached", "lab.example", "enveloped-data"), ("tnef", "lab.example", "enveloped-data"),
                               ("auto-reply", "lab.example", "enveloped-data"), ("calendar-without-method", "sign.lab.example", "multipart/signed"),
                               ("invitation-cancel", "sign.lab.example", "multipart/alternative")):
        assert want in kind_of(name, domain), name
    gw.wait_log("invitation-alone@lab.example.*it is a calendar invitation, which the rule exempts")
