/* header.c: reading in any pieces, order and octets kept, limits, and the author whatever is tried to hide it. */
#include "gateway/mail/header.h"

#include "tests/unit/slow_reader.h"

static struct arena *arena;

static void setup(void)
{
	arena = arena_new(1 << 20);
}

static void teardown(void)
{
	arena_free(arena);
}

static int read_step(const char *p, size_t n, size_t step, struct header *h, struct problem *pr)
{
	struct slow_reader s;

	slow_init(&s, p, n, step);
	return header_read(arena, &s.reader, 0, n, &header_limits_default, h, pr);
}

static int read_text(const char *text, struct header *h, struct problem *pr)
{
	return read_step(text, strlen(text), 65536, h, pr);
}

static const char message[] =
    "Received: from a\r\n\tby b;\r\n  now\r\nfrom:Bob <b@x.org>\r\nX-Empty:\r\nX-Blank: \r\n \r\n"
    "Subject:  =?utf-8?Q?a?=\r\n\t b \r\n\r\nbody\r\n\r\n";

START_TEST(test_read)
{
	size_t octets = sizeof(message) - 1 - strlen("body\r\n\r\n");

	for (size_t step = 1; step <= sizeof(message); step++) {
		struct problem pr;
		struct header h;
		size_t at = 0;

		ck_assert_int_eq(read_step(message, sizeof(message) - 1, step, &h, &pr), 0);
		ck_assert_uint_eq(h.n, 5);
		ck_assert_uint_eq(h.octets, octets);
		for (size_t i = 0; i < h.n; i++) {
			ck_assert_mem_eq(h.f[i].raw, message + at, h.f[i].raw_len);
			at += h.f[i].raw_len;
		}
		ck_assert_uint_eq(at + 2, octets);
		ck_assert_str_eq(header_text(arena, &h.f[0]), "from a\tby b;  now");
		ck_assert_str_eq(header_text(arena, header_find(&h, "FROM", 0)), "Bob <b@x.org>");
		ck_assert_str_eq(header_text(arena, &h.f[2]), "");
		ck_assert_str_eq(header_text(arena, &h.f[3]), "");
		ck_assert_str_eq(header_text(arena, &h.f[4]), "=?utf-8?Q?a?=\t b");
		ck_assert_uint_eq(h.f[1].value_len, strlen("Bob <b@x.org>"));
	}
}
END_TEST

START_TEST(test_find)
{
	struct header h;

	ck_assert_int_eq(read_text("A: 1\r\nb: 2\r\na: 3\r\nAA: 4\r\n\r\n", &h, NULL), 0);
	ck_assert_uint_eq(header_count(&h, "a"), 2);
	ck_assert_uint_eq(header_count(&h, "c"), 0);
	ck_assert_ptr_eq(header_find(&h, "A", 1), &h.f[2]);
	ck_assert_ptr_null(header_find(&h, "A", 2));
	ck_assert_ptr_eq(header_find(&h, "aA", 0), &h.f[3]);
}
END_TEST

START_TEST(test_ends)
{
	struct header h;

	ck_assert_int_eq(read_text("", &h, NULL), 0);
	ck_assert_uint_eq(h.n, 0);
	ck_assert_uint_eq(h.octets, 0);
	ck_assert_int_eq(read_text("\r\nx", &h, NULL), 0);
	ck_assert_uint_eq(h.n, 0);
	ck_assert_uint_eq(h.octets, 2);
	ck_assert_int_eq(read_text("A: b\r\n", &h, NULL), 0);
	ck_assert_uint_eq(h.n, 1);
	ck_assert_uint_eq(h.octets, 6);
	/* the CRLF that lacks is supplied, so that fields never run together when copied */
	ck_assert_int_eq(read_text("A: b\r\nC: d", &h, NULL), 0);
	ck_assert_uint_eq(h.n, 2);
	ck_assert_uint_eq(h.octets, 10);
	ck_assert_uint_eq(h.f[1].raw_len, 6);
	ck_assert_mem_eq(h.f[1].raw, "C: d\r\n", 6);
	ck_assert_str_eq(header_text(arena, &h.f[1]), "d");
}
END_TEST

#define RAW(s)                                                                                                       \
	{                                                                                                            \
		s, sizeof(s) - 1                                                                                     \
	}
static const struct {
	const char *p;
	size_t n;
} refused[] = {
    RAW("no field\r\n\r\n"),
    RAW(" a: b\r\n\r\n"),
    RAW("\ta: b\r\n\r\n"),
    RAW("From : x\r\n\r\n"),
    RAW("Fr om: x\r\n\r\n"),
    RAW(": x\r\n\r\n"),
    RAW("A: b\nC: d\r\n\r\n"),
    RAW("A: b\n\n"),
    RAW("A: b\r\n\n"),
    RAW("A: b\rC: d\r\n\r\n"),
    RAW("A: b\r\r\n\r\n"),
    RAW("A: b\r"),
    RAW("\rA: b\r\n"),
    RAW("A: b\r\n\rC: d\r\n\r\n"),
    RAW("A: \0b\r\n\r\n"),
    RAW("A\0: b\r\n\r\n"),
    RAW("\xc3\xa4: b\r\n\r\n"),
    RAW("A\t: b\r\n\r\n"),
    RAW("\n"),
    RAW("x"),
    RAW("From bob@x.org Mon\r\nA: b\r\n\r\n"),
    RAW("A: b\r\n\0\r\n"),
    RAW("A: b\n"),
    RAW("\x7f: b\r\n\r\n"),
};

START_TEST(test_refused)
{
	for (size_t step = 1; step <= refused[_i].n; step++) {
		struct problem pr;
		struct header h;

		problem_clear(&pr);
		ck_assert_int_eq(read_step(refused[_i].p, refused[_i].n, step, &h, &pr), -1);
		ck_assert_int_eq(pr.cls, PROBLEM_PERM);
		ck_assert_int_eq(pr.code, 554);
		ck_assert_uint_eq(h.n, 0);
	}
}
END_TEST

START_TEST(test_limits)
{
	struct header_limits lim = {.octets = 40, .fields = 3};
	static const char fields[] = "A: 1\r\nB: 2\r\nC: 3\r\n\r\nbody",
			  more[] = "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n";
	char block[64];
	struct stream_mem m;
	struct header h;

	stream_mem_init(&m, fields, sizeof(fields) - 1);
	ck_assert_int_eq(header_read(arena, &m.reader, 0, sizeof(fields) - 1, &lim, &h, NULL), 0);
	stream_mem_init(&m, more, sizeof(more) - 1);
	ck_assert_int_eq(header_read(arena, &m.reader, 0, sizeof(more) - 1, &lim, &h, NULL), -1);
	for (size_t n = 30; n <= 50; n++) {
		memset(block, 'a', sizeof(block));
		memcpy(block, "A: ", 3);
		memcpy(block + n - 4, "\r\n\r\nX", 5);
		stream_mem_init(&m, block, sizeof(block));
		ck_assert_int_eq(header_read(arena, &m.reader, 0, sizeof(block), &lim, &h, NULL), n <= 40 ? 0 : -1);
	}
}
END_TEST

/* A large message behind a small header is not read. */
START_TEST(test_reads_little)
{
	size_t n = 10 << 20;
	char *p = malloc(n);
	struct slow_reader s;
	struct header h;

	memset(p, 'x', n);
	memcpy(p, "A: b\r\n\r\n", 8);
	slow_init(&s, p, n, n);
	ck_assert_int_eq(header_read(arena, &s.reader, 0, n, &header_limits_default, &h, NULL), 0);
	ck_assert_uint_le(s.given, 65536);
	free(p);
}
END_TEST

START_TEST(test_offset)
{
	static const char text[] = "junk A: b\r\n\r\nC: d\r\n";
	struct stream_mem m;
	struct header h;

	stream_mem_init(&m, text, sizeof(text) - 1);
	ck_assert_int_eq(header_read(arena, &m.reader, 5, 6, &header_limits_default, &h, NULL), 0);
	ck_assert_uint_eq(h.n, 1);
	ck_assert_uint_eq(h.octets, 6);
}
END_TEST

START_TEST(test_small_arena)
{
	struct arena *small = arena_new(64);
	struct stream_mem m;
	struct problem pr;
	struct header h;

	stream_mem_init(&m, message, sizeof(message) - 1);
	ck_assert_int_eq(header_read(small, &m.reader, 0, m.reader.size, &header_limits_default, &h, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	arena_free(small);
}
END_TEST

START_TEST(test_content)
{
	struct header h;

	ck_assert_int_eq(read_text("mime-version: 1\r\nCONTENT-Type: a\r\nContent-X: b\r\nContent-: c\r\nContents: "
				   "d\r\nContent: e\r\n\r\n",
			     &h, NULL),
	    0);
	for (size_t i = 0; i < h.n; i++)
		ck_assert_int_eq(header_is_content(&h.f[i]), i < 3);
}
END_TEST

static bool keep_some(const struct header_field *f, void *ctx)
{
	return !header_is(f, ctx);
}

START_TEST(test_write)
{
	struct stream_buf w;
	struct header h;
	struct buf b;

	buf_init(&b, 4096);
	stream_buf_init(&w, &b);
	ck_assert_int_eq(read_text("A: 1\r\nB:  2 \r\n\t3\r\nC:4\r\nb: 5\r\nD: 6\r\n\r\n", &h, NULL), 0);
	ck_assert_int_eq(header_write(&h, NULL, NULL, &w.writer, NULL), 0);
	ck_assert_str_eq(buf_str(&b), "A: 1\r\nB:  2 \r\n\t3\r\nC:4\r\nb: 5\r\nD: 6\r\n");
	buf_reset(&b);
	ck_assert_int_eq(header_write(&h, keep_some, (void *)"B", &w.writer, NULL), 0);
	ck_assert_str_eq(buf_str(&b), "A: 1\r\nC:4\r\nD: 6\r\n");
	buf_reset(&b);
	ck_assert_int_eq(header_write(&h, keep_some, (void *)"A", &w.writer, NULL), 0);
	ck_assert_str_eq(buf_str(&b), "B:  2 \r\n\t3\r\nC:4\r\nb: 5\r\nD: 6\r\n");
	buf_clear(&b);
}
END_TEST

static const struct {
	const char *header;
	const char *author; /* NULL: refused */
} authors[] = {
    {"From: bob@x.org\r\n", "bob@x.org"},
    {"FROM:Bob <bob@X.org>\r\n", "bob@x.org"},
    {"From: \"Bob, the B.\" <bob@x.org>\r\n", "bob@x.org"},
    {"From: Bob\r\n\t<bob@x.org>\r\n", "bob@x.org"},
    {"From: root@x.org (Cron Daemon)\r\n", "root@x.org"},
    {"From: (Bob) Bob (the (B)) <bob@x.org> (home)\r\n", "bob@x.org"},
    {"From: =?utf-8?q?B=C3=B6b?= <bob@x.org>\r\n", "bob@x.org"},
    {"From: \"bob@x.org\" <bob@x.org>\r\n", "bob@x.org"},
    {"From: \"bob@a.example\" <eve@b.example>\r\n", "eve@b.example"},
    {"From: B\xc3\xb6"
     "b <bob@x.org>\r\n",
	"bob@x.org"},
    {"Sender: eve@y.org\r\nFrom: bob@x.org\r\nReply-To: eve@y.org\r\n", "bob@x.org"},
    {"Resent-From: eve@y.org\r\nFrom: bob@x.org\r\nX-From: eve@y.org\r\n", "bob@x.org"},
    /* none, several */
    {"Subject: x\r\n", NULL},
    {"From:\r\n", NULL},
    {"From: \r\n \r\n", NULL},
    {"From: bob@x.org\r\nFrom: bob@x.org\r\n", NULL},
    {"From: bob@x.org\r\nfrom: eve@y.org\r\n", NULL},
    {"From: bob@x.org, eve@y.org\r\n", NULL},
    {"From: Bob <bob@x.org>, Eve <eve@y.org>\r\n", NULL},
    {"From: bob@x.org,\r\n", NULL},
    {"From: ,bob@x.org\r\n", NULL},
    {"From: Bob <bob@x.org> <eve@y.org>\r\n", NULL},
    {"From: <bob@x.org><eve@y.org>\r\n", NULL},
    {"From: bob@x.org <eve@y.org>\r\n", NULL},
    {"From: bob@x.org eve@y.org\r\n", NULL},
    {"From: bob@x.org; eve@y.org\r\n", NULL},
    /* groups */
    {"From: Team: bob@x.org;\r\n", NULL},
    {"From: Team:;\r\n", NULL},
    {"From: Team:; bob@x.org\r\n", NULL},
    /* names and comments that show another address */
    {"From: \"Bob <bob@x.org>\" <eve@y.org>\r\n", NULL},
    {"From: \"Bob\\\" <bob@x.org>\" <eve@y.org>\r\n", NULL},
    {"From: \"<bob@x.org>\" eve@y.org\r\n", NULL},
    {"From: (bob@x.org) eve@y.org\r\n", NULL},
    {"From: eve@y.org (<bob@x.org>)\r\n", NULL},
    {"From: Eve (Bob <bob@x.org>) <eve@y.org>\r\n", NULL},
    {"From: eve(a)@(b)y.org\r\n", NULL},
    {"From: bob@x.org(.y.org\r\n", NULL},
    {"From: eve@y.org (unclosed\r\n", NULL},
    {"From: \"unclosed <bob@x.org>\r\n", NULL},
    /* brackets */
    {"From: Bob <bob@x.org\r\n", NULL},
    {"From: Bob bob@x.org>\r\n", NULL},
    {"From: Bob bob@x.org\r\n", NULL},
    {"From: Bob\r\n", NULL},
    {"From: <>\r\n", NULL},
    {"From: Bob <bob>\r\n", NULL},
    {"From: Bob <<bob@x.org>>\r\n", NULL},
    {"From: Bob <bob@x.org <eve@y.org>>\r\n", NULL},
    {"From: Bob <bob@x.org, eve@y.org>\r\n", NULL},
    {"From: <bob@x.org>eve@y.org\r\n", NULL},
    /* routes, encoded words, octets */
    {"From: <@a,@b:c@d>\r\n", NULL},
    {"From: <@a:c@d>\r\n", NULL},
    {"From: =?utf-8?q?bob?=@x.org\r\n", NULL},
    {"From: Bob <=?utf-8?q?bob=40x.org?=>\r\n", NULL},
    {"From: Bob <bob@=?utf-8?q?x?=.org>\r\n", NULL},
    {"From: =?utf-8?q?bob=40x.org?=\r\n", NULL},
    {"From: \"=?utf-8?q?bob=40x.org?=\"@y.org\r\n", NULL},
    {"From: b\xc3\xb6"
     "b@x.org\r\n",
	"b\xc3\xb6"
	"b@x.org"},
    {"From: b\xf6"
     "b@x.org\r\n",
	NULL},
    {"From: bob@x.org\x01\r\n", NULL},
    {"From: bob\x7f@x.org\r\n", NULL},
    {"From: bob@x_y.org\r\n", NULL},
    {"From: bob@@x.org\r\n", NULL},
    {"From: bob@x.org@y.org\r\n", NULL},
    {"From: bob%x.org\r\n", NULL},
    {"From: bob@x.org\\\r\n", NULL},
};

START_TEST(test_author)
{
	char text[ADDRESS_TEXT_MAX];
	struct problem pr;
	struct address a;
	struct header h;

	problem_clear(&pr);
	ck_assert_int_eq(read_text(authors[_i].header, &h, NULL), 0);
	ck_assert_int_eq(header_author(arena, &h, &a, &pr), authors[_i].author ? 0 : -1);
	ck_assert_str_eq(address_text(&a, text), authors[_i].author ? authors[_i].author : "");
	if (!authors[_i].author) {
		ck_assert_int_eq(pr.code, 554);
		ck_assert_str_eq(pr.enh, "5.6.0");
		ck_assert(pr.text[0] != 0);
	}
}
END_TEST

/* A NUL never gets as far as the field; should it, the address is refused. */
START_TEST(test_author_nul)
{
	static const char text[] = "From: bob@x.org\0.evil.example\r\n";
	struct header_field f = {.raw = text,
	    .raw_len = sizeof(text) - 1,
	    .name_len = 4,
	    .value = text + 5,
	    .value_len = sizeof(text) - 8};
	struct header h = {.f = &f, .n = 1};
	struct address a;

	ck_assert_int_eq(header_author(arena, &h, &a, NULL), -1);
	ck_assert(address_is_null(&a));
}
END_TEST

START_TEST(test_recipients)
{
	struct address list[4];
	struct header h;
	size_t n;

	ck_assert_int_eq(read_text("To: a@x, T: b@x;\r\nBcc: z@x\r\ncc: C <c@x>\r\n\r\n", &h, NULL), 0);
	ck_assert_int_eq(header_recipients(arena, &h, list, 4, &n, NULL), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(list[2].local, "c");
	ck_assert_int_eq(header_recipients(arena, &h, list, 2, &n, NULL), -1);
	ck_assert_int_eq(read_text("Subject: a\r\n\r\n", &h, NULL), 0);
	ck_assert_int_eq(header_recipients(arena, &h, list, 4, &n, NULL), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(read_text("To: a@x\r\nTo: b@x\r\n\r\n", &h, NULL), 0);
	ck_assert_int_eq(header_recipients(arena, &h, list, 4, &n, NULL), -1);
	ck_assert_int_eq(read_text("To: a@x\r\nCc: <b@x\r\n\r\n", &h, NULL), 0);
	ck_assert_int_eq(header_recipients(arena, &h, list, 4, &n, NULL), -1);
}
END_TEST

static const struct {
	const char *in;
	size_t max;
	const char *want;
} msgids[] = {
    {"References: <a@x> <b@x>\r\n\t<c@x>\r\n", 8, "<a@x><b@x><c@x>"},
    {"References: <a@x> <b@x>\r\n\t<c@x>\r\n", 2, "<b@x><c@x>"},
    {"References: <a@x><b@x>junk<c@x>\r\n", 1, "<c@x>"},
    {"In-Reply-To: Your mail of \"today\" <a@x>\r\n", 8, "<a@x>"},
    {"References: <> < a@x> <b@x <c@x> >d@x> <e\x80@x> <f@x\r\n", 8, "<c@x>"},
    {"References:\r\n", 8, ""},
    {"References: <<<<a>>>>\r\n", 8, "<a>"},
    {"References: <a@x>\r\n", 0, ""},
};

START_TEST(test_msgids)
{
	const char *list[8];
	char got[256] = "";
	struct header h;
	size_t n, at = 0;

	ck_assert_int_eq(read_text(msgids[_i].in, &h, NULL), 0);
	n = header_msgids(arena, &h.f[0], list, msgids[_i].max);
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(got + at, sizeof(got) - at, "%s", list[i]);
	ck_assert_str_eq(got, msgids[_i].want);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("header");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_read);
	tcase_add_test(t, test_find);
	tcase_add_test(t, test_ends);
	tcase_add_loop_test(t, test_refused, 0, (int)(sizeof(refused) / sizeof(refused[0])));
	tcase_add_test(t, test_limits);
	tcase_add_test(t, test_reads_little);
	tcase_add_test(t, test_offset);
	tcase_add_test(t, test_small_arena);
	tcase_add_test(t, test_content);
	tcase_add_test(t, test_write);
	tcase_add_loop_test(t, test_author, 0, (int)(sizeof(authors) / sizeof(authors[0])));
	tcase_add_test(t, test_author_nul);
	tcase_add_test(t, test_recipients);
	tcase_add_loop_test(t, test_msgids, 0, (int)(sizeof(msgids) / sizeof(msgids[0])));
	suite_add_tcase(s, t);
	return suite_run(s);
}
