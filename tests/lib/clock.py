"""A clock that a test puts forward (tests/replay/clock.c): one for a gateway, or one for all gateways of a world that share a file."""
import os
import struct

import gateway


class Clock:
    """A file that every process of a gateway looks at."""
    def __init__(self, path):
        self.path, self.ahead = path, 0
        self.forward(0)
        os.chmod(path, 0o644)

    def forward(self, seconds):
        self.ahead += seconds
        if not os.path.exists(self.path):
            open(self.path, "wb").close()
        with open(self.path, "r+b") as f:
            f.write(struct.pack("q", self.ahead * 10**9))

    def environment(self, env):
        return dict(env, LD_PRELOAD=os.path.join(gateway.BUILD, "replay", "clock.so"), POSTERN_TEST_CLOCK=self.path, ASAN_OPTIONS="verify_asan_link_order=0")
