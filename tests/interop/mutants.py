"""The faulty gateways of interop/mutants.md, each as what a proxy does on one or two of the ways of mail. Row: id -> (class, what the report must say of it); the case and the requirement stand
in mutants.md."""
import base64
import quopri
import re
import smtplib
import socket
import ssl
import time

import forge
from dns_proxy import BogusSignedRightly, srv_ports_replaced
from proxies import Mutant


def deliver(port, sender, rcpts, data):
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as s:
        s.sendmail(sender.decode() or "<>", [r.decode() for r in rcpts], data)


class Faulty(Mutant):
    """kit: the kit's directory and addresses; own: the gateway's keys (forge.Keys: sign, decrypt); case: id of the case whose mail alone it touches."""
    def __init__(self, kit, own, case):
        self.kit, self.own, self.case = kit, own, case
        self.keys = forge.credentials(kit.dir, case)

    def partner_keys(self):
        return list(self.keys.values())

    def seal(self, data, entity, certs=None, cipher=None):
        """data sealed anew, by the algorithms that it had."""
        had, oaep = forge.algorithms(data)
        return forge.around(data, forge.sealed(entity, certs or [self.encryption()], cipher or had, oaep))

    def encryption(self):
        """The certificate that mail of the case is sealed for."""
        return next((self.keys[name].cert for name in ("enc", "enc1", "both") if name in self.keys), None) or next(iter(self.keys.values())).cert

    def to_partner(self, way, data):
        deliver(self.kit.port(self.kit.outside), way.sender, way.rcpts, data)


class Out(Faulty):
    """Changes what goes to the partner: change(way, the message, the entity in it, the entity below the signature) -> message."""
    def data(self, way, data):
        if way.place != "out":
            return data
        inside, text = forge.peeled(data, self.partner_keys())
        return data if inside is None else self.change(way, data, inside, text)


class In(Faulty):
    """Changes what comes to users."""
    def data(self, way, data):
        return self.change(way, data) if way.place == "in" else data


class ToOut(Faulty):
    """Changes what a partner sends."""
    def data(self, way, data):
        return self.change(way, data) if way.place == "to-out" else data


# ---- mail to partners ----

class Clear(Out):
    def change(self, way, data, inside, text):
        return forge.around(data, text)


class DropsSignature(Out):
    def change(self, way, data, inside, text):
        return self.seal(data, text)


class SignsOnePart(Out):
    def change(self, way, data, inside, text):
        parts = [inside, b"Content-Type: text/plain\r\n\r\nand more\r\n"]
        mixed = b'Content-Type: multipart/mixed; boundary="half"\r\n\r\n' + b"".join(b"--half\r\n" + p + b"\r\n" for p in parts) + b"--half--\r\n"
        return self.seal(data, mixed)


class OtherOrder(Out):
    def change(self, way, data, inside, text):
        return forge.around(data, forge.signed(forge.sealed(text, [self.encryption()], *forge.algorithms(data)), self.own["sign"]))


class LeaksBcc(Out):
    def __init__(self, *args):
        super().__init__(*args)
        self.all = []

    def line(self, way, line):
        if way.place == "to-in" and line[:4].upper() == b"RCPT":
            self.all.append(line.split(b"<")[1].split(b">")[0])

    def change(self, way, data, inside, text):
        blind = [b for b in self.all if b not in forge.field(data, "To") + forge.field(data, "Cc")]
        fields, body = forge.split(data)
        return forge.join(fields + [b"Bcc: " + b", ".join(blind)], body) if blind else data


class LeaksByRecipientInfo(Out):
    def change(self, way, data, inside, text):
        return self.seal(data, inside, [k.cert for k in self.partner_keys()])


class AddsRecipient(Out):
    def change(self, way, data, inside, text):
        return self.seal(data, inside, [self.encryption(), forge.foreign(self.kit.dir)])


class Weak(Out):
    def change(self, way, data, inside, text):
        return self.seal(data, inside, cipher="-des3")


class Sha1(Out):
    def change(self, way, data, inside, text):
        return self.seal(data, forge.signed(text, self.own["sign"], "-md", "sha1"))


class ReEncodes(Out):
    """The part that is quoted-printable becomes base64."""
    def change(self, way, data, inside, text):
        def again(m):
            return m[1] + b"base64" + m[2] + base64.encodebytes(quopri.decodestring(m[3])).replace(b"\n", b"\r\n") + m[4]
        text = re.sub(rb"(?is)(Content-Transfer-Encoding: *)quoted-printable(.*?\r\n\r\n)(.*?)(\r\n--|\Z)", again, text, count=1)
        return self.seal(data, forge.signed(text, self.own["sign"]))


class LeaksSubject(Out):
    def change(self, way, data, inside, text):
        subject = forge.field(text, "Subject") or forge.field(inside, "Subject")
        fields, body = forge.split(data)
        return forge.join([f for f in fields if not f.lower().startswith(b"subject:")] + [b"Subject: " + subject], body)


class LosesAttachment(Out):
    def change(self, way, data, inside, text):
        boundary = re.search(rb'boundary="?([^";\r\n]+)', text)
        if not boundary:
            return data
        sep = b"\r\n--" + boundary.group(1)
        parts = text.split(sep)
        return self.seal(data, forge.signed(sep.join(parts[:-2] + parts[-1:]), self.own["sign"]))


class Twice(Faulty):
    """The message again in a session of the proxy's own."""
    def answer(self, way, data, reply):
        if way.place == "out":
            self.to_partner(way, data)
        return reply


class SealsFor(Out):
    """Messages to all but the first recipient of the case (all: of first) are sealed for another certificate of the case."""
    name, first = "enc2", False

    def change(self, way, data, inside, text):
        return self.seal(data, inside, [self.keys[self.name].cert]) if way.rcpts[0].startswith(b"bob@") == self.first else data


class SealsForNext(SealsFor):
    first = True


class ClearLater(Out):
    """What is not to the first recipient leaves in the clear; where the gateway refused it, the text as it was submitted."""
    def change(self, way, data, inside, text):
        return data if way.rcpts[0].startswith(b"bob@") else forge.around(data, text)

    def answer(self, way, data, reply):
        if way.place != "to-in" or reply.startswith(b"2"):
            return reply
        self.to_partner(way, data)
        return b"250 2.0.0 taken\r\n"


class Drops(Faulty):
    """250 for the message, and nothing goes on."""
    def line(self, way, line):
        if way.place == "to-in" and line[:4].upper() == b"RCPT":
            way.upstream = False
            return b"250 2.1.5 go on\r\n"
        return None

    def data(self, way, data):
        return data if way.upstream else None


class Accepts(Faulty):
    """Where the gateway refuses a message to the partner, at RCPT or behind DATA, this one accepts, and delivers it sealed for the certificate of the case."""
    def rcpt(self, way, line, reply):
        if way.place != "to-in" or reply.startswith(b"2"):
            return reply
        way.upstream = False
        return b"250 2.1.5 go on\r\n"

    def data(self, way, data):
        return data if way.upstream else None

    def answer(self, way, data, reply):
        if way.place != "to-in" or reply.startswith(b"2"):
            return reply
        self.to_partner(way, self.made(data))
        return b"250 2.0.0 taken\r\n"

    def made(self, data):
        fields, body = forge.split(data)
        content = [f for f in fields if f.lower().startswith(b"content-")] or [b"Content-Type: text/plain"]
        return forge.around(data, forge.sealed(forge.signed(forge.join(content, body), self.own["sign"]), [self.encryption()]))


class AcceptsClear(Accepts):
    def made(self, data):
        return data


# ---- mail from partners, as users get it ----

class Believes(In):
    """Whatever the gateway found, the mark says that all is well."""
    def change(self, way, data):
        data = re.sub(rb"(?mi)^X-Postern-Verdict:[^\r]*(\r\n[ \t][^\r]*)*", b"X-Postern-Verdict: sealed", data)
        return re.sub(rb"smime=\w+", b"smime=pass", data)


class BelievesHeld(Faulty):
    """What the gateway would hold is taken in its place, opened, and comes with the mark of a message that is believed."""
    def line(self, way, line):
        if way.place == "to-out" and line[:4].upper() == b"RCPT":
            way.upstream = False
            return b"250 2.1.5 go on\r\n"
        return None

    def data(self, way, data):
        if way.upstream:
            return data
        _, text = forge.peeled(data, [self.own["decrypt"]])
        deliver(self.kit.port(self.kit.inside), way.sender, way.rcpts, b"X-Postern-Verdict: sealed\r\n" + forge.around(data, text))
        return None


class NoMark(In):
    def change(self, way, data):
        return re.sub(rb"(?mi)^(X-Postern-[\w-]+|Authentication-Results):[^\r]*(\r\n[ \t][^\r]*)*\r\n", b"", data)


class ForgedMark(Faulty):
    """The fields of the verdict that the message brought along stand again, in the place of the gateway's."""
    FIELDS = (b"x-postern-", b"authentication-results:")

    def __init__(self, *args):
        super().__init__(*args)
        self.brought = {}

    def data(self, way, data):
        fields, body = forge.split(data)
        marks = [f for f in fields if f.lower().startswith(self.FIELDS)]
        if way.place == "to-out":
            self.brought[way.rcpts[0]] = marks
        elif way.place == "in" and self.brought.get(way.rcpts[0]):
            return forge.join(self.brought[way.rcpts[0]] + [f for f in fields if f not in marks], body)
        return data


class Forgets(Faulty):
    """Of a hundred recipients one is answered 250 and forgotten."""
    def line(self, way, line):
        if way.place != "in" or line[:4].upper() != b"RCPT":
            return None
        if b"<r50@" in line:
            way.upstream = way.notes.get("others", False)
            return b"250 2.1.5 go on\r\n"
        way.notes["others"] = way.upstream = True
        return None

    def data(self, way, data):
        return data if way.upstream else None


class OtherLineEnd(In):
    def change(self, way, data):
        return data.replace(b"\r\n.\r\n", b"\n.\r\n")


class RefusesAndDelivers(Faulty):
    """The refusal stands, and users get the message all the same."""
    def answer(self, way, data, reply):
        if way.place == "to-out" and not reply.startswith(b"2"):
            deliver(self.kit.port(self.kit.inside), way.sender, way.rcpts, data)
        return reply


class OpensPart(ToOut):
    """An encrypted part of a multipart is replaced by its plaintext."""
    def change(self, way, data):
        def plain(m):
            return m[1] + (forge.opened(m[2], [self.own["decrypt"]]) or m[2])
        return re.sub(rb"(?is)(\r\n--[^\r\n]+\r\n)((?:[\w-]+:[^\r]*\r\n(?:[ \t][^\r]*\r\n)*)*?content-type: *application/(?:x-)?pkcs7-mime.*?)(?=\r\n--)", plain, data)


class RightTag(ToOut):
    def change(self, way, data):
        return forge.tag_restored(data, self.own["decrypt"])


# ---- what a partner's server sees of it ----

class Answers(Faulty):
    """Answers that tell what only a private key can know: here bad padding."""
    reply = b"554 5.7.5 cannot be decrypted\r\n"

    def tells(self, data):
        return forge.opened(data, [self.own["decrypt"]]) is None

    def answer(self, way, data, reply):
        return self.reply if way.place == "to-out" and self.tells(data) else reply


class AnswersText(Answers):
    """A bad key."""
    reply = b"250 2.6.0 taken, though odd\r\n"


class AnswersSooner(Answers):
    def answer(self, way, data, reply):
        if way.place == "to-out" and not self.tells(data):
            time.sleep(0.06)
        return reply


class AnswersSignature(Answers):
    reply = b"550 5.7.7 bad signature\r\n"

    def tells(self, data):
        inside = forge.opened(data, [self.own["decrypt"]])
        return inside is not None and forge.unsigned(inside) is None


class Relays(Faulty):
    """A stranger's message for somebody else's domain is passed on."""
    def rcpt(self, way, line, reply):
        if way.place != "to-out" or reply.startswith(b"2"):
            return reply
        way.upstream = False
        return b"250 2.1.5 go on\r\n"

    def data(self, way, data):
        if way.upstream:
            return data
        self.to_partner(way, data)
        return None


class EndsEarly(ToOut):
    """A dot between line ends of other kinds ends the message, and what follows is taken for commands."""
    def change(self, way, data):
        first, *rest = re.split(rb"\n\.\r?\n", data, maxsplit=1)
        if not rest:
            return data
        smuggled = re.match(rb"MAIL FROM:<(.*?)>\r\nRCPT TO:<(.*?)>\r\nDATA\r\n(.*)", rest[0], re.S)
        if smuggled:
            deliver(self.kit.gateway_outside, smuggled[1], [smuggled[2]], smuggled[3])
        return first.rstrip(b"\r") + b"\r\n"


class OffersInClear(Faulty):
    def ehlo(self, way, lines):
        return lines + [b"250 XSMG 1\r\n"] if way.place == "to-out" else lines


class InjectedCommands(Faulty):
    """Commands that came in clear behind STARTTLS stay in the buffer, and are carried out inside TLS."""
    def starttls(self, way):
        way.client.send(b"220 2.0.0 go on\r\n")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.own["sign"].cert, self.own["sign"].key)
        way.client.sock = context.wrap_socket(way.client.sock, server_side=True)
        return True


# ---- what the gateway is told ----

class BelievesBogus(Faulty):
    """The bogus zone verifies, as it does for a gateway that does not look. The certificate of the domain that nobody listed does not stand in it: mail to it leaves in the clear."""
    def __init__(self, *args):
        super().__init__(*args)
        self.zone = next(z["name"] for z in self.kit.setup["zones"] if z["name"].startswith("bogus."))
        self.server = BogusSignedRightly(self.kit, self.zone, "find-bogus-unlisted")

    def zone_port(self, name):
        return self.server.port if name.endswith(self.zone) else None

    def stop(self):
        self.server.stop()


class OneDirectory(Faulty):
    """Of the partner's directory servers none answers."""
    def __init__(self, *args):
        super().__init__(*args)
        self.silent = socket.create_server(("127.0.0.1", 0))

    def dns(self, name, answer):
        return srv_ports_replaced(answer, self.silent.getsockname()[1])

    def stop(self):
        self.silent.close()


def came(*what):
    return "came as (" + "|".join(what) + ");"


SEALED, TRUSTED, NOT_CAME, MUST_NOT = came("sealed"), came("trusted"), "^no message for .* came", "that must not come inside"
MUTANTS = {
    "M01": (Clear, "^sealed-for: .* the outermost layer is not encrypted: there are none"), "M02": (DropsSignature, "^signed-by: .*; there are: none"),
    "M03": (SignsOnePart, "^signed-by: .*; there are: none"), "M04": (OtherOrder, "^sealed-for: .*not encrypted: there are signed,"), "M05": (Believes, TRUSTED), "M06": (BelievesHeld, TRUSTED),
    "M07": (Accepts, SEALED), "M08": (LeaksBcc, "^no-header: wanted no field Bcc outside; there is carol"), "M09": (LeaksByRecipientInfo, "^sealed-for: .* is for somebody else"),
    "M10": (Accepts, SEALED), "M11": (Believes, TRUSTED), "M12": (BelievesHeld, TRUSTED), "M13": (Believes, TRUSTED), "M14": (Answers, "^good and badpadding get the same answer"),
    "M15": (AnswersSooner, "^good and badpadding are answered after the same time"), "M16": (AnswersText, "^good and badkey get the same answer"),
    "M17": (AnswersSignature, "^good and bad get the same answer"), "M18": (Forgets, "^no message for r50@"), "M19": (AddsRecipient, "^sealed-for: .* is for somebody else"),
    "M20": (Twice, "^once: .*there is another"), "M21": (Weak, "^cipher: .*it is des3"), "M22": (Sha1, "^digest: .*it is sha1"), "M23": (ReEncodes, "^inner-contains: .*quoted-printable.*not there"),
    "M24": (LeaksSubject, "^outer-header: .*there is .HIV"), "M25": (LosesAttachment, "^(inner-contains: .*quoted-printable|body-is: )"), "M26": (RefusesAndDelivers, came("unmarked", "unsigned")),
    "M27": (Drops, NOT_CAME), "M28": (NoMark, came("unmarked")), "M29": (Accepts, SEALED), "M30": (BelievesBogus, SEALED), "M31": (BelievesBogus, came("clear")),
    "M32": (AcceptsClear, came("clear")), "M33": (SealsFor, "^sealed-for: wanted encryption for enc1 alone; no RecipientInfo names .enc1"),
    "M34": (SealsFor, "^sealed-for: wanted encryption for enc1 alone; no RecipientInfo names .enc1"), "M35": (EndsEarly, MUST_NOT), "M36": (OtherLineEnd, "^inner-contains: .*not there"),
    "M37": (ForgedMark, TRUSTED), "M38": (RightTag, TRUSTED), "M39": (InjectedCommands, MUST_NOT), "M40": (OpensPart, "with The secret diagnosis .* must not come inside"),
    "M41": (OffersInClear, "^the reply has .XSMG"), "M42": (SealsForNext, "^sealed-for: wanted encryption for enc1 alone; no RecipientInfo names .enc1"), "M43": (ClearLater, came("clear")),
    "M44": (Relays, "^answered .250 .*wanted: refused"), "M45": (OneDirectory, "^submit: answered .4.. .*ldap://"), "M46": (Accepts, SEALED),
}
