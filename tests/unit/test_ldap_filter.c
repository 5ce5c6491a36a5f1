/* Filters: nothing that a stranger writes becomes syntax (RFC 4515 3). */
#include "ldap/ldap_filter.h"

#include <check.h>
#include <string.h>

#include "tests/unit/suite.h"

static const struct {
	const char *in, *out;
} escapes[] = {
    {"anna", "anna"},
    {"a.b-c_d+e@x", "a.b-c_d+e@x"},
    {"*", "\\2a"},
    {"(", "\\28"},
    {")", "\\29"},
    {"\\", "\\5c"},
    {"*)(mail=*", "\\2a\\29\\28mail\\3d\\2a"},
    {"a\\2a", "a\\5c2a"},
    {"|&!=<>~/", "\\7c\\26\\21\\3d\\3c\\3e\\7e\\2f"},
    {" x ", "\\20x\\20"},
    {"\001\177\303\274", "\\01\\7f\\c3\\bc"},
    {"%s%u", "\\25s\\25u"},
    {"", ""},
};

START_TEST(escaping)
{
	struct buf b;

	buf_init(&b, 1000);
	ck_assert_int_eq(ldap_filter_escape(escapes[_i].in, &b), 0);
	ck_assert_str_eq(buf_str(&b), escapes[_i].out);
	buf_clear(&b);
}
END_TEST

static const struct {
	const char *pattern, *local, *domain, *out;
} made[] = {
    {"(mail=%s)", "anna", "hospital.example", "(mail=anna@hospital.example)"},
    {"(&(objectClass=person)(|(mail=%s)(uid=%u)))", "a*", "x.example",
	"(&(objectClass=person)(|(mail=a\\2a@x.example)(uid=a\\2a)))"},
    {"(&(dc=%d)(x=100%%)(u=%u))", "%s", "x.example", "(&(dc=x.example)(x=100%)(u=\\25s))"},
};

START_TEST(making)
{
	struct buf b;

	buf_init(&b, 1000);
	ck_assert_int_eq(ldap_filter_check(made[_i].pattern, NULL), 0);
	ck_assert_int_eq(ldap_filter_make(made[_i].pattern, made[_i].local, made[_i].domain, &b), 0);
	ck_assert_str_eq(buf_str(&b), made[_i].out);
	buf_clear(&b);
	buf_init(&b, strlen(made[_i].out) - 1);
	ck_assert_int_eq(ldap_filter_make(made[_i].pattern, made[_i].local, made[_i].domain, &b), -1);
	buf_clear(&b);
}
END_TEST

static const char *const refused[] = {"", "mail=%s", "(mail=%s", "(mail=%s))", "(mail=%s)(x=y)", "(mail=anna)",
    "(mail=%x)", "(mail=%s%", ")(mail=%s)(", "(mail=%%s)"};

START_TEST(checking)
{
	struct problem pr = {0};

	ck_assert_int_eq(ldap_filter_check(refused[_i], &pr), -1);
	ck_assert(pr.text[0] != '\0' && strstr(pr.text, "%%") == NULL);
}
END_TEST

START_TEST(attributes)
{
	char mail[] = "mail", proxy[] = "proxyAddresses", *v[] = {mail, proxy, NULL};
	struct settings_list l = {v, 2};
	struct buf pattern, b;

	buf_init(&pattern, 1000);
	buf_init(&b, 1000);
	ck_assert_int_eq(ldap_filter_pattern(&l, &pattern), 0);
	ck_assert_int_eq(ldap_filter_check(buf_str(&pattern), NULL), 0);
	ck_assert_int_eq(ldap_filter_make(buf_str(&pattern), "a(b", "x.example", &b), 0);
	ck_assert_str_eq(buf_str(&b), "(|(mail=a\\28b@x.example)(proxyAddresses=smtp:a\\28b@x.example))");
	buf_clear(&pattern);
	buf_clear(&b);
}
END_TEST

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int main(void)
{
	Suite *s = suite_create("ldap_filter");
	TCase *t = tcase_create("filter");

	tcase_add_loop_test(t, escaping, 0, COUNT(escapes));
	tcase_add_loop_test(t, making, 0, COUNT(made));
	tcase_add_loop_test(t, checking, 0, COUNT(refused));
	tcase_add_test(t, attributes);
	suite_add_tcase(s, t);
	return suite_run(s);
}
