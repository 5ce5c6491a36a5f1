/* HTTP servers that cannot be reached: what is remembered of them, for whom, and what is not. */
#include "gateway/scout/http_dead.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "tests/unit/suite.h"

static struct dead d;
static struct sockaddr_storage addrs[3];
static char words[300];

static void setup(void)
{
	log_init("unit", LOG_LEVEL_ERROR);
	memset(&d, 0, sizeof d);
}

static struct http_dead_place at(const char *host, unsigned port, unsigned first, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct sockaddr_in *in = (struct sockaddr_in *)&addrs[i];

		memset(&addrs[i], 0, sizeof addrs[i]);
		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(0xc0000200 + first + (unsigned)i);
	}
	return (struct http_dead_place){host, port, addrs, n};
}

static size_t left(const char *host, unsigned port, unsigned first, size_t n)
{
	struct http_dead_place p = at(host, port, first, n);

	words[0] = 0;
	return http_dead_leave_out(&d, &p, words, sizeof words);
}

static const struct {
	struct http_dead_silence how;
	size_t naddrs;
	bool here, elsewhere; /* asked again under this name; under another */
} cases[] = {
    {{5000, 5000, false, false, "x"}, 1, false, false},
    {{5000, 5000, false, false, "x"}, 2, false, true}, /* which of them was tried? */
    {{5000, 5000, false, true, "x"}, 1, true, true},   /* it is there, and may answer something else */
    {{2000, 5000, false, false, "x"}, 1, true, true},  /* it had waited in the queue */
    {{2000, 5000, true, false, "x"}, 1, false, false},
    {{20, 5000, true, false, "x"}, 1, true, true}, /* costs nothing */
    {{500, 500, false, false, "x"}, 1, true, true},
};

START_TEST(table)
{
	size_t n = cases[_i].naddrs;
	struct http_dead_place p = at("a.example", 80, 1, n);

	http_dead_note(&d, &p, &cases[_i].how, 60000);
	ck_assert_uint_eq(left("a.example", 80, 1, n), cases[_i].here ? n : 0);
	ck_assert(cases[_i].here || strncmp(words, "a.example:80 is marked dead since ", 34) == 0);
	ck_assert_uint_eq(left("b.example", 80, 1, n), cases[_i].elsewhere ? n : 0);
	ck_assert_uint_eq(left("a.example", 8080, 1, n), n);
	ck_assert_uint_eq(left("a.example", 80, 9, n), n);
}
END_TEST

/* Those that are left are asked. */
START_TEST(others)
{
	const struct http_dead_silence how = {5000, 5000, false, false, "x"};
	struct http_dead_place p = at("one.example", 80, 2, 1);

	http_dead_note(&d, &p, &how, 60000);
	ck_assert_uint_eq(left("a.example", 80, 1, 3), 2);
	ck_assert_uint_eq(ntohl(((struct sockaddr_in *)&addrs[1])->sin_addr.s_addr), 0xc0000203);
	http_dead_note(&d, &p, &how, 0);
	p = at("two.example", 80, 7, 1);
	http_dead_note(&d, &p, &how, 0); /* not remembered at all */
	ck_assert_uint_eq(left("two.example", 80, 7, 1), 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("http_dead");
	TCase *t = tcase_create("http_dead");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, table, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(t, others);
	suite_add_tcase(s, t);
	return suite_run(s);
}
