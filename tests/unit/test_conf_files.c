/* Files of CAs that the configuration names: there or not, with a certificate or not, needed or not. */
#include "gateway/proc/conf_files.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/suite.h"
#include "tests/unit/testdir.h"

#define GOOD                                                                                                         \
	"hostname = gw.hospital.example\ndata-directory = /var/lib/postern\n"                                        \
	"domain \"hospital.example\" {\n inside-server = \"127.0.0.1:25\"\n}\n"                                      \
	"listener \"in\" {\n address = \"127.0.0.1:2525\"\n side = inside\n networks = {\"127.0.0.1\"}\n"

/* %d: the directory with good.pem and bad.pem. */
static const struct {
	const char *more, *words; /* NULL: good */
} cases[] = {
    {"}\n", NULL},
    {"}\ntls-ca-file = \"%d/good.pem\"\n", NULL},
    {"}\ntls-ca-file = \"%d/none.pem\"\n", "tls-ca-file: %d/none.pem: cannot open: No such file"},
    {"}\ntls-ca-file = \"%d/bad.pem\"\n", "tls-ca-file: %d/bad.pem: there is no certificate in it"},
    {" client-ca-file = \"%d/none.pem\"\n}\n", "client-ca-file of listener \"in\": %d/none.pem"},
    {"}\nldap \"l\" {\n servers = {\"ldap://h\"}\n base = \"dc=x\"\n ca-file = \"%d/good.pem\"\n}\n", NULL},
    {"}\nldap \"l\" {\n servers = {\"ldap://h\"}\n base = \"dc=x\"\n ca-file = \"%d/none.pem\"\n}\n",
	"ca-file of ldap \"l\": "},
    {"}\nldap \"l\" {\n servers = {\"ldap://h\"}\n base = \"dc=x\"\n starttls = no\n ca-file = \"%d/none.pem\"\n}\n",
	NULL},
    {"}\ncertificate-directory \"c\" {\n servers = {\"ldaps://h\"}\n starttls = no\n ca-file = \"%d/bad.pem\"\n}\n",
	"ca-file of certificate-directory \"c\": "},
    {"}\ncertificate-directory \"c\" {\n servers = {\"ldaps://h\"}\n tls-verify = no\n ca-file = "
     "\"%d/none.pem\"\n}\n",
	NULL},
};

static char dir[64];

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	ck_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void expand(const char *s, char *out, size_t cap)
{
	size_t n = 0;

	for (; *s; s++)
		if (s[0] == '%' && s[1] == 'd') {
			n += (size_t)snprintf(out + n, cap - n, "%s", dir);
			s++;
		} else {
			out[n++] = *s;
		}
	out[n] = 0;
}

START_TEST(files)
{
	char text[4000] = GOOD, words[400];
	struct conf *c = NULL;
	struct problem pr = {0};

	testdir_make(dir);
	put("good.pem", "# ours\n-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n");
	put("bad.pem", "nothing\n");
	expand(cases[_i].more, text + strlen(text), sizeof text - strlen(text));
	ck_assert_msg(conf_parse("test.conf", text, strlen(text), &c, &pr) == 0, "%s", pr.text);
	ck_assert_msg((conf_files_check(c, &pr) == 0) == (cases[_i].words == NULL), "%s", pr.text);
	if (cases[_i].words) {
		expand(cases[_i].words, words, sizeof words);
		ck_assert_msg(strncmp(pr.text, words, strlen(words)) == 0, "%s", pr.text);
	}
	conf_free(c);
	testdir_remove(dir);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("conf_files");
	TCase *t = tcase_create("conf_files");

	tcase_add_loop_test(t, files, 0, (int)(sizeof cases / sizeof cases[0]));
	suite_add_tcase(s, t);
	return suite_run(s);
}
