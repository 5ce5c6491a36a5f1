/* XSMG on the wire: commands, replies and lines, both sides. */
#include "gateway/xsmg/xsmg_verb.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "tests/unit/suite.h"

#define ID "7ZbZ0xh3AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define OTHER "8ZbZ0xh3AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

START_TEST(offered)
{
	static const struct {
		const char *p;
		bool yes;
	} t[] = {{"1", true}, {"1 2", true}, {"2 1", true}, {"2", false}, {"", false}, {"10", false}, {"11 1", true},
	    {" 1", true}, {"v1", false}};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		ck_assert_msg(xsmg_verb_offered(t[i].p, strlen(t[i].p)) == t[i].yes, "%s", t[i].p);
}
END_TEST

START_TEST(commands)
{
	static const struct {
		const char *p;
		int code; /* 0: taken */
		enum xsmg_verb_kind kind;
		const char *domain, *id;
		size_t octets;
	} t[] = {
	    {"GET lab.example", 0, XSMG_VERB_GET, "lab.example", "", 0},
	    {"get LAB.Example " ID, 0, XSMG_VERB_GET, "lab.example", ID, 0},
	    {"PUT lab.example 1", 0, XSMG_VERB_PUT, "lab.example", "", 1},
	    {"Put lab.example 004711", 0, XSMG_VERB_PUT, "lab.example", "", 4711},
	    {"PUT lab.example 65536", 0, XSMG_VERB_PUT, "lab.example", "", 65536},
	    {"PUT lab.example 65537", 552, 0, NULL, NULL, 0},
	    {"PUT lab.example 999999", 552, 0, NULL, NULL, 0},
	    {"PUT lab.example 1000000", 501, 0, NULL, NULL, 0},
	    {"PUT lab.example 0", 501, 0, NULL, NULL, 0},
	    {"PUT lab.example", 501, 0, NULL, NULL, 0},
	    {"PUT lab.example ", 501, 0, NULL, NULL, 0},
	    {"PUT lab.example -1", 501, 0, NULL, NULL, 0},
	    {"PUT lab.example 1 2", 501, 0, NULL, NULL, 0},
	    {"PUT lab.example " ID, 501, 0, NULL, NULL, 0},
	    {"", 501, 0, NULL, NULL, 0},
	    {"GET", 501, 0, NULL, NULL, 0},
	    {"GET ", 501, 0, NULL, NULL, 0},
	    {" GET lab.example", 501, 0, NULL, NULL, 0},
	    {"GET  lab.example", 501, 0, NULL, NULL, 0},
	    {"GET lab.example ", 501, 0, NULL, NULL, 0},
	    {"GET lab.example  " ID, 501, 0, NULL, NULL, 0},
	    {"GET lab.example " ID " ", 501, 0, NULL, NULL, 0},
	    {"GET lab.example " ID "A", 501, 0, NULL, NULL, 0},
	    {"GET lab.example 7ZbZ0xh3", 501, 0, NULL, NULL, 0},
	    {"GET lab.example\t" ID, 501, 0, NULL, NULL, 0},
	    {"GET lab.example.", 501, 0, NULL, NULL, 0},
	    {"GET lab..example", 501, 0, NULL, NULL, 0},
	    {"GET l\xc3\xa4"
	     "b.example",
		501, 0, NULL, NULL, 0},
	    {"GET [192.0.2.1]", 501, 0, NULL, NULL, 0},
	    {"GET *.example", 501, 0, NULL, NULL, 0},
	    {"POST lab.example 5", 501, 0, NULL, NULL, 0},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct xsmg_verb v;
		struct problem pr = {0};
		int r = xsmg_verb_read(t[i].p, strlen(t[i].p), &v, &pr);

		ck_assert_msg(r == (t[i].code ? -1 : 0) && pr.code == t[i].code, "\"%s\": %d", t[i].p, pr.code);
		if (r < 0) {
			ck_assert_str_eq(pr.enh, t[i].code == 552 ? "5.3.4" : "5.5.4");
			continue;
		}
		ck_assert(v.kind == t[i].kind && v.octets == t[i].octets);
		ck_assert_str_eq(v.domain, t[i].domain);
		ck_assert_str_eq(v.id, t[i].id);
	}
}
END_TEST

/* What one side writes the other reads. */
START_TEST(commands_written)
{
	struct buf b;
	struct xsmg_verb v;

	buf_init(&b, XSMG_VERB_LINE_MAX);
	ck_assert_int_eq(xsmg_verb_get("lab.example", "", &b), 0);
	ck_assert_str_eq(buf_str(&b), "XSMG GET lab.example\r\n");
	buf_reset(&b);
	ck_assert_int_eq(xsmg_verb_get("lab.example", ID, &b), 0);
	ck_assert_int_eq(xsmg_verb_read((const char *)b.p + 5, b.len - 7, &v, NULL), 0);
	ck_assert_str_eq(v.id, ID);
	buf_reset(&b);
	ck_assert_int_eq(xsmg_verb_put("lab.example", 4711, &b), 0);
	ck_assert_str_eq(buf_str(&b), "XSMG PUT lab.example 4711\r\n");
	buf_clear(&b);
}
END_TEST

/* As smtpc_chat keeps a reply: without codes, LF between the lines. */
static void strip(const struct buf *wire, struct buf *text)
{
	const char *p = buf_str(wire), *end = p + wire->len;

	while (p < end) {
		const char *nl = strstr(p, "\r\n");

		ck_assert_ptr_nonnull(nl);
		ck_assert_int_le(nl - p, 510);
		ck_assert(strncmp(p, nl + 2 == end ? "250 " : "250-", 4) == 0);
		if (text->len)
			ck_assert_int_eq(buf_addc(text, '\n'), 0);
		ck_assert_int_eq(buf_add(text, p + 4, (size_t)(nl - p - 4)), 0);
		p = nl + 2;
	}
}

/* Statements of every length around the borders of groups and lines go through. */
START_TEST(replies)
{
	static const size_t sizes[] = {1, 2, 3, 56, 57, 58, 113, 114, 115, 65534, 65535, 65536};
	uint8_t *der = malloc(65536);

	for (size_t i = 0; i < 65536; i++)
		der[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct buf wire, text, got;
		char id[STATEMENT_ID + 1];
		struct problem pr = {0};

		buf_init(&wire, XSMG_VERB_REPLY_MAX);
		buf_init(&text, XSMG_VERB_REPLY_MAX);
		buf_init(&got, STATEMENT_MAX);
		ck_assert_int_eq(xsmg_verb_statement(ID, der, sizes[i], &wire), 0);
		strip(&wire, &text);
		ck_assert_int_eq(
		    xsmg_verb_get_answer(250, buf_str(&text), text.len, "", &got, id, &pr), XSMG_VERB_STATEMENT);
		ck_assert(got.len == sizes[i] && memcmp(got.p, der, got.len) == 0);
		ck_assert_str_eq(id, ID);
		buf_clear(&wire);
		buf_clear(&text);
		buf_clear(&got);
	}
	free(der);
}
END_TEST

START_TEST(answers)
{
	static const struct {
		int code;
		const char *text, *held;
		enum xsmg_verb_answer answer;
		const char *why;
	} t[] = {
	    {250, "2.0.0 current " ID, ID, XSMG_VERB_CURRENT, ""},
	    {250, "2.0.0 Current " ID, ID, XSMG_VERB_CURRENT, ""},
	    {250, "2.0.0 current " ID, "", XSMG_VERB_BROKEN, "what was not asked about"},
	    {250, "2.0.0 current " ID, OTHER, XSMG_VERB_BROKEN, "what was not asked about"},
	    {250, "2.0.0 current", ID, XSMG_VERB_BROKEN, "id after"},
	    {250, "2.0.0 current " ID " ", ID, XSMG_VERB_BROKEN, "id after"},
	    {250, "2.0.0 current " ID "\n2.0.0 end", ID, XSMG_VERB_BROKEN, "neither"},
	    {250, "current " ID, ID, XSMG_VERB_BROKEN, "no enhanced code"},
	    {250, "", ID, XSMG_VERB_BROKEN, "no enhanced code"},
	    {250, "2.0.0 Ok", ID, XSMG_VERB_BROKEN, "neither"},
	    {250, "2.0.0 statement " ID " 3\n2.0.0 AAAA\n2.0.0 end", ID, XSMG_VERB_STATEMENT, ""},
	    {250, "2.0.0 statement " ID " 2\n2.0.0 AAA=\n2.0.0 end", "", XSMG_VERB_STATEMENT, ""},
	    {250, "2.0.0 statement " ID " 3\n2.0.0 A\n2.0.0 AAA\n2.0.0 end", "", XSMG_VERB_STATEMENT, ""},
	    {250, "2.0.0 statement " ID " 2\n2.0.0 AAAA\n2.0.0 end", "", XSMG_VERB_BROKEN, "as many octets"},
	    {250, "2.0.0 statement " ID " 4\n2.0.0 AAAA\n2.0.0 end", "", XSMG_VERB_BROKEN, "as many octets"},
	    {250, "2.0.0 statement " ID " 3\n2.0.0 AAAA\n2.0.0 AAAA\n2.0.0 end", "", XSMG_VERB_BROKEN,
		"more than announced"},
	    {250, "2.0.0 statement " ID " 3\n2.0.0 AAAA", "", XSMG_VERB_BROKEN, "no \"end\""},
	    {250, "2.0.0 statement " ID " 3\nAAAA\n2.0.0 end", "", XSMG_VERB_BROKEN, "no \"end\""},
	    {250, "2.0.0 statement " ID " 3\n2.0.0 AAAA\n2.0.0 end\n2.0.0 x", "", XSMG_VERB_BROKEN,
		"follow its \"end\""},
	    {250, "2.0.0 statement " ID " 3\n2.0.0 A*AA\n2.0.0 end", "", XSMG_VERB_BROKEN, "no base64"},
	    {250, "2.0.0 statement " ID " 3\n2.0.0 \n2.0.0 end", "", XSMG_VERB_BROKEN, "no base64"},
	    {250, "2.0.0 statement " ID " 3\n2.0.0 =AAA\n2.0.0 end", "", XSMG_VERB_BROKEN, "as many octets"},
	    {250, "2.0.0 statement " ID " 65537\n2.0.0 AAAA\n2.0.0 end", "", XSMG_VERB_BROKEN, "1 to 65536"},
	    {250, "2.0.0 statement " ID " 0\n2.0.0 end", "", XSMG_VERB_BROKEN, "1 to 65536"},
	    {250, "2.0.0 statement " ID "\n2.0.0 AAAA\n2.0.0 end", "", XSMG_VERB_BROKEN, "id and octets"},
	    {250, "2.0.0 statement", "", XSMG_VERB_BROKEN, "followed by an id"},
	    {550, "5.1.2 no", ID, XSMG_VERB_REFUSED, "550 5.1.2 no"},
	    {500, "unknown\nverb", ID, XSMG_VERB_REFUSED, "500 unknown"},
	    {451, "4.3.0 later", ID, XSMG_VERB_LATER, "451 4.3.0 later"},
	    {354, "go", ID, XSMG_VERB_BROKEN, "code is none"},
	    {221, "2.0.0 bye", ID, XSMG_VERB_BROKEN, "code is none"},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct buf got;
		char id[STATEMENT_ID + 1];
		struct problem pr = {0};
		enum xsmg_verb_answer a;

		buf_init(&got, STATEMENT_MAX);
		a = xsmg_verb_get_answer(t[i].code, t[i].text, strlen(t[i].text), t[i].held, &got, id, &pr);
		ck_assert_msg(a == t[i].answer && strstr(pr.text, t[i].why), "%zu: %d %s", i, a, pr.text);
		ck_assert((a == XSMG_VERB_STATEMENT) == (got.len > 0));
		buf_clear(&got);
	}
	ck_assert_int_eq(xsmg_verb_put_answer(354, 354, "send", 4, NULL), XSMG_VERB_TAKEN);
	ck_assert_int_eq(xsmg_verb_put_answer(250, 250, "2.0.0 received", 14, NULL), XSMG_VERB_TAKEN);
	ck_assert_int_eq(xsmg_verb_put_answer(354, 250, "ok", 2, NULL), XSMG_VERB_BROKEN);
	ck_assert_int_eq(xsmg_verb_put_answer(354, 450, "4.7.1 x", 7, NULL), XSMG_VERB_LATER);
	ck_assert_int_eq(xsmg_verb_put_answer(250, 552, "5.3.4 x", 7, NULL), XSMG_VERB_REFUSED);
}
END_TEST

/* Feeds CRLF lines. What xsmg_verb_body_line returned last; then end's code, 0 when taken. */
static int feed(const char *wire, size_t octets, struct buf *der, int *code)
{
	struct xsmg_verb_body b;
	struct problem pr = {0};
	int r = 0;

	xsmg_verb_body_init(&b, octets);
	for (const char *p = wire; r == 0 && *p;) {
		const char *nl = strstr(p, "\r\n");

		r = xsmg_verb_body_line(&b, p, (size_t)(nl - p), &pr);
		p = nl + 2;
	}
	if (r == 1 && xsmg_verb_body_end(&b, der, &pr) == 0)
		pr.code = 0;
	*code = pr.code;
	xsmg_verb_body_clear(&b);
	return r;
}

START_TEST(bodies)
{
	static const struct {
		const char *wire;
		size_t octets;
		int code;
	} t[] = {
	    {"AAAA\r\n.\r\n", 3, 0},
	    {"AA\r\nAA\r\n.\r\n", 3, 0},
	    {"AAA=\r\n.\r\n", 2, 0},
	    {"AA==\r\n.\r\n", 1, 0},
	    {"AB==\r\n.\r\n", 1, 501},
	    {"AA==\r\nAAAA\r\n.\r\n", 4, 501},
	    {"AAAA\r\n.\r\n", 4, 501},
	    {"AAAA\r\nAAAA\r\n.\r\n", 3, 501},
	    {"AA AA\r\n.\r\n", 3, 501},
	    {"\r\nAAAA\r\n.\r\n", 3, 501},
	    {"AA-_\r\n.\r\n", 3, 501},
	    {"..\r\n.\r\n", 3, 501},
	    {".\r\n", 3, 501},
	    {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n.\r\n", 57, 0},
	    {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n.\r\n", 60, 501},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct buf der;
		int code;

		buf_init(&der, STATEMENT_MAX);
		ck_assert_int_eq(feed(t[i].wire, t[i].octets, &der, &code), 1);
		ck_assert_msg(code == t[i].code, "%zu: %d", i, code);
		ck_assert_uint_eq(der.len, code ? 0 : t[i].octets);
		buf_clear(&der);
	}
}
END_TEST

/* The longest statement fits; whoever goes on past 90,000 characters is stopped there. */
START_TEST(body_limits)
{
	static char line[XSMG_VERB_LINE + 1];
	uint8_t *der = calloc(1, STATEMENT_MAX);
	struct xsmg_verb_body b;
	struct problem pr = {0};
	struct buf wire, got;
	size_t seen = 0;
	int code;

	buf_init(&wire, XSMG_VERB_REPLY_MAX);
	buf_init(&got, STATEMENT_MAX);
	ck_assert_int_eq(xsmg_verb_body(der, STATEMENT_MAX, &wire), 0);
	ck_assert_uint_le(wire.len, XSMG_VERB_BODY_MAX);
	ck_assert_int_eq(feed(buf_str(&wire), STATEMENT_MAX, &got, &code), 1);
	ck_assert(code == 0 && got.len == STATEMENT_MAX);
	memset(line, 'A', XSMG_VERB_LINE);
	xsmg_verb_body_init(&b, 3);
	while (xsmg_verb_body_line(&b, line, XSMG_VERB_LINE, &pr) == 0)
		seen += XSMG_VERB_LINE + 2;
	ck_assert(seen <= XSMG_VERB_BODY_MAX && seen + XSMG_VERB_LINE + 2 > XSMG_VERB_BODY_MAX);
	ck_assert_int_eq(pr.code, 552);
	ck_assert_str_eq(pr.enh, "5.3.4");
	ck_assert_uint_le(b.text.cap, 64);
	xsmg_verb_body_clear(&b);
	buf_clear(&wire);
	buf_clear(&got);
	free(der);
}
END_TEST

START_TEST(refusals)
{
	for (int i = XSMG_VERB_NOT_OURS; i <= XSMG_VERB_SEQUENCE; i++) {
		struct problem pr = {0};

		ck_assert_int_eq(xsmg_verb_refuse(i, &pr), -1);
		ck_assert(pr.code / 100 == pr.enh[0] - '0');
		ck_assert_int_eq(pr.cls, pr.code < 500 ? PROBLEM_TEMP : PROBLEM_PERM);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xsmg_verb");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, offered);
	tcase_add_test(tc, commands);
	tcase_add_test(tc, commands_written);
	tcase_add_test(tc, replies);
	tcase_add_test(tc, answers);
	tcase_add_test(tc, bodies);
	tcase_add_test(tc, body_limits);
	tcase_add_test(tc, refusals);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
