/* The words of looking for certificates: read, printed, refused. */
#include "certstore/find_options.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/srv_record.h"
#include "tests/unit/suite.h"

static struct find_options f;
static unsigned given;
static struct problem pr;

START_TEST(reads)
{
	char out[FIND_TEXT_MAX];

	f = find_options_default();
	find_options_print(&f, FIND_ALL, out);
	ck_assert_str_eq(out, "order=own tiers=store,smimea,smg,cert,ldap srv-order=weight-first by-address=listed "
			      "directory= http-store=");
	ck_assert_int_eq(find_options_read("order=direct  tiers=dns,store,ldap srv-order=rfc2782\tby-address=always "
					   "directory=state directory=lab http-store=https://c.example/x",
			     &f, &given, &pr),
	    0);
	ck_assert_uint_eq(given, FIND_ALL);
	ck_assert(f.order == FIND_DIRECT && f.srv == SRV_RFC2782 && f.by_address == FIND_ADDRESS_ALWAYS);
	ck_assert_uint_eq(f.tiers, FIND_TIER(FIND_STORE) | FIND_TIER(FIND_CERT) | FIND_TIER(FIND_LDAP));
	ck_assert(f.ndirectories == 2 && f.nhttp_stores == 1);
	find_options_print(&f, FIND_ALL, out);
	ck_assert_str_eq(out,
	    "order=direct tiers=store,cert,ldap srv-order=rfc2782 by-address=always directory=state directory=lab "
	    "http-store=https://c.example/x");
	ck_assert_int_eq(find_options_read("directory=one", &f, &given, &pr), 0);
	ck_assert(given == FIND_GIVEN(FIND_OPT_DIRECTORY) && f.ndirectories == 1 && f.nhttp_stores == 1);
	ck_assert_int_eq(find_options_read("directory=", &f, &given, &pr), 0);
	ck_assert(f.ndirectories == 0);
	ck_assert_int_eq(find_options_read("", &f, &given, &pr), 0);
	ck_assert_uint_eq(given, 0);
}
END_TEST

START_TEST(refuses)
{
	static const struct {
		const char *text, *why;
	} t[] = {
	    {"order", "options are name=word, such as order=own, and \"order\" is none"},
	    {"order=mine", "order cannot be \"mine\", but one of own, direct"},
	    {"tiers=", "tiers names no place to look: some of store, smimea, smg, cert, ldap, http between commas"},
	    {"tiers=store,x", "a tier cannot be \"x\", but one of store, smimea, smg, cert, ldap, http, dns"},
	    {"order=own order=own", "order stands twice"},
	    {"place=x", "there is no option \"place\"; there are: order, tiers, srv-order, by-address, directory, "
			"http-store"},
	    {"directory=a directory=b directory=c directory=d directory=e", "there are more than 4 of directory"},
	    {"http-store=ldap://x", "http-store cannot be \"ldap://x\", but a URL such as "
				    "https://certs.lab.example/search without a query"},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct find_options before = f = find_options_default();

		ck_assert_int_eq(find_options_read(t[i].text, &f, &given, &pr), -1);
		ck_assert_str_eq(pr.text, t[i].why);
		ck_assert(memcmp(&before, &f, sizeof f) == 0);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("find_options");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, reads);
	tcase_add_test(tc, refuses);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
