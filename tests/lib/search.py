"""Looks for words in octets as they stand and through the encodings of mail: base64 at each of its three phases (line ends left out) and quoted-printable."""
import base64
import os
import quopri
import stat


def _needles(word):
    """The word as it stands, and as the middle of a base64 text that began 0, 1 or 2 octets earlier."""
    out = [word]
    for lead in range(3):
        text = base64.b64encode(b"\0" * lead + word)
        begin = (lead * 8 + 5) // 6  # characters that also depend on what came before
        end = ((lead + len(word)) * 8) // 6  # and those that depend on what follows
        out.append(text[begin:end])
    return out


def found(octets, words):
    """Those of the words (bytes, 12 octets or more) that are in the octets."""
    joined = octets.replace(b"\r", b"").replace(b"\n", b"")
    plain = quopri.decodestring(octets) if b"=" in octets else b""
    return [w for w in words if any(n in octets or n in joined for n in _needles(w)) or w in plain]


def _read(path):
    with open(path, "rb") as f:
        return f.read()


def in_folder(top, words):
    """(path, word) for each file below top; number of files; octets read."""
    hits, files, size = [], 0, 0
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            try:
                if not stat.S_ISREG(os.lstat(path).st_mode):
                    continue
                data = _read(path)
            except FileNotFoundError:
                continue
            files, size = files + 1, size + len(data)
            hits += [(path, w) for w in found(data, words)]
    return hits, files, size


def in_open_files(pid, words):
    """(what it is, word) for each file on a disk that a process has open, also one without a name; number of them without a name; octets of those."""
    hits, unnamed, size = [], 0, 0
    for n in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{n}"
        try:
            to = os.readlink(path)
            if not to.startswith("/") or to.startswith("/memfd:") or not stat.S_ISREG(os.stat(path).st_mode):
                continue
            data = _read(path)
        except FileNotFoundError:
            continue
        if to.endswith(" (deleted)"):
            unnamed, size = unnamed + 1, size + len(data)
        hits += [(to, w) for w in found(data, words)]
    return hits, unnamed, size
