"""Places that are odd but real: directories that are large, slow, down, closed, or lead to each other; the URL of _smg over HTTPS; names that are not ASCII; very many who ask at once."""
import base64
import os
import signal
import ssl
from concurrent.futures import ThreadPoolExecutor

from finding import Directory, Web, cert_record
from gateway import free_ports
from mail import Talk, message, quick, solo
from names import Names
from nexthop import Authority
from partners import PRIVATE, US, World, check_all
from smime import Identity

SUFFIX = "dc=clinic,dc=example"
LEADS_AWAY = "dn: dc=away,{0}\nobjectClass: referral\nobjectClass: extensibleObject\ndc: away\nref: ldap://127.0.0.1:{1}/{2}\n"


def resident(pid):
    """KiB of memory."""
    with open(f"/proc/{pid}/status") as f:
        return int(next(line for line in f if line.startswith("VmHWM")).split()[1])


def ten_thousand():
    """One entry, ten thousand values."""
    values = "".join(f"userSMIMECertificate:: {base64.b64encode(os.urandom(300)).decode()}\n" for _ in range(10000))
    return f"dn: uid=many,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: many\ncn: many\nsn: many\nmail: many.example\n{values}"


def test_directories(top):
    """Real directories that a partner's SRV names; each case has an end, with its reason, and one sends us to where the next one is."""
    world = World(top)
    names = ("good", "good2", "closed", "slow", "many", "left", "right", "whole")
    ports = world.ports = dict(zip((*names, "down"), free_ports(len(names) + 1)))
    cases = [
        ("one entry with ten thousand values", "many.example", "srv:many", (451, "an entry is longer than allowed")),
        ("directories that lead to each other", "loop.example", "srv:left", (451, "names other servers, which are not asked")),
        ("one whose base is elsewhere", "whole.example", "srv:whole", (451, "Referral (base is kept by another server")),
        ("one that leads away, with its own entry", "beside.example", "srv:right", "domain"),
        ("one that refuses anonymous questions", "closed.example", "srv:closed", (451, "it refuses anonymous questions")),
        ("the next one is asked then", "open.example", "srv:closed:0:0 srv:good:1:0", "domain"),
        ("one down, one slow, one that answers", "third.example", "srv:down:0:0 srv:slow:1:0 srv:good:2:0", "domain"),
        ("one down, one slow", "none.example", "srv:down:0:0 srv:slow:1:0", (451, "cannot be told now", "ldap")),
        ("priority before weight, weight before the order of records", "order.example", "srv:good:9:99 srv:down:3:1 srv:slow:3:50 srv:good2:5:1 srv:good:5:0", "domain2"),
    ]
    for _, domain, where, _ in cases:
        world.place(where, domain)
    has = {"good": [("domain", d) for d in ("open.example", "third.example", "order.example")], "good2": [("domain2", "order.example")], "right": [("domain", "beside.example")],
           "closed": [("domain", "closed.example"), ("domain", "open.example")], "slow": [("domain", "third.example"), ("domain", "order.example")]}
    more = {"closed": {"more": "require authc"}, "many": {"ldif": ten_thousand()}, "left": {"ldif": LEADS_AWAY.format(SUFFIX, ports["right"], SUFFIX)},
            "right": {"ldif": LEADS_AWAY.format(SUFFIX, ports["left"], SUFFIX)},
            "whole": {"ldif": f"dn: dc=whole\nobjectClass: referral\nobjectClass: extensibleObject\ndc: whole\nref: ldap://127.0.0.1:{ports['left']}/dc=whole\n", "suffix": "dc=whole", "bare": True}}
    entries = {n: [(d, [world.cert(label, "", d).cert]) for label, d in has.get(n, [])] for n in names}
    with ThreadPoolExecutor() as pool:
        made = dict(zip(names, pool.map(lambda n: Directory(top, n, entries[n], port=ports[n], **more.get(n, {})).start(), names)))
    world.start()
    world.directories = list(made.values())
    gw, outside = world.gateway("tiers = {store, ldap}", settings="default-strength = require\n", private=PRIVATE.replace("\n}\n", "\n  ldap-timeout = 1s\n}\n"))
    made["slow"].proc.send_signal(signal.SIGSTOP)
    try:
        scout, = gw.roles()["scout"]
        before = resident(scout)
        with ThreadPoolExecutor(len(cases)) as pool:  # some wait for the slow one
            list(pool.map(lambda c: check_all(world, gw, outside, [(c[0], c[1], c[3])]), cases))
        grown = resident(scout) - before
        assert grown < 24 * 1024, f"the scout grew by {grown} KiB"
        told = gw.cli("lookup", "bob@loop.example", "--source", "ldap")
        assert told["state"] == "uncertain" and "it has no entry itself and names other servers, which are not asked" in str(told), told
        assert made["left"].searches() > 0 and made["right"].searches() < 12
    finally:
        made["slow"].proc.send_signal(signal.SIGCONT)
        gw.stop()
        world.stop()


# ---- the URL in the TXT record _smg ----

class HttpsWeb(Web):
    """The same with TLS; the certificate is chosen by the name that the client asks for."""
    def __init__(self, contexts):
        super().__init__()
        self.names = []

        def choose(sock, name, _):
            self.names.append(name)
            sock.context = contexts.get(name, sock.context)
        first = next(iter(contexts.values()))
        first.sni_callback = choose
        self.server.socket = first.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]


def tls(pair):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(*pair)
    return c


def to(where):
    def answer(handler):
        handler.wfile.write(f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode())
    return answer


@quick
def test_url_of_smg(top):
    """Fetched over HTTPS from a server with a certificate of a CA that is believed and of its own name; redirects lead to https alone, at most three."""
    os.mkdir(os.path.join(top, "other"))
    names, cas, plain = Names(), Authority(top), Web()
    others = Authority(os.path.join(top, "other"))
    hosts = ("good.example", "moved.example", "plain.example", "circle.example", "gone.example", "inside.example")
    contexts = {"smg." + h: tls(cas.issue("smg." + h)) for h in hosts}
    contexts["smg.stranger.example"] = tls(others.issue("smg.stranger.example"))
    contexts["smg.another.example"] = tls(cas.issue("www.another.example"))
    web = HttpsWeb(contexts)
    at = f"https://smg.{{}}:{web.port}"
    web.files.update({"/good": b"something", "/moved": to(at.format("good.example") + "/good"), "/plain": to(plain.url + "/good"), "/circle": to("/circle"), "/inside": to("https://10.0.0.1/")})
    plain.files["/good"] = b"something"
    for domain in (*hosts, "stranger.example", "another.example"):
        names.records[("smg." + domain, "A")] = [bytes((127, 0, 0, 1))]
        text = f"v=smg1; url={at.format(domain)}/{domain.split('.')[0]}".encode()
        names.records[("_smg." + domain, "TXT")] = [bytes([len(text)]) + text]
    text = f"v=smg1; url=http://smg.good.example:{plain.port}/good".encode()
    names.records[("_smg.http.example", "TXT")] = [bytes([len(text)]) + text]
    web.files["/stranger"] = web.files["/another"] = b"something"
    gw, _, _ = solo(top, settings=f'tls-ca-file = "{cas.cert}"\n', sections=names.settings("example") + PRIVATE + "find {\n tiers = {store, smg}\n}\n")
    try:
        steps = {}
        for domain in (*hosts, "stranger.example", "another.example", "http.example"):
            steps[domain] = str(gw.cli("explain", US, "bob@" + domain)["steps"])
        words = {"plain": "redirect", "circle": "redirect", "gone": "404", "inside": "private or reserved", "stranger": "certificate", "another": "certificate", "http": "https"}
        bad = [f"{d}: {steps[d]}" for d in steps if (w := words.get(d.split(".")[0])) and w not in steps[d]]
        assert not bad, "\n".join(bad)
        # fetched by the name in the URL, with what stands there looked at
        assert web.hits.count("/good") == 2 and web.hits.count("/moved") == 1 and web.hits.count("/circle") <= 4, web.hits
        assert "/stranger" not in web.hits and "/another" not in web.hits and plain.hits == [], (web.hits, plain.hits)
        assert {"smg.good.example", "smg.stranger.example"} <= set(web.names), web.names
    finally:
        gw.stop()
        names.stop()
        web.stop()
        plain.stop()


# ---- names that are not ASCII ----

def test_international_names(top):
    """The domain in U-labels in the mail, in A-labels in DNS and in certificates; a local part in UTF-8 is bound by an SmtpUTF8Mailbox (RFC 9598) alone."""
    world = World(top)
    domain, shown, local = "xn--mller-kva.example", "müller.example", "jörg"

    def mailbox(name, address):
        return Identity(top, name, "@names", kind="ec", issuer=world.ca, more=["[names]", "otherName=1.3.6.1.5.5.7.8.9;FORMAT:UTF8,UTF8:" + address])
    whole = world.ca.issue("whole", "DNS:" + domain, kind="ec")
    person, another = mailbox("person", f"{local}@{domain}"), mailbox("another", f"jürgen@{domain}")
    world.nsd.zone(domain, [cert_record(whole.cert), cert_record(person.cert, "j\\195\\182rg"), cert_record(another.cert, "j\\195\\182rn"), cert_record(person.cert, "jorg")])
    world.start()
    gw, outside = world.gateway("order = direct\n by-address = always", settings="default-strength = require\n")
    outside.offers += ("SMTPUTF8",)

    def speak(rcpt):
        t = Talk(gw.inside)
        t.ask("EHLO client.test")
        said = [t.ask(line) for line in (f"MAIL FROM:<{US}> SMTPUTF8\r\n".encode(), f"RCPT TO:<{rcpt}>\r\n".encode())]
        if said[-1].startswith("250"):
            said += [t.ask("DATA"), t.ask(message(US, "x@" + domain, "to them").replace(b"x@" + domain.encode(), rcpt.encode()) + b".\r\n")]
        t.close()
        return said[-1]
    try:
        for rcpt, who in ((f"bob@{shown}", whole), (f"bob@{domain}", whole), (f"{local}@{shown}", person), (f"{local}@{domain}", person)):
            outside.mails.clear()
            said = speak(rcpt)
            assert said.startswith("250"), (rcpt, said)
            mail = outside.wait(1, 30)[0]
            assert mail.rcpts[0].split("@")[1] == domain, mail.rcpts
            assert b"hello" not in mail.body and who.open(mail.data), (rcpt, who.cert)
        for rcpt in (f"jörn@{shown}", f"jorg@{shown}"):
            said = speak(rcpt)
            assert said.startswith("550") and "does not name" in said, (rcpt, said)
    finally:
        gw.stop()
        world.stop()
