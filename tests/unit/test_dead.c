/* Servers that failed lately. */
#include "gateway/base/dead.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"

static struct sockaddr_storage at(unsigned n, unsigned port)
{
	struct sockaddr_storage ss = {.ss_family = AF_INET};
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;

	in->sin_addr.s_addr = htonl(0xc0000200 + n);
	in->sin_port = htons((uint16_t)port);
	return ss;
}

static struct dead d;
static char words[300];

static bool is(const char *uri, struct sockaddr_storage ss)
{
	return dead_is(&d, uri, &ss, words, sizeof words);
}

START_TEST(marks)
{
	struct sockaddr_storage a = at(1, 389), b = at(1, 636);

	memset(&d, 0, sizeof d);
	ck_assert(!is("ldap://x", a));
	/* a certificate that is not for that name: the others go on */
	dead_mark(&d, "ldaps://x", &b, 60000, "TLS: no");
	ck_assert(is("ldaps://x", b) && !is("ldaps://y", b) && !is("ldap://x", a));
	ck_assert_ptr_nonnull(strstr(words, "marked dead since "));
	ck_assert_ptr_nonnull(strstr(words, "Z: TLS: no"));
	/* nobody takes connections there: none goes on */
	dead_mark(&d, "", &a, 60000, "connect: refused");
	ck_assert(is("ldap://x", a) && is("ldap://y", a) && !is("ldap://x", at(2, 389)));
	/* over */
	dead_mark(&d, "", &a, -1, "connect: refused");
	ck_assert(!is("ldap://x", a));
}
END_TEST

START_TEST(bounded)
{
	memset(&d, 0, sizeof d);
	for (unsigned i = 0; i < DEAD_MAX + 5; i++) {
		struct sockaddr_storage a = at(i, 389);

		dead_mark(&d, "", &a, 60000, "x");
		ck_assert(is("ldap://x", a));
	}
	ck_assert(!is("ldap://x", at(4, 389)) && is("ldap://x", at(5, 389)));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dead");
	TCase *t = tcase_create("marks");

	tcase_add_test(t, marks);
	tcase_add_test(t, bounded);
	suite_add_tcase(s, t);
	return suite_run(s);
}
