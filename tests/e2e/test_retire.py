"""The end of a key of ours: what was replaced still opens, what is retired opens no more, is gone from the disk, and stays gone over a restart."""
import os
import shutil
import time

from mail import quick, send, solo
from partners import arrived
from smime import Identity, entity, seal, with_header

BOB, ANN = "bob@lab.example", "ann@hospital.example"


def keys(gw, use):
    return {k["key_id"]: k["does"] for k in gw.cli("domain", "list", gw.domain)["identities"] if k["use"] == use}


def key_files(gw):
    return {f[:-4] for f in os.listdir(os.path.join(gw.data, "keys")) if f.endswith(".key")}


@quick
def test_retire(top):
    gw, inside, _ = solo(top)
    them = Identity(top, "bob", "email:" + BOB)
    gw.postern("cert", "import", them.cert, "--for", BOB, "--pin", "--yes")
    old_cert = os.path.join(top, "old.pem")
    shutil.copy(os.path.join(gw.dir, "decrypt.pem"), old_cert)
    (old,) = keys(gw, "decrypt")

    def mail(cert, subject):
        inside.mails.clear()
        return send(gw.outside, BOB, ANN, with_header(seal(cert, them.sign(entity("content\r\n"))), BOB, ANN, subject))

    code, _, err = gw.postern("domain", "retire", old, "--yes", check=False)
    assert code == 1 and "and the only one" in err and "postern domain add hospital.example" in " ".join(err.split()), err
    assert gw.postern("domain", "retire", "no-such-key", "--yes", check=False)[0] == 1
    began = time.time()
    while time.time() < int(began) + 1:  # the newest is told by its beginning, in seconds
        time.sleep(0.05)
    gw.make_identity()
    new_cert = os.path.join(gw.dir, "decrypt.pem")
    new = next(k for k, does in keys(gw, "decrypt").items() if does == "opens")
    assert keys(gw, "decrypt") == {old: "only opens", new: "opens"} and sorted(keys(gw, "sign").values()) == ["nothing", "signs"]
    assert "only opens" in gw.postern("domain", "list")[1]
    assert mail(old_cert, "to the old key")[0] == 250
    assert arrived(inside, ANN).field("X-Postern-Verdict") == "sealed"
    code, _, err = gw.postern("domain", "retire", new, "--yes", check=False)
    assert code == 1 and f"{old} takes its place" in " ".join(err.split()), err
    assert {old, new} <= key_files(gw)
    before = gw.cli("status")["judge"]["keeper"]["keys"]
    out = gw.postern("domain", "retire", old, "--yes")[1]
    assert "its file is removed" in " ".join(out.split()) and "is refused from now on" in " ".join(out.split()), out
    assert old not in key_files(gw) and new in key_files(gw)
    assert gw.cli("status")["judge"]["keeper"]["keys"] == before - 1
    rows = [r["what"] for r in gw.cli("audit", "list", "--max", "3")["rows"] if r["what"] != "statement.make"][:2]  # the new statement is made meanwhile
    assert rows == ["identity.forgotten", "identity.retire decrypt"], rows
    for again in range(2):
        code, why = mail(old_cert, "to the retired key")
        assert code == 550, (code, why)
        assert mail(new_cert, "to the new key")[0] == 250
        assert arrived(inside, ANN).field("X-Postern-Verdict") == "sealed"
        assert list(keys(gw, "decrypt")) == [new]
        if not again:
            gw.stop()
            gw.start()
    gw.stop()
