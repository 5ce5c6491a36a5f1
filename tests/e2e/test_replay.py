"""The scenarios of tests/replay: a scripted mail host, a clock that is put forward, and the recipient's outcome each time."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "replay"))
import replay  # noqa: E402


def test_every_reply_at_every_stage(top):
    replay.run(top, "replies.rpl")


def test_lost_and_malformed(top):
    replay.run(top, "lost.rpl")


def test_tls_that_fails(top):
    replay.run(top, "tls.rpl")


def test_time(top):
    replay.run(top, "time.rpl")


def test_xsmg(top):
    replay.run(top, "xsmg.rpl")


def test_chunks_and_flights(top):
    replay.run(top, "chunks.rpl")


def test_content_behind_recipients(top):
    replay.run(top, "early.rpl")
