"""Is what arrived what was sent? The canonicalisation of docs/ADMIN.md ("What sealing and signing change"), written a second time from its description, in another language."""
import base64
import binascii
import email.header
import re

OURS = re.compile(rb"(?i)x-postern-|authentication-results:[ \t\r\n]*gw\.lab\.example[ \t;\r\n]")
ADDED = re.compile(rb"(?i)(message-id|date):")
BLIND = re.compile(rb"(?i)(resent-)?bcc[ \t]*:")


def split(data):
    """Raw fields, and the body."""
    if data.startswith(b"\r\n"):
        return [], data[2:]
    header, _, body = data.partition(b"\r\n\r\n")
    if header.endswith(b"\r\n"):
        header = header[:-2]
    return [f + b"\r\n" for f in re.split(rb"\r\n(?![ \t])", header)], body


def name(field):
    return field.split(b":", 1)[0].strip().lower()


def is_content(field):
    return name(field).startswith(b"content-")


def is_version(field):
    return name(field) == b"mime-version"


def value(fields, wanted):
    for f in fields:
        if name(f) == wanted:
            return re.sub(rb"\r\n", b"", f.split(b":", 1)[1]).strip()
    return b""


# ---- fields ----

def sent_fields(fields):
    return [f for f in fields if not BLIND.match(f) and not OURS.match(f)]


def arrived_fields(fields, sent):
    """Without what the gateways added: their Received fields on top, their verdict, and Message-ID and Date where there was none."""
    more = sum(name(f) == b"received" for f in fields) - sum(name(f) == b"received" for f in sent)
    out = []
    for f in fields:
        if name(f) == b"received" and more > 0:
            more -= 1
        elif OURS.match(f) or (ADDED.match(f) and not any(name(f) == name(g) for g in sent)):
            continue
        else:
            out.append(f)
    return out


def is_trace(field):
    """Written by relays: where header fields are protected, these come before the author's."""
    return name(field) in (b"received", b"return-path", b"dkim-signature", b"authentication-results", b"delivered-to", b"x-original-to") or name(field).startswith(b"arc-")


def versions_differ(a, b, how, believed):
    """MIME-Version: the author's own where fields are protected, else one of ours."""
    a, b = [f for f in a if is_version(f)], [f for f in b if is_version(f)]
    ours = [b"MIME-Version: 1.0\r\n"]
    good = (ours,) if how not in ("rfc9788", "message") else (a,) if believed and (a or how == "message") else (a, ours)
    return None if b in good else f"MIME-Version {b}"


def fields_differ(sent, arrived, how, in_order=True):
    """how: "clear", else the way the message was sealed or signed. in_order: False where the signature does not vouch for protected fields: then some that were hidden come behind
    the others."""
    a, b = sent_fields(sent), arrived_fields(arrived, sent)
    if how == "clear":
        return None if a == b else f"fields {first_difference(a, b)}"
    a = [f for f in a if name(f) != b"hp-outer"]
    why = versions_differ(a, b, how, in_order)
    if why:
        return why
    a, b = [f for f in a if not is_content(f) and not is_version(f)], [f for f in b if not is_content(f) and not is_version(f)]
    if how in ("rfc9788", "message"):
        a, b = sorted(a, key=is_trace), sorted(b, key=is_trace)
    if not in_order:
        a, b = sorted(a), sorted(b)
    return None if a == b else f"fields {first_difference(a, b)}"


def first_difference(a, b):
    for i, x in enumerate(a):
        if i >= len(b) or b[i] != x:
            return f"{x[:120]!r} became {b[i][:120] if i < len(b) else None!r}"
    return f"{b[len(a):][:3]!r} came in addition" if len(b) > len(a) else "none"


# ---- contents ----

def is_seven(octets):
    """Nothing in it needs an encoding to travel."""
    return not re.search(rb"[\x00\x80-\xff]", octets) and max(map(len, octets.split(b"\r\n"))) <= 998


def unquote(body):
    lines = [line.rstrip(b" \t") for line in body.split(b"\r\n")]
    out = b""
    for i, line in enumerate(lines):
        soft = line.endswith(b"=")
        out += re.sub(rb"=([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), line[:-1] if soft else line)
        if not soft and i + 1 < len(lines):
            out += b"\r\n"
    return out


def decoded(body, cte):
    """The octets that a reader gets; an encoding that is none is no encoding."""
    cte = re.sub(rb"\(.*?\)", b"", cte).strip().lower()
    if cte == b"quoted-printable":
        return unquote(body)
    if cte != b"base64":
        return body
    text = re.sub(rb"[^A-Za-z0-9+/=]", b"", body)
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return text


def words(field):
    """A field as a reader shows it: unfolded, encoded words decoded, quotes and blanks at its ends gone."""
    text = re.sub(rb'\r\n|"', b"", field).strip()
    try:
        text.decode("ascii")
    except UnicodeDecodeError:
        try:
            return text.decode()
        except UnicodeDecodeError:
            return text.decode("latin-1")
    out = ""
    for octets, charset in email.header.decode_header(text.decode("ascii")):
        out += octets if isinstance(octets, str) else octets.decode("latin-1" if charset in (None, "unknown-8bit") else charset, "replace")
    return out


def boundary(content_type):
    m = re.match(rb'(?i)multipart/.*?boundary\s*=\s*("([^"]*)"|[^;\s]*)', content_type, re.S)
    return (m[2] if m[2] is not None else m[1]).rstrip() if m else None


def parts(body, b):
    """Preamble, the parts, epilogue."""
    at = re.split(rb"(?:^|\r\n)--" + re.escape(b) + rb"(--)?[ \t]*(?=\r\n|$)", body)
    texts, marks = at[0::2], at[1::2]
    n = marks.index(b"--") if b"--" in marks else len(marks)
    return texts[0], [t[2:] for t in texts[1:n + 1]], b"--".join(t for t in texts[n + 1:])


def tree(data, default=b"text/plain"):
    """What a reader makes of an entity: fields, then content decoded."""
    fields, body = split(data)
    ct = value(fields, b"content-type") or default
    cte = value(fields, b"content-transfer-encoding")
    shown = sorted(words(f) for f in fields if is_content(f) and name(f) != b"content-transfer-encoding") + [words(f) for f in fields if not is_content(f)]
    b = boundary(ct)
    if b:
        before, inner, behind = parts(body, b)
        kind = b"message/rfc822" if ct.lower().startswith(b"multipart/digest") else b"text/plain"
        return shown, before if is_seven(before) else None, [tree(p, kind) for p in inner], behind if is_seven(behind) else None
    if re.match(rb"(?i)message/(rfc822|global)[ \t]*(;|$)", ct) and cte.lower() not in (b"base64", b"quoted-printable"):
        return shown, tree(body)
    return shown, decoded(body, cte)


def alike(a, b):
    """None in a tree stands for what has no 7-bit form that could be turned back."""
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(map(alike, a, b))
    return a is None or b is None or a == b


def content(fields):
    return b"".join(f for f in fields if is_content(f)) + b"\r\n"


def taken_off(fields, body):
    """A signature of ours that does not speak for the author stays on: what it covers."""
    b = boundary(value(fields, b"content-type")) or b""
    return split(parts(body, b)[1][0]) if b.startswith(b"=_postern_") else None


def unmarked(arrived, sent):
    """Where the signature does not vouch for protected fields, the mark that says there are some stays on Content-Type."""
    out = [re.sub(rb';[ \t\r\n]*hp="cipher"', b"", f) if name(f) == b"content-type" else f for f in arrived]
    made = not any(name(f) == b"content-type" for f in sent)
    return [f for f in out if not (made and f == b"Content-Type: text/plain\r\n")]


def unprotected(sent):
    """The author's own words on protected fields do not stand beside those of the gateway that protects them anew."""
    cut = rb'(?i);[ \t\r\n]*(?:hp|hp-legacy-display|protected-headers)="?[a-z0-9]*"?(?=[ \t\r\n]*(?:;|$))'
    return [re.sub(cut, b"", f) if name(f) == b"content-type" else f for f in sent]


def differs(case, how, data, opened=False, believed=True):
    """None, or what became of the message that should not. opened: an S/MIME layer of its own was taken off it as well; believed: the signature vouches for protected fields."""
    sent, body = split(case.data)
    arrived, got = split(data)
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"  # SMTP has no message without a final line end
    inner = taken_off(arrived, got)
    why = fields_differ(sent, arrived, "seal" if opened and how == "clear" else how, believed)
    if why:
        return why
    if how == "rfc9788":
        sent = unprotected(sent)
    if how == "rfc9788" and not believed:
        arrived = unmarked(arrived, sent)
    before, after = content(sent) + body, content(arrived) + got
    if inner:
        after = content(inner[0]) + inner[1]
    if before == after:
        return None
    if how != "sign" or is_seven(before):
        return f"content {difference(before, after)}"
    if not is_seven(after):
        return "signed content is not 7-bit"
    a, b = tree(before), tree(after)
    return None if alike(a, b) else f"decoded {a!r:.600} became {b!r:.600}"


def difference(a, b):
    n = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return f"at {n}: {a[max(0, n - 20):n + 60]!r} became {b[max(0, n - 20):n + 60]!r}"
