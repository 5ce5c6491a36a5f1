"""Recipients of our own domains are known: call-ahead to a real Postfix, a map file, a real slapd. Unknown ones are refused with 550 5.1.1."""
import os
import signal
import subprocess
import threading

from gateway import BUILD, Gateway, wait_for
from mail import Talk, message, pair, quick, send, solo
from postfix import Postfix
from sink import Sink
from slapd import PASSWORD, READER, Slapd

RETRIES = "queue {\n retry-min = 1s\n retry-max = 2s\n}\nsmtp-client {\n backoff-min = 500ms\n backoff-max = 1s\n idle-time = 0s\n}"


def rcpt(port, *addresses, sender="x@world.test"):
    """The replies to RCPT, one a transaction."""
    t = Talk(port)
    t.ask("EHLO client.test")
    out = []
    for a in addresses:
        t.ask(f"MAIL FROM:<{sender}>")
        out.append(t.ask(f"RCPT TO:<{a}>"))
        t.ask("RSET")
    t.ask("QUIT")
    t.close()
    return out


def check(gw, address, *options):
    return gw.cli("recipient", "check", address, *options)


def posternd_check(gw):
    return subprocess.run([os.path.join(BUILD, "bin", "posternd"), "-t", "-c", gw.conf], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def postfix_inside(top, users, extra=None):
    p = Postfix(top, "inside", "", "hospital.example", maildir=True, extra=extra)
    path = os.path.join(p.dir, "users")
    with open(path, "w") as f:
        f.writelines(f"{u}@hospital.example {u}/\n" for u in users)
    with open(os.path.join(p.conf, "main.cf"), "a") as f:
        f.write(f"virtual_mailbox_maps = texthash:{path}\nrecipient_delimiter = +\n")
    return p.start()


def test_call_ahead_to_postfix(top):
    """The default. Known ones go through, unknown ones are refused; asked once and remembered; a Postfix that is away: known ones still, others 451."""
    p = postfix_inside(top, ["anna"])
    gw = Gateway(top, "hospital", "hospital.example", p.address, "127.0.0.1:1").start()
    try:
        got = rcpt(gw.outside, "anna@hospital.example", "Anna@Hospital.Example", "anna+tag@hospital.example", "joe@hospital.example", "joe@hospital.example",
                   "postmaster@hospital.example", "postmaster", "x@other.example")
        assert [r[:3] for r in got] == ["250", "250", "250", "550", "550", "250", "250", "550"], got
        assert got[3].startswith("550 5.1.1 <joe@hospital.example>") and got[7].startswith("550 5.7.1"), got
        assert send(gw.outside, "x@world.test", "anna@hospital.example", message("x@world.test", "anna@hospital.example", "to anna"))[0] == 250
        wait_for("the mail", 30, lambda: [m for m in p.stored() if b"Subject: to anna" in m])
        wait_for("Postfix's log of it", 20, lambda: "status=sent" in p.log())
        assert len([line for line in p.log().split("\n") if "reject: RCPT" in line]) == 1, "joe was asked for once"
    finally:
        p.stop()
    got = rcpt(gw.outside, "anna@hospital.example", "joe@hospital.example", "new@hospital.example", "postmaster@hospital.example")
    assert [r[:9] for r in got] == ["250 2.1.5", "550 5.1.1", "451 4.4.3", "250 2.1.5"], got
    assert "127.0.0.1" not in got[2], "nothing about the inside is told outside"


def ldap_section(path, servers, more="", password=PASSWORD):
    with open(path, "w") as f:
        f.write(password + "\n")
    os.chmod(path, 0o600)
    uris = ", ".join(f'"{u}"' for u in servers)
    return f'ldap "house" {{\n servers = {{{uris}}}\n base = "dc=hospital,dc=example"\n bind-dn = "{READER}"\n password-file = "{path}"\n timeout = 3s\n dead-time = 1s\n {more}\n}}\n'


def test_ldap_in_slapd(top):
    """Known by mail or proxyAddresses; every way to connect; what strangers write is no filter; answers are remembered; the second server takes over; all away: 451."""
    people = {"anna": ("anna@hospital.example", ["smtp:a.nna@hospital.example", "SMTP:Anna.Old@hospital.example"]), "star": ("(star)@hospital.example", [])}
    one, two = Slapd(top, "one", people), Slapd(top, "two", people)
    sink = Sink()
    gw = Gateway(top, "hospital", "hospital.example", sink.address, "127.0.0.1:1", domain_settings="recipients = ldap",
                 sections=ldap_section(os.path.join(top, "password"), [one.tls_uri, two.uri], f'ca-file = "{os.path.join(top, "cas.pem")}"'), log_level="debug")
    with open(os.path.join(top, "cas.pem"), "w") as f:
        f.write(open(one.cert).read() + open(two.cert).read())
    one.start()
    two.start()
    gw.start()
    try:
        got = rcpt(gw.outside, "anna@hospital.example", "ANNA+x@hospital.example", "a.nna@hospital.example", "anna.old@hospital.example", "joe@hospital.example", "*@hospital.example",
                   '"*)(mail=*"@hospital.example', '"(star)"@hospital.example', "postmaster@hospital.example", "anna@hospital.example", "joe@hospital.example")
        assert [r[:3] for r in got] == ["250", "250", "250", "250", "550", "550", "550", "250", "250", "250", "550"], got
        assert "550 5.1.1" in got[4]
        assert one.searches() == 8 and two.searches() == 0, (one.log(), "one question for each address, none for postmaster or twice")
        said = check(gw, "anna@hospital.example", "--fresh")
        assert said["state"] == "known" and said["source"] == "ldap" and said["accepted"] and "uid=anna" in said["said"], said
        assert check(gw, "joe@hospital.example")["code"] == 550
        one.stop()
        got = rcpt(gw.outside, "joe2@hospital.example")
        assert got[0][:9] == "550 5.1.1" and two.searches() == 1, got
        assert two.uri in check(gw, "joe2@hospital.example")["said"]
        assert "STARTTLS" in two.log()
        two.stop()
        got = rcpt(gw.outside, "joe3@hospital.example", "anna@hospital.example", "postmaster@hospital.example")
        assert [r[:9] for r in got] == ["451 4.4.3", "250 2.1.5", "250 2.1.5"], got
        one.start()
        wait_for("the first server to be asked again", 20, lambda: rcpt(gw.outside, "joe3@hospital.example")[0].startswith("550"))
    finally:
        one.stop()
        two.stop()
    assert PASSWORD not in gw.log(), "also not at debug"
    gw.wait_log(r"debug scout\[\d+\] - scout sandbox can=0x2\b")  # sockets: it has threads for LDAP, and still no files, programs or processes


def test_ldap_gone_wrong(top):
    """A certificate for another name, a wrong password, a wrong base: 451 and an alarm, never 550 and never a bind in the clear."""
    d = Slapd(top, "one", {"anna": ("anna@hospital.example", [])}).start()
    other = Slapd(top, "other", {}, names="DNS:elsewhere.test").start()
    sink = Sink()
    path = os.path.join(top, "password")
    gw = Gateway(top, "hospital", "hospital.example", sink.address, "127.0.0.1:1", domain_settings="recipients = ldap")
    try:
        for servers, more, password, words in (
                ([other.tls_uri], f'ca-file = "{other.cert}"', PASSWORD, "TLS"),
                ([d.uri], f'ca-file = "{other.cert}"', PASSWORD, "STARTTLS"),
                ([d.tls_uri], f'ca-file = "{d.cert}"', "wrong", "bind: Invalid credentials"),
                ([d.tls_uri], f'ca-file = "{d.cert}"\n base = "dc=nowhere"', PASSWORD, "search:")):
            sections = ldap_section(path, servers, more, password)
            gw.sections = sections if "base =" not in more else sections.replace(' base = "dc=hospital,dc=example"\n', "")
            gw.write_conf()
            gw.start()
            assert rcpt(gw.outside, "anna@hospital.example")[0].startswith("451 4.4.3")
            said = check(gw, "anna@hospital.example")
            assert said["state"] == "unsure" and words in said["said"], said
            gw.wait_log("alarm=recipients domain=hospital.example source=ldap")
            assert gw.stop() == 0
        for mode, text, words in ((0o644, "x\n", "can be read by others: chmod 600"), (0o600, "\n", "is empty"), (0o600, None, "No such file")):
            os.remove(path)
            if text is not None:
                with open(path, "w") as f:
                    f.write(text)
                os.chmod(path, mode)
            r = posternd_check(gw)
            assert r.returncode != 0 and words in r.stdout and path in r.stdout, r.stdout
        assert "BIND" not in other.log() and d.log().count(" method=128") == 2, d.log()
    finally:
        d.stop()
        other.stop()


@quick
def test_map(top):
    """recipient-map: what it says; a bad file is refused with its line at start and on reload, and the old one goes on; SIGHUP brings the new one."""
    path = os.path.join(top, "map")

    def write(text):
        with open(path, "w") as f:
            f.write(text)
    write("# ours\nAnna\nbob@hospital.example\nshop-*\n!shop-closed\n@other.example\n")
    gw, _, _ = solo(top, domain_settings=f'recipients = map\n recipient-map = "{path}"', start=False)
    gw.start()
    us = [x + "@hospital.example" for x in ("anna", "aNNa+tag", "bob", "shop-9", "shop-closed", "shop-closed+x", "joe", "postmaster")]
    assert [r[:9] for r in rcpt(gw.outside, *us)] == ["250 2.1.5"] * 4 + ["550 5.1.1"] * 3 + ["250 2.1.5"]
    said = check(gw, "shop-closed@hospital.example")
    assert said == {"state": "unknown", "source": "map", "said": f"{path}:5 refuses it", "age_s": 0, "accepted": False, "code": 550, "status": "5.1.1",
                    "text": "<shop-closed@hospital.example>: there is no such mailbox here"}, said
    code, out, _ = gw.postern("recipient", "check", "Anna+x@hospital.example")
    assert code == 0 and f"{path}:2 has it" in out and "taken" in out, out
    code, _, err = gw.postern("recipient", "check", "x@else.example", check=False)
    assert code != 0 and "not of a domain served here" in err, err
    write("anna\njoe\n\n!joe # not a comment\n")
    gw.proc.send_signal(signal.SIGHUP)
    gw.wait_log(f"alarm=reload why=\"{path}:4: ")
    assert rcpt(gw.outside, us[2])[0].startswith("250")
    write("joe\n")
    mark = len(gw.log().encode())
    gw.proc.send_signal(signal.SIGHUP)
    gw.wait_log("ready all=", since=mark)
    wait_for("the new map", 20, lambda: [r[:3] for r in rcpt(gw.outside, us[6], us[0])] == ["250", "550"])
    write("joe@\n")
    r = posternd_check(gw)
    assert r.returncode != 0 and f"{path}:1: \"joe@\"" in r.stdout, r.stdout
    gw.sections = "recipients {\n map-max = 1k\n}"
    gw.write_conf()
    for n, good in ((1024, True), (1025, False)):
        write("#" * (n - 1) + "\n")
        r = posternd_check(gw)
        assert (r.returncode == 0) == good and (good or (path in r.stdout and "map-max" in r.stdout)), r.stdout


class Slow(Sink):
    """An inside server that answers RCPT when it is told to, and counts."""
    def __init__(self):
        self.asked, self.go = [], threading.Event()
        super().__init__()
        self.refuse = self

    def get(self, address):
        self.asked.append(address)
        self.go.wait(60)
        return None if address.startswith("anna") else "550 no such user"


@quick
def test_one_question_for_many_clients(top):
    """60 clients that wait for one address are one question; those that leave meanwhile are no harm; refusals that are not about the recipient are 451."""
    slow = Slow()
    gw = Gateway(top, "hospital", "hospital.example", slow.address, "127.0.0.1:1", sections="recipients {\n timeout = 60s\n}")
    gw.start()
    talks = [Talk(gw.outside, timeout=60) for _ in range(60)]
    for t in talks:
        t.ask("EHLO client.test")
        t.ask("MAIL FROM:<x@world.test>")
        t.say("RCPT TO:<anna@hospital.example>\r\n")
    wait_for("the question", 20, lambda: slow.asked)
    for t in talks[:20]:
        t.close()
    wait_for("the sessions to end", 20, lambda: gw.cli("status")["relay"]["sessions"] <= 40)
    slow.go.set()
    assert [t.reply()[:3] for t in talks[20:]] == ["250"] * 40
    assert slow.asked == ["anna@hospital.example"]
    assert slow.mails == [], "a question is no mail"
    assert rcpt(gw.outside, "joe@hospital.example")[0].startswith("550 5.1.1")
    for reply in ("450 4.2.0 later", "552 5.2.2 full", "550 5.7.1 who are you", "530 5.7.0 authenticate"):
        slow.refuse = {"new@hospital.example": reply}
        assert rcpt(gw.outside, "new@hospital.example")[0].startswith("451 4.4.3"), reply
        said = check(gw, "new@hospital.example")
        assert said["state"] == "unsure" and reply in said["said"], said
        assert ("alarm=recipients" in gw.log(gw.mark)) == (reply[4:7] == "5.7"), reply
    slow.refuse = {}
    assert check(gw, "new@hospital.example")["accepted"], "nothing of it was remembered"


@quick
def test_nobody_is_crowded_out(top):
    """One client's made-up addresses, while the inside server is slow: beyond its share it is told so, others are asked for all the same, and what it leaves behind holds no place."""
    slow = Slow()
    gw = Gateway(top, "hospital", "hospital.example", slow.address, "127.0.0.1:1", outside_settings='unlimited = {"127.0.0.1"}', sections="recipients {\n timeout = 60s\n waiting-max = 8\n waiting-per-client = 6\n probe-connections = 2\n}")
    gw.start()

    def ask(source, name):
        t = Talk(gw.outside, 60, source)
        t.ask("EHLO client.test")
        t.ask("MAIL FROM:<x@world.test>")
        t.say(f"RCPT TO:<{name}@hospital.example>\r\n")
        return t
    first = [ask("127.0.0.5", f"made-up-{i}") for i in range(6)]
    wait_for("the questions", 20, lambda: len(slow.asked) == 2)
    over = ask("127.0.0.5", "anna-too")
    assert over.reply() == "451 4.7.1 <anna-too@hospital.example>: too many recipients that you asked for are still being looked up here, try again later"
    others = [ask("127.0.0.6", "anna"), ask("127.0.0.7", "anna-b")]
    late = ask("127.0.0.8", "anna-c")
    assert late.reply() == "451 4.3.2 <anna-c@hospital.example>: too many recipients are being looked up here at the moment, try again later"
    gw.wait_log("alarm=recipients .*waiting-max")
    for t in first:
        t.close()
    wait_for("the sessions to end", 20, lambda: gw.cli("status")["relay"]["sessions"] <= 4)
    again = [ask("127.0.0.8", f"anna-{i}") for i in range(4)]  # the made-up ones that nobody asked the inside server for are gone
    slow.go.set()
    assert [t.reply()[:3] for t in others + again] == ["250"] * 6
    assert len([a for a in slow.asked if a.startswith("made-up")]) == 2, slow.asked


def test_refused_after_acceptance_and_away(top):
    """The inside server takes RCPT and refuses the mail later: held with its words, and nothing goes outside. It is away: the ciphertext waits, and arrives when it is back."""
    hospital, lab, hs, ls = pair(top, sections=RETRIES)
    to = "b@lab.example"
    assert send(hospital.inside, "a@hospital.example", to, message("a@hospital.example", to, "first"))[0] == 250
    ls.by_subject("first")
    t = Talk(lab.outside)
    assert [t.ask(line)[:3] for line in ("EHLO client.test", "MAIL FROM:<x@world.test>", f"RCPT TO:<{to}>", "DATA")] == ["250", "250", "250", "354"]
    ls.refuse[to] = "550 5.2.1 closed today"
    assert send(hospital.inside, "a@hospital.example", to, message("a@hospital.example", to, "refused"))[0] == 250
    assert t.ask(message("x@world.test", to, "clear refused") + b".\r\n").startswith("250")
    t.close()
    held = wait_for("both to be held", 30, lambda: (lambda q: q if len(q) == 2 else None)(lab.queue(state="held")))
    assert all("550 5.2.1 closed today" in m["recipients"][0]["reason"] for m in held), held
    assert not [m for m in lab.queue() if m["sender"] == ""] and not [m for m in hs.mails], "nobody outside is told"
    assert rcpt(lab.outside, to)[0].startswith("550 5.1.1"), "what was remembered is forgotten: refused in time from now on"
    ls.refuse.clear()
    assert check(lab, to, "--fresh")["accepted"]
    ls.close()
    assert send(hospital.inside, "a@hospital.example", to, message("a@hospital.example", to, "waits", "the secret words\r\n"))[0] == 250
    wait_for("it to wait at lab", 30, lambda: [m for m in lab.queue(state="queued") if m["recipients"][0]["attempts"] > 0])
    for folder, _, names in os.walk(os.path.join(lab.data, "queue")):
        for n in names:
            with open(os.path.join(folder, n), "rb") as f:
                assert b"the secret words" not in f.read()
    sink = Sink(ls.port)
    assert b"the secret words" in sink.by_subject("waits", 60).body
    assert not hs.mails


@quick
def test_late_answer(top):
    """An answer that takes longer than a client waits: 451 in time, and what comes later is remembered for the next try."""
    slow = Slow()
    gw = Gateway(top, "hospital", "hospital.example", slow.address, "127.0.0.1:1", sections="recipients {\n timeout = 300ms\n}")
    gw.start()
    assert [r[:9] for r in rcpt(gw.outside, "anna@hospital.example", "anna@hospital.example", "postmaster@hospital.example")] == ["451 4.4.3", "451 4.4.3", "250 2.1.5"]
    slow.go.set()
    wait_for("the late answer to be used", 20, lambda: rcpt(gw.outside, "anna@hospital.example")[0].startswith("250"))
    assert slow.asked == ["anna@hospital.example"]
