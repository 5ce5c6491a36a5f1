/* mime_facts.c: the tree in one pass; nesting, limits, facts, and agreement with mime_parts. */
#include "gateway/mail/mime_facts.h"

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

#define MULTI(b) "Content-Type: multipart/mixed; boundary=" b "\r\n\r\n"
#define CAL "Content-Type: text/calendar; method=X\r\n\r\nC\r\n"
static const struct {
	const char *in;
	int result;
	size_t depth, parts;
	const char
	    *flags; /* e eight_bit, n nul, c calendar, i invitation, t tnef, r report, s smime_inside, b bare */
	size_t longest;
} cases[] = {
    {"", 0, 0, 1, "", 0},
    {"A: b\r\n\r\nhello\r\n", 0, 0, 1, "", 5},
    {"Subject: caf\xc3\xa9\r\n\r\nx\r\n", 0, 0, 1, "e", 14},
    {"A: b\r\n\r\nx\x80\r\n", 0, 0, 1, "e", 4},
    {"A: b\r\n\r\nx\ny\r\n", 0, 0, 1, "b", 4},
    {"A: b\r\n\r\nx\r", 0, 0, 1, "b", 4},
    {"Content-Type: text/calendar; method=REQUEST\r\n\r\n", 0, 0, 1, "ci", 43},
    {MULTI("b") "--b\r\n\r\n1\r\n--b\r\n" CAL "--b\r\nContent-Type: application/ics\r\n\r\n2\r\n--b--\r\n", 0, 1, 4,
	"ci", 41},
    {MULTI("b") "--b\r\n" CAL "--b\r\nContent-Type: application/pdf\r\n\r\n2\r\n--b--\r\n", 0, 1, 3, "c", 41},
    {MULTI("b") "--b\r\n" CAL "--b\r\nContent-Disposition: attachment\r\n\r\n2\r\n--b--\r\n", 0, 1, 3, "c", 41},
    {MULTI("b") "--b\r\n" CAL "--b\r\nContent-Type: text/plain; name=a.txt\r\n\r\n2\r\n--b--\r\n", 0, 1, 3, "c", 41},
    {MULTI("b") "--b\r\n" CAL "--b\r\nContent-Type: message/rfc822\r\n\r\n\r\n2\r\n--b--\r\n", 0, 2, 4, "c", 41},
    {MULTI("b") "--b\r\n" CAL "--b\r\nContent-Type: application/ms-tnef\r\n\r\n2\r\n--b--\r\n", 0, 1, 3, "ct", 41},
    {"Content-Type: text/calendar\r\n\r\n", 0, 0, 1, "", 27},
    {"Content-Type: application/ms-tnef\r\n\r\n", 0, 0, 1, "t", 33},
    {"Content-Type: x/y; name=WinMail.dat\r\n\r\n", 0, 0, 1, "t", 35},
    {"Content-Type: application/pkcs7-mime\r\n\r\n", 0, 0, 1, "", 36},
    {MULTI("b") "--b\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--\r\n", 0, 1, 3, "", 41},
    {"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\n1\r\n--b--\r\n", 0, 1, 2, "r", 42},
    {MULTI("b") "--b\r\nContent-Type: multipart/report; boundary=c\r\n\r\n--c\r\n\r\n1\r\n--c--\r\n--b--\r\n", 0, 2,
	3, "", 42},
    {MULTI("b") "--b\r\nContent-Type: application/pkcs7-mime\r\n\r\nAA\r\n--b--\r\n", 0, 1, 2, "s", 41},
    {MULTI("b") "--b\r\nContent-Type: application/pkcs7-mime; smime-type=Certs-Only\r\n\r\nAA\r\n--b--\r\n", 0, 1, 2,
	"", 59},
    {MULTI("b") "--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: x; "
		"filename=a.p7m\r\n\r\n--b--\r\n",
	0, 1, 2, "s", 41},
    {MULTI("b") "--b\r\nContent-Type: application/pkcs7-mime\r\n--b--\r\n", 0, 1, 2, "s", 41},
    {MULTI("b") "--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: "
		"application/pkcs7-mime\r\n\r\nAA\r\n--b--\r\n",
	0, 2, 3, "s", 41},
    {"Content-Type: message/rfc822\r\n\r\nContent-Type: application/pkcs7-mime\r\n\r\nAA", 0, 1, 2, "s", 36},
    {"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nContent-Type: "
     "application/pkcs7-mime\r\n\r\nAA",
	0, 0, 1, "", 36},
    {"Content-Type: message/rfc822\r\n\r\n", 0, 1, 2, "", 28},
    {"Content-Type: message/rfc822", 0, 1, 2, "", 28},
    {"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nContent-Type: "
     "application/pkcs7-mime\r\n\r\nAA\r\n--b--\r\n",
	0, 2, 3, "s", 42},
    {MULTI("a") "--a\r\n" MULTI("b") "pre\r\n--b\r\n\r\n1\r\n--b--\r\npost\r\n--a\r\n\r\n2\r\n--a--\r\n", 0, 2, 4, "",
	41},
    {MULTI("a") "--a\r\n" MULTI("aa") "--aa\r\n\r\n1\r\n--aa--\r\n--a--\r\n", 0, 2, 3, "", 42},
    {MULTI("a") "--a\r\n" MULTI("b") "--b\r\n\r\n1\r\n--b--\r\n--a\r\n" MULTI(
	 "b") "--b\r\n\r\n1\r\n--b--\r\n--a--\r\n",
	0, 2, 5, "", 41},
    {MULTI("b") "--b\r\n--b\r\n\r\n--b--", 0, 1, 3, "", 41},
    {MULTI("b") "--b\r\n\r\n1\r\n--b--\r\n--b\r\n--c\r\nContent-Type: application/pkcs7-mime\r\n\r\n", 0, 1, 2, "",
	41},
    /* broken */
    {MULTI("b"), -1, 0, 0, "", 0},
    {MULTI("b") "--b--\r\n", -1, 0, 0, "", 0},
    {MULTI("b") "--b\r\n\r\n1\r\n", -1, 0, 0, "", 0},
    {MULTI("b") "--b\r\n", -1, 0, 0, "", 0},
    {MULTI("a") "--a\r\n" MULTI("b") "--b\r\n\r\n1\r\n--a--\r\n", -1, 0, 0, "", 0},
    {MULTI("a") "--a\r\n" MULTI("b") "--a--\r\n", -1, 0, 0, "", 0},
    {MULTI("a") "--a\r\nContent-Type: multipart/mixed; boundary=b\r\n--a--\r\n", -1, 0, 0, "", 0},
    {MULTI("a") "--a\r\n" MULTI("a") "--a\r\n\r\n1\r\n--a--\r\n--a--\r\n", -1, 0, 0, "", 0},
    {MULTI("a") "--a\r\n" MULTI("a--") "--a--\r\n\r\n1\r\n--a----\r\n--a--\r\n", -1, 0, 0, "", 0},
    {"Content-Type: multipart/mixed\r\n\r\n", -1, 0, 0, "", 0},
    {MULTI("a") "--a\r\nno field\r\n\r\n--a--\r\n", -1, 0, 0, "", 0},
    {"no field\r\n\r\n", -1, 0, 0, "", 0},
};

static void flags_of(const struct mime_facts *f, char *out)
{
	if (f->eight_bit)
		*out++ = 'e';
	if (f->nul)
		*out++ = 'n';
	if (f->calendar_method)
		*out++ = 'c';
	if (f->invitation)
		*out++ = 'i';
	if (f->tnef)
		*out++ = 't';
	if (f->report)
		*out++ = 'r';
	if (f->smime_inside)
		*out++ = 's';
	if (f->bare)
		*out++ = 'b';
	*out = 0;
}

START_TEST(test_facts)
{
	const char *in = cases[_i].in;
	size_t n = strlen(in);

	for (size_t step = 1; step <= n + 1; step++) {
		struct slow_reader s;
		struct mime_facts f;
		struct problem pr;
		char flags[16];

		slow_init(&s, in, n, step);
		ck_assert_int_eq(mime_facts(arena, &s.reader, 0, n, &mime_limits_default, &f, &pr), cases[_i].result);
		if (cases[_i].result) {
			ck_assert_int_eq(pr.code, 554);
			continue;
		}
		flags_of(&f, flags);
		ck_assert_str_eq(flags, cases[_i].flags);
		ck_assert_uint_eq(f.depth, cases[_i].depth);
		ck_assert_uint_eq(f.parts, cases[_i].parts);
		ck_assert_uint_eq(f.longest_line, cases[_i].longest);
	}
}
END_TEST

#define P7 "Content-Type: application/pkcs7-mime\r\n\r\n0\r\n"
/* path, and a attached, d detached, for each S/MIME part below the top */
static const struct {
	const char *in, *inside;
} insides[] = {
    {P7, ""}, {MULTI("b") "--b\r\n\r\n1\r\n--b\r\n" P7 "--b--\r\n", "2"},
    {MULTI("b") "--b\r\nContent-Type: application/x-pkcs7-mime; smime-type=certs-only\r\n\r\n0\r\n--b--\r\n", "1"},
    {MULTI("b") "--b\r\n" P7 "--b\r\n\r\n1\r\n--b\r\n" P7 "--b--\r\n", "1 3"},
    {MULTI("b") "--b\r\n\r\n1\r\n--b\r\n" MULTI("c") "--c\r\n" P7 "--c--\r\n--b--\r\n", "2.1"},
    {MULTI("b") "--b\r\nContent-Type: message/rfc822\r\n\r\n" P7 "--b--\r\n", "1a"},
    {MULTI("b") "--b\r\nContent-Type: message/rfc822\r\n\r\n" MULTI("c") "--c\r\n" P7 "--c--\r\n--b--\r\n", "1.1a"},
    {"Content-Type: message/rfc822\r\n\r\n" P7, "1a"},
    {MULTI("b") "--b\r\nContent-Type: multipart/signed; protocol=application/pkcs7-signature; "
		"boundary=c\r\n\r\n--c\r\n\r\n1\r\n--c\r\nContent-Type: "
		"application/pkcs7-signature\r\n\r\n--c--\r\n--b--\r\n",
	"1d"},
    {MULTI("b") "--b\r\n" P7 "--b\r\nno field\r\n\r\n--b--\r\n", "1"}, /* what a walk that fails has seen */
};

START_TEST(test_inside)
{
	const char *in = insides[_i].in;
	struct mime_facts f;
	struct stream_mem m;
	char got[200] = "";
	size_t n = 0;

	stream_mem_init(&m, in, strlen(in));
	if (mime_facts(arena, &m.reader, 0, strlen(in), &mime_limits_default, &f, NULL) != 0)
		ck_assert_ptr_nonnull(strstr(in, "no field"));
	for (size_t i = 0; i < f.ninside; i++) {
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s%s%s", n ? " " : "", f.inside[i].path,
		    f.inside[i].attached ? "a" : "", f.inside[i].detached ? "d" : "");
		if (!f.inside[i].detached)
			ck_assert(in[f.inside[i].body_off] == '0');
	}
	ck_assert_str_eq(got, insides[_i].inside);
	ck_assert(!f.more_inside);
}
END_TEST

START_TEST(test_many_inside)
{
	struct mime_facts f;
	struct stream_mem m;
	struct buf b;

	buf_init(&b, 1 << 20);
	ck_assert_int_eq(buf_adds(&b, MULTI("b")), 0);
	for (int i = 0; i < MIME_INSIDE_MAX + 1; i++)
		ck_assert_int_eq(buf_adds(&b, "--b\r\n" P7), 0);
	ck_assert_int_eq(buf_adds(&b, "--b--\r\n"), 0);
	stream_mem_init(&m, b.p, b.len);
	ck_assert_int_eq(mime_facts(arena, &m.reader, 0, b.len, &mime_limits_default, &f, NULL), 0);
	ck_assert(f.more_inside && f.ninside == MIME_INSIDE_MAX);
	buf_clear(&b);
}
END_TEST

START_TEST(test_nul)
{
	static const char in[] = "A: b\r\n\r\nx\0y\r\n";
	struct stream_mem m;
	struct mime_facts f;

	stream_mem_init(&m, in, sizeof(in) - 1);
	ck_assert_int_eq(mime_facts(arena, &m.reader, 0, sizeof(in) - 1, &mime_limits_default, &f, NULL), 0);
	ck_assert(f.nul && !f.eight_bit);
}
END_TEST

static int facts_of(const struct buf *b, const struct mime_limits *lim, struct mime_facts *f)
{
	struct stream_mem m;

	stream_mem_init(&m, b->p, b->len);
	return mime_facts(arena, &m.reader, 0, b->len, lim, f, NULL);
}

static void nest(struct buf *b, int depth)
{
	buf_reset(b);
	for (int i = 0; i < depth; i++)
		ck_assert_int_eq(
		    buf_addf(b, "Content-Type: multipart/mixed; boundary=x%d\r\n\r\n--x%d\r\n", i, i), 0);
	ck_assert_int_eq(buf_adds(b, "\r\ntext"), 0);
	for (int i = depth; i-- > 0;)
		ck_assert_int_eq(buf_addf(b, "\r\n--x%d--", i), 0);
}

static const struct {
	const char *in;
	bool mere;
} texts[] = {
    {"A: b\r\n\r\nx\r\n", true},
    {"Content-Type: text/html\r\n\r\nx\r\n", true},
    {"Content-Type: text/plain\r\nContent-Disposition: inline\r\n\r\nx\r\n", true},
    {"Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nx\r\n", false},
    {"Content-Type: text/plain; name=a.txt\r\n\r\nx\r\n", false},
    {"Content-Type: text/csv\r\n\r\nx\r\n", false},
    {"Content-Type: text/calendar; method=REPLY\r\n\r\nx\r\n", false},
    {"Content-Type: application/pdf\r\n\r\nx\r\n", false},
    {"Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nx\r\n", false},
    {"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n1\r\n--b\r\nContent-Type: "
     "text/html\r\n\r\n2\r\n--b--\r\n",
	true},
    {"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\n\r\n1\r\n--b--\r\n", false},
};

START_TEST(test_mere_text)
{
	struct slow_reader s;
	struct mime_facts f;
	struct problem pr;
	size_t n = strlen(texts[_i].in);

	slow_init(&s, texts[_i].in, n, n);
	ck_assert_int_eq(mime_facts(arena, &s.reader, 0, n, &mime_limits_default, &f, &pr), 0);
	ck_assert_int_eq(f.mere_text, texts[_i].mere);
}
END_TEST

START_TEST(test_depth)
{
	struct mime_facts f;
	struct buf b;

	buf_init(&b, 4 << 20);
	nest(&b, 50);
	ck_assert_int_eq(facts_of(&b, &mime_limits_default, &f), 0);
	ck_assert_uint_eq(f.depth, 50);
	ck_assert_uint_eq(f.parts, 51);
	nest(&b, 51);
	ck_assert_int_eq(facts_of(&b, &mime_limits_default, &f), -1);
	nest(&b, 10000);
	ck_assert_int_eq(facts_of(&b, &mime_limits_default, &f), -1);
	buf_reset(&b);
	for (int i = 0; i < 10000; i++)
		ck_assert_int_eq(buf_adds(&b, "Content-Type: message/rfc822\r\n\r\n"), 0);
	ck_assert_int_eq(facts_of(&b, &mime_limits_default, &f), -1);
	buf_clear(&b);
}
END_TEST

START_TEST(test_parts)
{
	struct mime_limits lim = mime_limits_default;
	struct mime_facts f;
	struct buf b;

	buf_init(&b, 4 << 20);
	ck_assert_int_eq(buf_adds(&b, MULTI("b")), 0);
	for (int i = 0; i < 999; i++)
		ck_assert_int_eq(buf_adds(&b, "--b\r\nA: b\r\n\r\n1\r\n"), 0);
	ck_assert_int_eq(buf_adds(&b, "--b--\r\n"), 0);
	ck_assert_int_eq(facts_of(&b, &lim, &f), 0);
	ck_assert_uint_eq(f.parts, 1000);
	lim.parts = 999;
	ck_assert_int_eq(facts_of(&b, &lim, &f), -1);
	buf_clear(&b);
}
END_TEST

/* A part's header without an end is cut off by the limit, not gathered. */
START_TEST(test_endless_header)
{
	struct mime_facts f;
	struct buf b;

	buf_init(&b, 4 << 20);
	ck_assert_int_eq(buf_adds(&b, MULTI("b") "--b\r\n"), 0);
	for (int i = 0; i < 200000; i++)
		ck_assert_int_eq(buf_adds(&b, "A: b\r\n c\r\n"), 0);
	ck_assert_int_eq(facts_of(&b, &mime_limits_default, &f), -1);
	buf_clear(&b);
}
END_TEST

/* Octets read: each once, headers twice. */
START_TEST(test_one_pass)
{
	struct slow_reader s;
	struct mime_facts f;
	struct buf b;

	buf_init(&b, 16 << 20);
	ck_assert_int_eq(buf_adds(&b, MULTI("b") "--b\r\nContent-Type: application/pdf\r\n\r\n"), 0);
	while (b.len < 8 << 20)
		ck_assert_int_eq(
		    buf_adds(&b, "--QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2\r\n"), 0);
	ck_assert_int_eq(buf_adds(&b, "--b--\r\n"), 0);
	slow_init(&s, b.p, b.len, b.len);
	ck_assert_int_eq(mime_facts(arena, &s.reader, 0, b.len, &mime_limits_default, &f, NULL), 0);
	ck_assert_uint_eq(f.parts, 2);
	ck_assert_uint_le(s.given, b.len + 16384);
	buf_clear(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mime_facts");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_facts, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_loop_test(t, test_inside, 0, sizeof(insides) / sizeof(insides[0]));
	tcase_add_test(t, test_many_inside);
	tcase_add_test(t, test_nul);
	tcase_add_loop_test(t, test_mere_text, 0, sizeof(texts) / sizeof(*texts));
	tcase_add_test(t, test_depth);
	tcase_add_test(t, test_parts);
	tcase_add_test(t, test_endless_header);
	tcase_add_test(t, test_one_pass);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	return suite_run(s);
}
