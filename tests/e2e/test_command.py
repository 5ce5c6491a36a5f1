"""The command `postern` itself: every command explains itself, the man page knows each one and each option, answers fit 80 columns and are JSON when asked."""
import json
import os
import re
import subprocess

from gateway import BUILD, ROOT
from mail import pair, quick

POSTERN = os.path.join(BUILD, "bin", "postern")


def run(*args):
    p = subprocess.run([POSTERN, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ, LC_ALL="C.UTF-8"))
    return p.returncode, p.stdout, p.stderr


def commands():
    """[name] of all commands, as the list of them says."""
    code, out, _ = run("help")
    assert code == 0
    return re.findall(r"^  (\w+(?: \w+)?) {2,}", out, re.M)


def test_every_command_explains_itself(top):
    names = commands()
    assert len(names) > 25 and "domain add" in names and "queue adopt" in names, names
    with open(os.path.join(ROOT, "docs", "man", "postern.1")) as f:
        source = f.read()
    for name in names:
        if name == "help":
            continue
        code, out, err = run(*name.split(), "--help")
        assert code == 0 and out.startswith(f"usage: postern {name}") and "for example: postern " + name in " ".join(out.split()) and not err, (name, out, err)
        assert run("help", *name.split())[1] == out
        assert all(len(line) <= 80 for line in out.splitlines()), out
        assert re.search(rf"^\.(It )?Cm {name.split()[0]}\b" + (rf".*\b{name.split()[1]}\b" if " " in name else ""), source, re.M), f"the man page does not know {name}"
        for option in re.findall(r"--([a-z0-9-]+)", out.split("\n", 1)[0]):
            assert "Fl -" + option in source, f"the man page does not know --{option} of {name}"
    for group in {n.split()[0] for n in names if " " in n}:
        code, out, err = run(group, "--help")
        assert code == 0 and not err and len(out.splitlines()) >= 1, (group, code, err)
    for args in (("--help",), ("-h",)):
        assert run(*args)[0] == 0
    code, out, err = run("domain", "nonsense")
    assert code == 2 and "there is no command" in err
    for status in ("0", "1", "2", "3", "4"):
        assert re.search(rf"^\.It {status}$", source, re.M), f"exit status {status} is not in the man page"


@quick
def test_answers_fit_and_are_json(top):
    hospital, _, _, _ = pair(top)
    for words, sentence in (("queue list --state helt", 'there is no state "helt"'), ("partner set lab.example", "nothing is said that could be changed")):
        code, out, err = hospital.postern(*words.split(), check=False)
        assert code == 2 and not out and sentence in err and f"usage: postern {' '.join(words.split()[:2])} " in err, (words, code, err)
    code, _, err = hospital.postern("partner", "set", "lab.example", "--format", "legacy-display=yes", check=False)
    assert code == 2 and "legacy-display=yes needs wrap=rfc9788" in err, err
    assert "an encrypted part beside others: refuse" in " ".join(hospital.postern("explain", "b@lab.example", "a@hospital.example")[1].split())
    hospital.postern("rule", "add", "press", "--sender", "press@hospital.example", "--treatment", "sign", "--strength", "prefer")
    for words in ("status", "domain list", "domain list hospital.example", "partner list", "partner show lab.example", "cert list", "anchor list", "rule list", "queue list", "audit list",
                  "audit verify", "explain a@hospital.example b@lab.example", "recipient check a@hospital.example"):
        text = hospital.postern(*words.split())[1]
        wide = [line for line in text.splitlines() if len(line) > 80]
        assert text and not wide, (words, wide)
        assert isinstance(json.loads(hospital.postern("--json", *words.split())[1]), dict), words
