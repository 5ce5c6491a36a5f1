/* Legacy displays: made, put into texts of every encoding, found again only where they say what the fields say. */
#include "gateway/mail/legacy.h"

#include "tests/unit/header_fixture.h"
#include "tests/unit/suite.h"

static struct legacy_text decode(const char *raw, enum mime_cte cte)
{
	struct legacy_text t;

	ck_assert_int_eq(legacy_decode(arena, (const uint8_t *)raw, strlen(raw), cte, &t), 0);
	return t;
}

#define DIV "<div class=\"header-protection-legacy-display\">"

static const struct {
	const char *field, *plain, *html;
	bool utf8;
} displays[] = {
    {"Subject: Dinner\r\n", "Subject: Dinner\r\n\r\n", DIV "<pre>Subject: Dinner\r\n</pre></div>", true},
    {"subject:a\r\n\tb  c \r\n", "subject: a b c\r\n\r\n", DIV "<pre>subject: a b c\r\n</pre></div>", true},
    {"Subject: a<b & c>\r\n", "Subject: a<b & c>\r\n\r\n", DIV "<pre>Subject: a&lt;b &amp; c&gt;\r\n</pre></div>",
	true},
    {"Subject: =?UTF-8?Q?gr=C3=BC=C3=9Fe_?= =?utf-8?b?YW4gYWxsZQ==?= x\r\n",
	"Subject: gr\xc3\xbc\xc3\x9f"
	"e an alle x\r\n\r\n",
	DIV "<pre>Subject: gr\xc3\xbc\xc3\x9f"
	    "e an alle x\r\n</pre></div>",
	true},
    {"Subject: =?utf-8?q?gr=C3=BC?=\r\n", "Subject: =?utf-8?q?gr=C3=BC?=\r\n\r\n",
	DIV "<pre>Subject: =?utf-8?q?gr=C3=BC?=\r\n</pre></div>", false},
    {"Subject: =?iso-8859-1?q?gr=FC?=\r\n", "Subject: =?iso-8859-1?q?gr=FC?=\r\n\r\n",
	DIV "<pre>Subject: =?iso-8859-1?q?gr=FC?=\r\n</pre></div>", true},
    /* words that are none, or bring line ends */
    {"Subject: =?utf-8?q?=FF?= =?utf-8?b?!?= =?utf-8?q?a=0D=0AX:_y?=\r\n",
	"Subject: =?utf-8?q?=FF?= =?utf-8?b?!?= =?utf-8?q?a=0D=0AX:_y?=\r\n\r\n",
	DIV "<pre>Subject: =?utf-8?q?=FF?= =?utf-8?b?!?= =?utf-8?q?a=0D=0AX:_y?=\r\n</pre></div>", true},
    {"Keywords: not shown\r\nThread-Topic: neither\r\n", "", "", true},
};

START_TEST(made)
{
	struct header h = header_of(displays[_i].field);

	for (enum legacy_kind kind = LEGACY_PLAIN; kind <= LEGACY_HTML; kind++) {
		struct buf b;
		struct legacy_text t;
		size_t from, to;

		buf_init(&b, 8192);
		ck_assert_int_eq(legacy_make(&b, kind, &h, displays[_i].utf8), 0);
		ck_assert_str_eq(buf_str(&b), kind == LEGACY_PLAIN ? displays[_i].plain : displays[_i].html);
		t = decode(buf_str(&b), MIME_CTE_8BIT);
		ck_assert_int_eq(legacy_find(kind, &t, &h, &from, &to), b.len > 0);
		ck_assert(from == 0 && to == b.len);
		buf_clear(&b);
	}
}
END_TEST

/* A line no server would refuse, whatever the Subject. */
START_TEST(long_subject)
{
	struct header h;
	struct buf f, b;
	size_t line = 0;

	buf_init(&f, 8192);
	buf_init(&b, 65536);
	ck_assert_int_eq(buf_adds(&f, "Subject:"), 0);
	for (int i = 0; i < 80; i++)
		ck_assert_int_eq(buf_adds(&f, " word<&>"), 0);
	ck_assert_int_eq(buf_adds(&f, "\r\n"), 0);
	h = header_of(buf_str(&f));
	ck_assert_int_eq(legacy_make(&b, _i == 0 ? LEGACY_PLAIN : LEGACY_HTML, &h, true), 0);
	for (size_t i = 0; i < b.len; i++) {
		line = b.p[i] == '\n' ? 0 : line + 1;
		ck_assert_uint_lt(line, 998);
	}
	buf_clear(&f);
	buf_clear(&b);
}
END_TEST

#define S "Subject: Dinner plans\r\nFrom: a@b.example\r\n"
static const struct {
	const char *text;
	enum legacy_kind kind;
	bool found;
} texts[] = {
    {S "\r\nbody", LEGACY_PLAIN, true},
    {"subject:Dinner\r\n  plans\r\n\r\nbody", LEGACY_PLAIN, true},
    {"Subject: Dinner plans\n\nbody", LEGACY_PLAIN, true},
    {"Subject: Another\r\n\r\nbody", LEGACY_PLAIN, false},
    {S "hello\r\n\r\nbody", LEGACY_PLAIN, false},
    {S "To: nobody@said.example\r\n\r\nbody", LEGACY_PLAIN, false},
    {"\r\nbody", LEGACY_PLAIN, false},
    {"Subject: Dinner plans\r\n", LEGACY_PLAIN, false},
    {"", LEGACY_PLAIN, false},
    {"<html><BODY lang=en>\r\n " DIV "<pre>Subject: Dinner plans</pre></div>x", LEGACY_HTML, true},
    {DIV "Subject: Dinner plans\r\n</DIV>x", LEGACY_HTML, true},
    {"<body>x" DIV "<pre>Subject: Dinner plans</pre></div>", LEGACY_HTML, false},
    {"<body>" DIV "<pre>Subject: Dinner plans</pre><img src=x></div>", LEGACY_HTML, false},
    {"<body>" DIV "<pre>Subject: Dinner <b>plans</b></pre></div>", LEGACY_HTML, false},
    {"<body>" DIV "<pre>Subject: Dinner plans", LEGACY_HTML, false},
    {"<body><div class=other><pre>Subject: Dinner plans</pre></div>", LEGACY_HTML, false},
    {"<bodyguard>" DIV "<pre>Subject: Dinner plans</pre></div>", LEGACY_HTML, false},
};

START_TEST(found)
{
	struct header h = header_of(S);
	struct legacy_text t = decode(texts[_i].text, MIME_CTE_8BIT);
	size_t from, to;

	ck_assert_msg(legacy_find(texts[_i].kind, &t, &h, &from, &to) == texts[_i].found, "%s", texts[_i].text);
}
END_TEST

static const struct {
	const char *raw;
	enum mime_cte cte;
	enum legacy_kind kind;
} bodies[] = {
    {"body\r\n", MIME_CTE_7BIT, LEGACY_PLAIN},
    {"bo=\r\ndy =3D \r\n", MIME_CTE_QP, LEGACY_PLAIN},
    {"Ym9keQ0K\r\n", MIME_CTE_BASE64, LEGACY_PLAIN},
    {"<body>x</body>", MIME_CTE_7BIT, LEGACY_HTML},
    {"<html><bo=\r\ndy class=3D\"x\"=\r\n>x</body>", MIME_CTE_QP, LEGACY_HTML},
    /* "<body>x</body>", "a<body>x</body>", "ab<body>x</body>": every place in a group of four */
    {"PGJvZHk+eDwvYm9keT4=\r\n", MIME_CTE_BASE64, LEGACY_HTML},
    {"YTxib2R5Png8L2JvZHk+\r\n", MIME_CTE_BASE64, LEGACY_HTML},
    {"YWI8Ym9keT54PC9ib2R5Pg==\r\n", MIME_CTE_BASE64, LEGACY_HTML},
};

/* Put in, it stands there once the encoding is undone, and what was there is there. */
START_TEST(put_in)
{
	struct header h =
	    header_of("Subject: Dinner plans for =?utf-8?q?=C3=BC=C3=B6=C3=A4?= and others, a long one\r\n");
	const char *raw = bodies[_i].raw;
	struct legacy_text t = decode(raw, bodies[_i].cte), now;
	size_t place = legacy_place(bodies[_i].kind, &t), from, to;
	uint32_t cut_from, cut_to;
	struct buf d, out, all;

	buf_init(&d, 4096);
	buf_init(&out, 4096);
	buf_init(&all, 8192);
	ck_assert_int_eq(legacy_make(&d, bodies[_i].kind, &h, true), 0);
	ck_assert_int_eq(legacy_insert(&out, &t, bodies[_i].cte, place, &d, &cut_from, &cut_to), 0);
	ck_assert_int_eq(buf_add(&all, raw, cut_from), 0);
	ck_assert_int_eq(buf_add(&all, out.p, out.len), 0);
	ck_assert_int_eq(buf_adds(&all, raw + cut_to), 0);
	now = decode(buf_str(&all), bodies[_i].cte);
	ck_assert_msg(legacy_find(bodies[_i].kind, &now, &h, &from, &to), "%s", buf_str(&all));
	ck_assert_uint_eq(from, place);
	ck_assert(memcmp(now.p, t.p, from) == 0);
	ck_assert_uint_eq(now.n - to, t.n - place);
	ck_assert(memcmp(now.p + to, t.p + place, t.n - place) == 0);
	if (legacy_cut(&now, all.p, bodies[_i].cte, from, to, &cut_from, &cut_to) &&
	    bodies[_i].cte != MIME_CTE_BASE64) {
		memmove(all.p + cut_from, all.p + cut_to, all.len - cut_to + 1);
		ck_assert_str_eq(buf_str(&all), raw);
	}
	buf_clear(&d);
	buf_clear(&out);
	buf_clear(&all);
}
END_TEST

/* A word with blanks inside is none (RFC 2047 2): folded in the display, it is found there all the same. */
START_TEST(blanks_in_a_word)
{
	struct header h =
	    header_of("Subject: =?utf-8?q?a long one with blanks, and so many words in it that the line "
		      "must be folded?= and more\r\n");
	size_t from, to;
	struct legacy_text t;
	struct buf d;

	buf_init(&d, 4096);
	ck_assert_int_eq(legacy_make(&d, LEGACY_PLAIN, &h, _i == 0), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&d), "\r\n "));
	t = decode(buf_str(&d), MIME_CTE_8BIT);
	ck_assert(legacy_find(LEGACY_PLAIN, &t, &h, &from, &to));
	ck_assert(from == 0 && to == d.len);
	buf_clear(&d);
}
END_TEST

START_TEST(limits)
{
	static uint8_t big[LEGACY_RAW_MAX + 1];
	struct legacy_text t;
	struct arena *small = arena_new(64);

	ck_assert_int_eq(legacy_decode(arena, big, sizeof(big), MIME_CTE_7BIT, &t), -1);
	ck_assert_int_eq(legacy_decode(arena, big, 10, MIME_CTE_OTHER, &t), -1);
	ck_assert_int_eq(legacy_decode(small, big, 1000, MIME_CTE_7BIT, &t), -1);
	arena_free(small);
}
END_TEST

#define LOOP(test, list) tcase_add_loop_test(t, test, 0, sizeof(list) / sizeof((list)[0]))

int main(void)
{
	Suite *s = suite_create("legacy");
	TCase *t = tcase_create("legacy");

	tcase_add_checked_fixture(t, header_setup, header_teardown);
	LOOP(made, displays);
	tcase_add_loop_test(t, long_subject, 0, 2);
	tcase_add_loop_test(t, blanks_in_a_word, 0, 2);
	LOOP(found, texts);
	LOOP(put_in, bodies);
	tcase_add_test(t, limits);
	suite_add_tcase(s, t);
	return suite_run(s);
}
