#include "interop/kit/case_file.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/kit/play.h"

#include <check.h> /* last: it has a macro of the name fail */

static int drop(const char *path, const struct stat *st, int what, struct FTW *at)
{
	(void)st, (void)what, (void)at;
	return remove(path);
}

static int parse(const char *text, struct case_file *c, struct buf *why)
{
	*c = (struct case_file){0};
	return case_file_parse(text, strlen(text), c, why);
}

START_TEST(whole)
{
	struct case_file c;
	struct buf why = {0};

	ck_assert_int_eq(parse("# a case\n"
			       "title \"It \\\"works\\\"\"\n"
			       "proves A-1 A-2\n"
			       "needs dns\n"
			       "\n"
			       "cert enc usage=encrypt subject=\"/CN=x y\" # by hand\n"
			       "submit to=bob@{p} reply=250\n"
			       "  header \"X-A: 1=2\"\n"
			       "  | Dear\n"
			       "  |  colleague # no comment\n"
			       "chat outside\n"
			       "\traw \"a\\r\\n\\x41\\t\\\\\"\n",
			     &c, &why),
	    0);
	ck_assert_str_eq(c.title, "It \"works\"");
	ck_assert_uint_eq(c.n_proves, 2);
	ck_assert_str_eq(c.proves[1], "A-2");
	ck_assert_str_eq(c.needs[0], "dns");
	ck_assert_uint_eq(c.n_stmts, 3);
	ck_assert_str_eq(c.stmts[0].verb, "cert");
	ck_assert_str_eq(c.stmts[0].words[0], "enc");
	ck_assert_str_eq(stmt_attribute(&c.stmts[0], "subject", ""), "/CN=x y");
	ck_assert_str_eq(stmt_attribute(&c.stmts[0], "none", "-"), "-");
	ck_assert_int_eq(c.stmts[1].line, 7);
	ck_assert_str_eq(c.stmts[1].text, "Dear\r\n colleague # no comment\r\n");
	ck_assert_str_eq(c.stmts[1].below[0].words[0], "X-A: 1=2");
	ck_assert_str_eq(c.stmts[2].below[0].words[0], "a\r\nA\t\\");
	case_file_free(&c);
	buf_free(&why);
}
END_TEST

static const struct {
	const char *text, *said;
} wrong[] = {
    {"proves A\n", "title and proves"},
    {"title \"a\"\n", "title and proves"},
    {"title a b\nproves A\n", "line 1: title has one text"},
    {"title a\ntitle b\nproves A\n", "line 2: title has one text"},
    {"title a\nproves A\n  x\n", "line 3: an indented line without a statement"},
    {"  x\n", "line 1: an indented line without"},
    {"title a\nproves A\n| text\n", "line 3: text lines are indented"},
    {"title a\nproves A\ncert \"a\n", "line 3: a quote is not closed"},
    {"title a\nproves A\ncert \"\\q\"\n", "line 3: unknown escape"},
    {"title a\nproves A\ncert a=1 a=2\n", "line 3: a= stands twice"},
    {"title a\nproves A\na=1\n", "line 3: a= has no verb"},
    {"title a\nproves A\ncert \"a\"=1\n", "line 3: \"=\" behind a text"},
};

START_TEST(errors)
{
	struct case_file c;
	struct buf why = {0};

	ck_assert_int_eq(parse(wrong[_i].text, &c, &why), -1);
	ck_assert_msg(strstr(why.p, wrong[_i].said), "\"%s\" says \"%s\"", wrong[_i].text, why.p);
	case_file_free(&c);
	buf_free(&why);
}
END_TEST

/* cut anywhere, changed anywhere: never more than a refusal */
START_TEST(anything)
{
	static const char good[] =
	    "title \"a\"\nproves A\ncert enc usage=\"x\\n\"\nsubmit to=a\n  | t\n  header \"b\"\n";
	static const char octets[] = "\n\"\\= |#\tx\r";
	struct case_file c;
	char text[sizeof(good)];

	for (size_t i = 0; i < sizeof(good); i++)
		for (size_t j = 0; j < sizeof(octets); j++) {
			memcpy(text, good, sizeof(good));
			text[i] = octets[j];
			c = (struct case_file){0};
			(void)!case_file_parse(text, i, &c, NULL);
			case_file_free(&c);
			c = (struct case_file){0};
			(void)!case_file_parse(text, sizeof(good) - 1, &c, NULL);
			case_file_free(&c);
		}
}
END_TEST

START_TEST(codes)
{
	ck_assert(play_code_fits(250, "250"));
	ck_assert(!play_code_fits(251, "250"));
	ck_assert(play_code_fits(250, "2xx"));
	ck_assert(play_code_fits(451, "4xx,5xx"));
	ck_assert(play_code_fits(550, "refused"));
	ck_assert(play_code_fits(450, "refused"));
	ck_assert(!play_code_fits(250, "refused"));
	ck_assert(!play_code_fits(0, "refused"));
	ck_assert(play_code_fits(0, "closed"));
	ck_assert(play_code_fits(0, "any"));
	ck_assert(!play_code_fits(250, ""));
}
END_TEST

/* no reply is no answer, unless the connection was closed */
START_TEST(silence)
{
	struct reply none = {0}, closed = {.closed = true}, good = {.code = 250};

	ck_assert(!play_reply_fits(&none, "any") && !play_reply_fits(&none, "closed"));
	ck_assert(play_reply_fits(&closed, "any") && play_reply_fits(&closed, "closed"));
	ck_assert(!play_reply_fits(&closed, "250") && play_reply_fits(&good, "any"));
}
END_TEST

static const struct {
	const char *mail;
	enum side side;
	bool fits;
} mails[] = {
    {"Subject: 0123456789abcdef\r\n\r\nx\r\n", INSIDE, true},
    {"Subject: x\r\n\r\nx\r\n", INSIDE, false},
    {"Subject: =?utf-8?B?MDEyMzQ1Njc4OWFiY2RlZg==?=\r\n\r\nx\r\n", INSIDE, true},
    {"Content-Transfer-Encoding: base64\r\n\r\nMDEyMzQ1Njc4OWFiY2RlZg==\r\n", INSIDE, true},
    {"Subject: x\r\n\r\nx\r\n", OUTSIDE, true},
    {"Message-ID: <0.the-case@own.test>\r\n\r\nx\r\n", OUTSIDE, false},
    {"Message-ID:\r\n <0.the-case@own.test>\r\n\r\nx\r\n", OUTSIDE, false},
    {"Message-ID: <0.another@own.test>\r\n\r\nx\r\n", OUTSIDE, true},
};

/* a mail of another run is not taken for one of this run */
START_TEST(runs)
{
	struct case_file c = {.id = text_copy("the-case")};
	struct scene s = {.c = &c, .nonce = "0123456789abcdef"};
	struct mail m = {.side = mails[_i].side};

	buf_adds(&m.data, mails[_i].mail);
	ck_assert_msg(play_fits(&m, &s) == mails[_i].fits, "%s", mails[_i].mail);
	buf_free(&m.data);
	free(c.id);
}
END_TEST

static void make_case(const char *dir, const char *id)
{
	char *folder = text_make("%s/one/%s", dir, id), *path = text_make("%s/case", folder);

	ck_assert(directory_make(folder, NULL) == 0);
	ck_assert(file_write(path, "title t\nproves A\n", 17, 0600, NULL) == 0);
	free(folder);
	free(path);
}

/* what was asked for and is not there is an error, and no run without it */
START_TEST(named)
{
	char dir[] = "/tmp/test-cases-XXXXXX";
	struct case_list l = {0};
	struct buf why = {0};

	ck_assert(mkdtemp(dir) != NULL);
	make_case(dir, "a");
	make_case(dir, "b");
	ck_assert(case_list_read(dir, "one", "a,b", &l, &why) == 0 && l.n == 2);
	case_list_free(&l);
	ck_assert(case_list_read(dir, NULL, "a,c", &l, &why) < 0);
	ck_assert_msg(strstr(why.p, "no case \"c\""), "%s", why.p);
	case_list_free(&l);
	buf_clear(&why);
	ck_assert(case_list_read(dir, "one,two", NULL, &l, &why) < 0);
	ck_assert_msg(strstr(why.p, "profile \"two\""), "%s", why.p);
	case_list_free(&l);
	buf_free(&why);
	ck_assert(nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS) == 0);
}
END_TEST

/* what a gateway said is shown, and does nothing to who reads it */
START_TEST(sentences)
{
	struct scene s = {0};
	char *large = need(20001);

	memset(large, 'x', 20000);
	scene_found(&s, FAILED, 1, "answered \"%s\"", "250 \033]0;x\a\xff\xc2\x9b");
	scene_found(&s, FAILED, 1, "%s", large);
	ck_assert_str_eq(s.findings[0].sentence, "answered \"250 \\u{1b}]0;x\\u{7}\\xff\\u{9b}\"");
	ck_assert(strlen(s.findings[1].sentence) < 9000);
	scene_free(&s);
	free(large);
}
END_TEST

START_TEST(texts)
{
	struct buf b = {0};
	int64_t ms;
	long n;

	ck_assert_int_eq(base64_read("QUJD\r\nRA==", 10, &b), 0);
	ck_assert_str_eq(b.p, "ABCD");
	ck_assert_int_eq(base64_read("QUJ", 3, &b), -1);
	ck_assert_int_eq(base64_read("QU=D", 4, &b), -1);
	ck_assert_int_eq(base64_read("QU!D", 4, &b), -1);
	buf_clear(&b);
	base64_add(&b, "ABCDEFG", 7, 8);
	ck_assert_str_eq(b.p, "QUJDREVG\r\nRw==\r\n");
	buf_clear(&b);
	base64url_add(&b, "\xfb\xff", 2);
	ck_assert_str_eq(b.p, "-_8");
	ck_assert(span_read("-400d", &ms) == 0 && ms == -400LL * 86400000);
	ck_assert(span_read("+1h", &ms) == 0 && ms == 3600000);
	ck_assert(span_read("0", &ms) == 0 && ms == 0);
	ck_assert(
	    span_read("5", &ms) < 0 && span_read("s", &ms) < 0 && span_read("", &ms) < 0 && span_read("5x", &ms) < 0);
	ck_assert(number_read("12", 1, 20, &n) == 0 && n == 12);
	ck_assert(
	    number_read("21", 1, 20, &n) < 0 && number_read("1x", 1, 20, &n) < 0 && number_read("", 1, 20, &n) < 0);
	ck_assert(text_is_word_in("b", "a,b,c") && !text_is_word_in("ab", "a,b") && !text_is_word_in("", "a,b"));
	buf_free(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("case_file");
	TCase *t = tcase_create("all");
	SRunner *r;
	int bad;

	tcase_add_test(t, whole);
	tcase_add_loop_test(t, errors, 0, (int)(sizeof(wrong) / sizeof(*wrong)));
	tcase_add_test(t, anything);
	tcase_add_test(t, codes);
	tcase_add_test(t, silence);
	tcase_add_loop_test(t, runs, 0, (int)(sizeof(mails) / sizeof(*mails)));
	tcase_add_test(t, named);
	tcase_add_test(t, sentences);
	tcase_add_test(t, texts);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
