"""Alerts by mail: what is urgent is told at once to all of alert-mail, nothing is told twice, also after a restart or when the process dies; only our own domains are told."""
import base64
import json
import os
import re
import signal
import subprocess

from gateway import BUILD, wait_for
from mail import quick, solo
from smime import Identity

TOLD = ("it@hospital.example", "head@hospital.example")
ALERTS = 'alerts {\n  alert-mail = {%s}\n  interval = 1s\n  digest-hour = 0\n}\n'


def looks(gw, n):
    """n more looks at what there is to tell."""
    mark = os.path.getsize(gw.log_path)
    wait_for(f"{n} looks for alerts", 30, lambda: len(re.findall(r" alerts n=", gw.log(mark))) >= n)


def words(mail):
    return base64.b64decode(mail.data.split(b"\r\n\r\n", 1)[1]).decode()


def with_alerts(top):
    gw, inside, outside = solo(top, log_level="debug")
    gw.stop()
    gw.sections = ALERTS % ", ".join(f'"{a}"' for a in TOLD)
    gw.write_conf()
    return gw, inside, outside


@quick
def test_told_once(top):
    gw, inside, outside = with_alerts(top)
    gw.start()
    looks(gw, 2)  # all is well
    assert not inside.mails
    soon = Identity(top, "soon", "email:b@lab.example", days=3)
    gw.postern("cert", "import", soon.cert, "--for", "b@lab.example", "--pin", "--yes")
    mail = inside.wait(1)[0]
    assert mail.sender == "" and set(mail.rcpts) == set(TOLD), (mail.sender, mail.rcpts)
    head, text = mail.data.split(b"\r\n\r\n", 1)[0].decode(), words(mail)
    assert "Subject: [Postern gw.hospital.example] 1 alert, 1 urgent" in head and "Auto-Submitted: auto-generated" in head, head
    assert "lab.example" in text and "CN=soon" in text and re.search(r"runs out in [23] days", text) and "postern cert import" in text, text
    found = wait_for("the mail in the history", 10, lambda: gw.cli("message", "find", "--direction", "notice")["messages"])
    assert len(found) == 1 and found[0]["recipients_total"] == 2, found
    looks(gw, 3)
    os.kill(gw.roles()["relay"][0], signal.SIGKILL)
    looks(gw, 3)
    gw.stop()
    gw.start()
    looks(gw, 3)
    assert len(inside.mails) == 1 and not outside.mails, [words(m) for m in inside.mails]
    with open(os.path.join(gw.data, "queue", "alerts.json")) as f:
        assert json.load(f)["mails"] == 1


@quick
def test_none_to_strangers(top):
    """An address that is not of ours ends the configuration's reading, with the sentence why."""
    gw, _, _ = solo(top, start=False, sections=ALERTS % '"it@elsewhere.example"')
    p = subprocess.run([os.path.join(BUILD, "bin", "posternd"), "-c", gw.conf, "-t"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
    assert p.returncode != 0 and "it@elsewhere.example is not of a domain of ours" in p.stdout, p
