"""The faulty gateways of interop/mutants.md, each as what a proxy does on one or two of the ways of mail. Row: id -> class; the case and the requirement stand in mutants.md."""
import re
import time

import forge
from proxies import Mutant


class Faulty(Mutant):
    """kit: the kit's directory; own: the gateway's keys (forge.Keys: sign, decrypt); case: id of the case that is run, whose mail alone is touched; outside: port of the kit's sink."""
    def __init__(self, kit, own, case, outside):
        self.kit, self.own, self.case, self.outside = kit, own, case, outside
        self.keys = forge.credentials(kit.dir, case)

    def ours(self, way, data=b""):
        """Is this mail of the case?"""
        mark = self.case.encode()
        return mark in data or any(mark in r for r in way.rcpts)

    def partner_keys(self):
        return list(self.keys.values())

    def seal(self, data, entity, certs=None, cipher="-aes-256-cbc"):
        return forge.around(data, forge.sealed(entity, certs or [self.encryption()], cipher))

    def encryption(self):
        """The certificate that mail of the case is sealed for."""
        for name in ("enc", "both", "mail", "cert"):
            if name in self.keys:
                return self.keys[name].cert
        return next(iter(self.keys.values())).cert


class Out(Faulty):
    """Changes what goes to the partner: entity(s) -> message."""
    def data(self, way, data):
        if way.place != "out" or not self.ours(way, data):
            return data
        inside, text = forge.peeled(data, self.partner_keys())
        return data if inside is None else self.change(way, data, inside, text)


class In(Faulty):
    def data(self, way, data):
        return self.change(way, data) if way.place == "in" and self.ours(way, data) else data

    def marked(self, data, verdict):
        """With another verdict, as the gateway would write it."""
        smime = {"sealed": "pass", "broken": "fail"}[verdict]
        data = re.sub(rb"(?mi)^X-Postern-Verdict:[^\r]*", b"X-Postern-Verdict: " + verdict.encode(), data)
        return re.sub(rb"smime=\w+", b"smime=" + smime.encode(), data)


class Clear(Out):
    def change(self, way, data, inside, text):
        return forge.around(data, text)


class DropsSignature(Out):
    def change(self, way, data, inside, text):
        return self.seal(data, text)


class SignsOnePart(Out):
    def change(self, way, data, inside, text):
        fields, body = forge.split(text)
        boundary = re.search(rb'boundary="?([^";\r\n]+)', b"\r\n".join(fields))
        if not boundary:  # one part: it is signed, and a text behind it is not
            first, rest = text, [b"Content-Type: text/plain\r\n\r\nand more\r\n"]
        else:
            first, *rest = [p.strip(b"\r\n") + b"\r\n" for p in body.split(b"--" + boundary.group(1))[1:-1]]
        parts = [forge.signed(first, self.own["sign"]), *rest]
        mixed = b'Content-Type: multipart/mixed; boundary="half"\r\n\r\n' + b"".join(b"--half\r\n" + p + b"\r\n" for p in parts) + b"--half--\r\n"
        return self.seal(data, mixed)


class OtherOrder(Out):
    def change(self, way, data, inside, text):
        return forge.around(data, forge.signed(forge.sealed(text, [self.encryption()]), self.own["sign"]))


class Believes(In):
    """Whatever the gateway found, the mark says that all is well."""
    def change(self, way, data):
        return self.marked(data, "sealed")


class NoMark(In):
    def change(self, way, data):
        return re.sub(rb"(?mi)^(X-Postern-[\w-]+|Authentication-Results):[^\r]*(\r\n[ \t][^\r]*)*\r\n", b"", data)


class ForgedMark(In):
    """The verdict field that the message brought along stands again, before the gateway's."""
    def change(self, way, data):
        return b"X-Postern-Verdict: sealed\r\n" + re.sub(rb"(?mi)^X-Postern-Verdict:[^\r]*\r\n", b"", data)


class ReEncodes(In):
    def change(self, way, data):
        fields, body = forge.split(data)
        return forge.join(fields, re.sub(rb"[ \t]+\r\n", b"\r\n", body).replace(b"=\r\n", b""))


class LeaksBcc(Out):
    def __init__(self, *args):
        super().__init__(*args)
        self.blind = set()

    def line(self, way, line):
        if way.place == "to-in" and line[:4].upper() == b"RCPT":
            self.blind.add(line.split(b"<")[1].split(b">")[0])

    def change(self, way, data, inside, text):
        shown = forge.field(data, "To") + forge.field(data, "Cc")
        blind = [b for b in self.blind if b not in shown]
        fields, body = forge.split(data)
        return forge.join(fields + [b"Bcc: " + b", ".join(blind)], body) if blind else data


class LeaksByRecipientInfo(Out):
    def change(self, way, data, inside, text):
        return self.seal(data, inside, [k.cert for k in self.partner_keys()])


class AddsRecipient(Out):
    def change(self, way, data, inside, text):
        return self.seal(data, inside, [self.encryption(), self.own["decrypt"].cert])


class Weak(Out):
    def change(self, way, data, inside, text):
        return self.seal(data, inside, cipher="-des3")


class Sha1(Out):
    def change(self, way, data, inside, text):
        return self.seal(data, forge.signed(text, self.own["sign"], "-md", "sha1"))


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
        sep = b"--" + boundary.group(1)
        parts = text.split(sep)
        return self.seal(data, forge.signed(sep.join(parts[:-2] + parts[-1:]), self.own["sign"]))


class Twice(Faulty):
    """The message again in a session of the proxy's own."""
    def answer(self, way, data, reply):
        if way.place == "out" and self.ours(way, data):
            deliver(self.outside, way.sender, way.rcpts, data)
        return reply


def deliver(port, sender, rcpts, data):
    import smtplib
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as s:
        s.sendmail(sender.decode() or "<>", [r.decode() for r in rcpts], data)


class Forgets(Faulty):
    """Of several recipients the last is answered 250 and forgotten."""
    def __init__(self, *args):
        super().__init__(*args)
        self.first = None

    def line(self, way, line):
        if way.place != "to-in" or line[:4].upper() != b"RCPT":
            return None
        way.notes["count"] = way.notes.get("count", 0) + 1
        return b"250 2.1.5 go on\r\n" if way.notes["count"] == 2 else None


class Drops(Faulty):
    """250 for the message, and nothing goes on."""
    def line(self, way, line):
        if way.place == "to-in" and line[:4].upper() in (b"MAIL", b"RCPT"):
            way.notes["upstream"] = False
            return b"250 2.0.0 go on\r\n"
        return None

    def data(self, way, data):
        return data if way.notes.get("upstream", True) else None


class Accepts(Faulty):
    """Where the gateway refuses a recipient, this one accepts and delivers to the partner itself. entity: what."""
    clear = False
    to = "enc"

    def rcpt(self, way, line, reply):
        if way.place != "to-in" or reply.startswith(b"2"):
            return reply
        way.notes["upstream"] = False
        return b"250 2.1.5 go on\r\n"

    def data(self, way, data):
        if way.notes.get("upstream", True):
            return data
        entity = re.sub(rb"(?i)^.*?(?=content-type:)", b"", data, flags=re.S) if b"ontent-" in data else b"Content-Type: text/plain\r\n\r\n" + forge.split(data)[1]
        if self.clear:
            message = data
        else:
            message = forge.around(data, forge.sealed(forge.signed(entity, self.own["sign"]), [self.encryption()]))
        deliver(self.outside, way.sender, way.rcpts, message)
        return None


class AcceptsClear(Accepts):
    clear = True


class Answers(Faulty):
    """Answers that tell what only a private key can know: bad padding, a bad key, a bad signature. wrong(entity or None): is this one told?"""
    def tells(self, data):
        return forge.opened(data, [self.own["decrypt"]]) is None

    def answer(self, way, data, reply):
        return b"554 5.7.5 cannot be decrypted\r\n" if way.place == "to-out" and self.ours(way, data) and self.tells(data) else reply


class AnswersText(Answers):
    def answer(self, way, data, reply):
        return b"250 2.6.0 taken, though odd\r\n" if way.place == "to-out" and self.ours(way, data) and self.tells(data) else reply


class AnswersSooner(Answers):
    def answer(self, way, data, reply):
        if way.place == "to-out" and self.ours(way, data) and not self.tells(data):
            time.sleep(0.06)
        return reply


class AnswersSignature(Answers):
    def tells(self, data):
        inside = forge.opened(data, [self.own["decrypt"]])
        return inside is not None and forge.unsigned(inside) is None


class Relays(Faulty):
    """A stranger's message for somebody else's domain is passed on."""
    def rcpt(self, way, line, reply):
        if way.place != "to-out" or reply.startswith(b"2"):
            return reply
        way.notes["upstream"] = False
        return b"250 2.1.5 go on\r\n"

    def data(self, way, data):
        if way.notes.get("upstream", True):
            return data
        deliver(self.outside, way.sender, way.rcpts, data)
        return None


class RefusesAndDelivers(Faulty):
    """The refusal stands, and users get the message all the same."""
    def answer(self, way, data, reply):
        if way.place == "to-out" and reply.startswith(b"5"):
            deliver(self.kit.port(self.kit.inside), way.sender, way.rcpts, data)
        return reply


class OffersInClear(Faulty):
    """Not by what is hidden here, but by what is added."""
    def line(self, way, line):
        if way.place == "to-out" and line[:4].upper() == b"EHLO":
            lines = [x for x in way.forward(line).splitlines(keepends=True)]
            return lines[0] + b"250-XSMG 1\r\n" + b"".join(lines[1:])
        return None


MUTANTS = {
    "M01": Clear, "M02": DropsSignature, "M03": SignsOnePart, "M04": OtherOrder, "M05": Believes, "M06": Believes, "M07": Accepts, "M08": LeaksBcc, "M09": LeaksByRecipientInfo, "M10": Accepts,
    "M11": Believes, "M12": Believes, "M13": Believes, "M14": Answers, "M15": AnswersSooner, "M16": AnswersText, "M17": AnswersSignature, "M18": Forgets, "M19": AddsRecipient, "M20": Twice,
    "M21": Weak, "M22": Sha1, "M23": ReEncodes, "M24": LeaksSubject, "M25": LosesAttachment, "M26": RefusesAndDelivers, "M27": Drops, "M28": NoMark, "M29": Accepts, "M32": AcceptsClear,
    "M37": ForgedMark, "M41": OffersInClear, "M44": Relays,
}
