/* log.c: what arrives on descriptor 2. */
#include "gateway/base/log.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/suite.h"

static int out[2], kept = -1;

/* From here on descriptor 2 is a packet pipe: each write(2) is one read. */
static void capture(void)
{
	kept = dup(2);
	ck_assert_int_eq(pipe2(out, 0x4000 /* O_DIRECT */), 0);
	ck_assert_int_eq(dup2(out[1], 2), 2);
	unsetenv("JOURNAL_STREAM");
	log_init("relay", LOG_LEVEL_INFO);
}

static void release(void)
{
	dup2(kept, 2);
	close(kept);
	close(out[0]);
	close(out[1]);
}

static char *line(void)
{
	static char text[4097];
	ssize_t n = read(out[0], text, sizeof text - 1);

	ck_assert_int_gt(n, 0);
	text[n] = 0;
	return text;
}

/* Behind time and level. */
static char *body(void)
{
	char head[40], *l = line(), *b;

	snprintf(head, sizeof head, " relay[%d] ", (int)getpid());
	b = strstr(l, head);
	ck_assert_ptr_nonnull(b);
	return b + strlen(head);
}

START_TEST(test_line)
{
	log_info("4ABC", "smtpd", "accepted size=%d", 7);
	ck_assert_str_eq(body(), "4ABC smtpd accepted size=7\n");
	log_error(NULL, "smtpd", "x");

	char *l = line();

	ck_assert_ptr_nonnull(strstr(l, "] - smtpd x\n"));
	ck_assert_ptr_nonnull(strstr(l, "Z error relay["));
	ck_assert_int_eq(l[4], '-');
	ck_assert_int_eq(l[10], 'T');
	ck_assert_int_eq(l[19], '.');
	log_warn("", "a", "b");
	ck_assert_str_eq(body(), "- a b\n");
}
END_TEST

START_TEST(test_level)
{
	log_debug(NULL, "a", "never");
	log_info(NULL, "a", "second");
	ck_assert_str_eq(body(), "- a second\n");
	log_init("relay", LOG_LEVEL_ERROR);
	log_warn(NULL, "a", "never");
	log_error(NULL, "a", "third");
	ck_assert_str_eq(body(), "- a third\n");
	log_init("relay", LOG_LEVEL_DEBUG);
	log_debug(NULL, "a", "fourth");
	ck_assert_str_eq(body(), "- a fourth\n");
}
END_TEST

START_TEST(test_plain)
{
	log_info("id\n", "c\tx", "from=%s", "a\r\nb\x1b[2J\x7f\xc3\xbc\\x");
	ck_assert_str_eq(body(), "id\\x0a c\\x09x from=a\\x0d\\x0ab\\x1b[2J\\x7f\xc3\xbc\\x\n");
}
END_TEST

/* Names are read as they are written; what is not seen, turns others round or is no UTF-8 is escaped. */
START_TEST(test_names)
{
	static const char *const t[][2] = {
	    {"CN=J\xc3\xb6rg \xe4\xb8\xad \xf0\x9f\x98\x80", "CN=J\xc3\xb6rg \xe4\xb8\xad \xf0\x9f\x98\x80"},
	    {"a\xe2\x80\xae"
	     "b",
		"a\\xe2\\x80\\xaeb"}, /* right-to-left override */
	    {"a\xe2\x80\xa8"
	     "b",
		"a\\xe2\\x80\\xa8b"}, /* a line's end */
	    {"a\xc2\xa0"
	     "b",
		"a\\xc2\\xa0b"}, /* a space that ends no word */
	    {"a\xe3\x80\x80"
	     "b",
		"a\\xe3\\x80\\x80b"},
	    {"a\xe3\x85\xa4"
	     "b",
		"a\\xe3\\x85\\xa4b"}, /* a filler */
	    {"a\xcd\x8f"
	     "b",
		"a\\xcd\\x8f"
		"b"},
	    {"a\xd8\x9c"
	     "b",
		"a\\xd8\\x9cb"},
	    {"a\xc2\x9b"
	     "2J",
		"a\\xc2\\x9b2J"},	  /* a control */
	    {"a\xc0\x8a", "a\\xc0\\x8a"}, /* overlong */
	    {"a\xe0\x80\xa2", "a\\xe0\\x80\\xa2"},
	    {"a\xed\xa0\x80", "a\\xed\\xa0\\x80"}, /* a surrogate */
	    {"a\xf4\x90\x80\x80", "a\\xf4\\x90\\x80\\x80"},
	    {"a\xc3\"b", "a\\xc3'b"}, /* cut off: the quotation mark is not swallowed */
	    {"a\xe4\xb8", "a\\xe4\\xb8"},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		char want[200];

		log_info(NULL, "a", "why=\"%s\"", t[i][0]);
		snprintf(want, sizeof want, "- a why=\"%s\"\n", t[i][1]);
		ck_assert_str_eq(body(), want);
	}
	log_info(NULL, "a", "why=\"%.2s\"", "a\xc3\xb6");
	ck_assert_str_eq(body(), "- a why=\"a\\xc3\"\n");
}
END_TEST

/* A host's words and a sender's address do not end where they stand and go on with keys of their own. */
START_TEST(test_values)
{
	log_info(NULL, "a", "to=<%s> dsn=%s why=\"%s, %d%%\" n=%zu %lld %ld %u %llu", "\"x> dsn=2.0.0\"@b", "5.1.1",
	    "no\" why=\"yes <a@b>", -3, (size_t)4, -5LL, -6L, 7u, 8ULL);
	ck_assert_str_eq(
	    body(), "- a to=<\"x\\x3e dsn=2.0.0\"@b> dsn=5.1.1 why=\"no' why='yes <a@b>, -3%\" n=4 -5 -6 7 8\n");
	log_info(NULL, "a", "delay=%lld.%03lld why=\"%.5s\"", 7LL, 8LL, "a\"bcdefg");
	ck_assert_str_eq(body(), "- a delay=7.008 why=\"a'bcd\"\n");
	log_info(NULL, "a", "can=0x%x %lx %02x why=\"%s\"", 255u, 0xabcdef012UL, 5u, "no\" dsn=2.0.0");
	ck_assert_str_eq(body(), "- a can=0xff abcdef012 05 why=\"no' dsn=2.0.0\"\n");
	/* a conversion that it does not know: nobody's words */
	log_info(NULL, "a", "%c why=\"%s\"", 'c', "no\" dsn=2.0.0");
	ck_assert_str_eq(body(), "- a unknown-conversion format=\"%c why='%s'\"\n");
}
END_TEST

START_TEST(test_long)
{
	char text[3000];
	char *l;

	memset(text, 'x', sizeof text);
	text[2999] = 0;
	log_info(NULL, "a", "%s", text);
	l = line();
	ck_assert_uint_eq(strlen(l), 2049);
	ck_assert_str_eq(l + 2049 - 5, "x...\n");
	memset(text, 1, sizeof text - 1);
	log_info(NULL, "a", "%s", text);
	l = line();
	ck_assert_uint_le(strlen(l), 2049);
	ck_assert_str_eq(l + strlen(l) - 8, "\\x01...\n"); /* no half escape */
}
END_TEST

START_TEST(test_journal)
{
	char head[40];

	setenv("JOURNAL_STREAM", "8:1", 1);
	log_init("relay", LOG_LEVEL_INFO);
	log_warn(NULL, "a", "b");
	snprintf(head, sizeof head, "<4>relay[%d] - a b\n", (int)getpid());
	ck_assert_str_eq(line(), head);
}
END_TEST

START_TEST(test_ends)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		log_fatal("why=%s", "no");
	waitpid(pid, &status, 0);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 75);
	ck_assert_ptr_nonnull(strstr(line(), " - fatal why=no\n"));
	pid = fork();
	if (pid == 0)
		REQUIRE(pid == 1);
	waitpid(pid, &status, 0);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == 6);

	char *l = line();

	ck_assert_ptr_nonnull(strstr(l, "test_log.c:"));
	ck_assert_ptr_nonnull(strstr(l, "required: pid == 1"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("log");
	TCase *t = tcase_create("log");

	tcase_add_checked_fixture(t, capture, release);
	tcase_add_test(t, test_line);
	tcase_add_test(t, test_level);
	tcase_add_test(t, test_plain);
	tcase_add_test(t, test_names);
	tcase_add_test(t, test_values);
	tcase_add_test(t, test_long);
	tcase_add_test(t, test_journal);
	tcase_add_test(t, test_ends);
	suite_add_tcase(s, t);
	return suite_run(s);
}
