"""postern backup and restore: a gateway that lost its disk is the same one again; a backup that is not whole says so."""
import glob
import os
import shutil
import subprocess

from gateway import wait_for
from mail import message, pair, quick, send

US, THEM = "a@hospital.example", "b@lab.example"


@quick
def test_restored_gateway_reads_what_is_sealed_for_it(top):
    hospital, lab, _, inside = pair(top)
    place = os.path.join(top, "backup")

    def identities():
        return [(i["key_id"], i["use"], i["state"], i["certificate"]["sha256"]) for i in lab.cli("domain", "list")["identities"]]
    # the gateway makes it by itself, soon after the first certificate
    before = wait_for("the key for statements", 20, lambda: (lambda l: l if any(i[1] == "statement" for i in l) else None)(identities()))
    lab.postern("backup", place)
    assert subprocess.run(["sha256sum", "--quiet", "-c", "MANIFEST"], cwd=place).returncode == 0
    lab.stop()
    shutil.rmtree(lab.data)
    lab.postern("restore", place, "--data", lab.data)
    lab.start()
    assert identities() == before
    assert send(hospital.inside, US, THEM, message(US, THEM, "after the fire"))[0] == 250
    mail = inside.by_subject("after the fire")
    assert mail.fields("X-Postern-Verdict") == ["sealed"], mail.header
    # one file changed: nothing is put in place
    lab.stop()
    key = sorted(glob.glob(os.path.join(place, "keys", "*.key")))[0]
    with open(key, "r+b") as f:
        f.seek(20)
        octet = f.read(1)
        f.seek(20)
        f.write(bytes([octet[0] ^ 1]))
    code, _, words = lab.postern("restore", place, "--data", lab.data, "--force", check=False)
    assert code != 0 and os.path.basename(key) in words, (code, words)
    lab.start()
    assert send(hospital.inside, US, THEM, message(US, THEM, "still there"))[0] == 250
    inside.by_subject("still there")
    # a key file that cannot be read: no backup, and which one
    key = sorted(glob.glob(os.path.join(lab.data, "keys", "*.key")))[0]
    os.rename(key, key + ".away")
    os.mkdir(key)
    code, _, words = lab.postern("backup", os.path.join(top, "second"), check=False)
    assert code != 0 and os.path.basename(key) in words, (code, words)
    assert not os.path.exists(os.path.join(top, "second", "MANIFEST"))
    os.rmdir(key)
    os.rename(key + ".away", key)
