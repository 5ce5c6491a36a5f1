/* manifest.c: what is written is read again; what was cut, damaged or leads elsewhere is refused. */
#include "certstore/manifest.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "tests/unit/suite.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD "# postern backup 1, taken today\n"

START_TEST(test_there_and_back)
{
	struct manifest m = {NULL, 0}, got;
	struct problem pr = {0};
	struct buf b;

	ck_assert_int_eq(manifest_add(&m, "store.db", A), 0);
	ck_assert_int_eq(manifest_add(&m, "keys/master", B), 0);
	ck_assert_int_eq(manifest_add(&m, "keys/hospital.example-sign-20261122-aa18.key", B), 0);
	buf_init(&b, MANIFEST_OCTETS_MAX);
	ck_assert_int_eq(manifest_write(&m, "taken today", &b), 0);
	ck_assert_str_eq(buf_str(&b),
	    HEAD A "  store.db\n" B "  keys/master\n" B "  keys/hospital.example-sign-20261122-aa18.key\n# end 3\n");
	ck_assert_int_eq(manifest_parse(buf_str(&b), b.len, &got, &pr), 0);
	ck_assert_uint_eq(got.n, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_str_eq(got.files[i].path, m.files[i].path);
		ck_assert_str_eq(got.files[i].sha256, m.files[i].sha256);
	}
	/* cut anywhere, it is no manifest any more */
	for (size_t n = 0; n < b.len; n++) {
		struct manifest none;

		ck_assert_int_eq(manifest_parse(buf_str(&b), n, &none, &pr), -1);
		ck_assert_ptr_null(none.files);
	}
	manifest_clear(&m);
	manifest_clear(&got);
	buf_clear(&b);
}
END_TEST

static const char *const bad[] = {
    "",
    "\n",
    A "  store.db\n# end 1\n",
    "# postern backup 2, taken today\n" A "  store.db\n# end 1\n",
    "# postern backup 12\n" A "  store.db\n# end 1\n",
    HEAD "# end 0\n",
    HEAD B "  keys/master\n# end 1\n",
    HEAD A "  store.db\n# end 2\n",
    HEAD A "  store.db\n# end 1",
    HEAD A "  store.db\n# end 1\n\n",
    HEAD A "  store.db\n# end 1\n# more\n",
    HEAD A "  store.db\n" A "  store.db\n# end 2\n",
    HEAD A " store.db\n# end 1\n",
    HEAD A " *store.db\n# end 1\n",
    HEAD A "  store.db \n# end 1\n",
    HEAD A "  store.db\r\n# end 1\n",
    HEAD A "  ./store.db\n# end 1\n",
    HEAD A "  store.db\n" B "  keys/../store.db\n# end 2\n",
    HEAD A "  store.db\n" B "  keys/\n# end 2\n",
    HEAD A "  store.db\n" B "  keys/.hidden\n# end 2\n",
    HEAD A "  store.db\n" B "  keys/a/b\n# end 2\n",
    HEAD A "  store.db\n" B "  keys/UPPER\n# end 2\n",
    HEAD A "  store.db\n" B "  /etc/passwd\n# end 2\n",
    HEAD A "  store.db\n" B "  "
	   "keys/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n# end 2\n",
    HEAD "AAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  store.db\n# end 1\n",
    HEAD "aaaa  store.db\n# end 1\n",
};

START_TEST(test_bad)
{
	struct manifest m;
	struct problem pr = {0};

	ck_assert_int_eq(manifest_parse(bad[_i], strlen(bad[_i]), &m, &pr), -1);
	ck_assert_ptr_null(m.files);
	ck_assert_int_ne(pr.text[0], 0);
}
END_TEST

/* A NUL does not end a name early. */
START_TEST(test_nul)
{
	static const char text[] = HEAD A "  store.db\n" B "  keys/a\0b\n# end 2\n";
	struct manifest m;
	struct problem pr = {0};

	ck_assert_int_eq(manifest_parse(text, sizeof text - 1, &m, &pr), -1);
}
END_TEST

START_TEST(test_many)
{
	struct manifest m = {NULL, 0};
	char name[32];

	for (int i = 0; i < MANIFEST_FILES_MAX; i++) {
		(void)snprintf(name, sizeof name, "keys/k%d", i);
		ck_assert_int_eq(manifest_add(&m, name, A), 0);
	}
	ck_assert_int_eq(manifest_add(&m, "keys/one-more", A), -1);
	ck_assert_str_eq(m.files[MANIFEST_FILES_MAX - 1].path, "keys/k4999");
	manifest_clear(&m);
	ck_assert_int_eq(manifest_add(&m, "queue.db", A), -1);
	ck_assert_int_eq(manifest_add(&m, "store.db", "12"), -1);
	ck_assert_uint_eq(m.n, 0);
}
END_TEST

START_TEST(test_copy)
{
	static char text[200000];
	struct problem pr = {0};
	char sum[65], sum2[65];
	long long octets;
	int from, to = memfd_create("to", 0);

	memset(text, 'a', sizeof text);
	from = file_memfd("from", text, sizeof text);
	ck_assert_int_eq(manifest_copy(from, to, sum, &octets, &pr), 0);
	ck_assert_int_eq(octets, sizeof text);
	ck_assert_int_eq(lseek(to, 0, SEEK_SET), 0);
	ck_assert_int_eq(manifest_copy(to, -1, sum2, &octets, &pr), 0);
	ck_assert_str_eq(sum, sum2);
	ck_assert_int_eq(octets, sizeof text);
	close(from);
	from = file_memfd("abc", "abc", 3);
	ck_assert_int_eq(manifest_copy(from, -1, sum, &octets, &pr), 0);
	/* FIPS 180-2, appendix B.1 */
	ck_assert_str_eq(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	close(from);
	close(to);
	ck_assert_int_eq(manifest_copy(-1, -1, sum, &octets, &pr), -1);
	ck_assert_str_eq(sum, "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("manifest");
	TCase *t = tcase_create("manifest");

	tcase_add_test(t, test_there_and_back);
	tcase_add_loop_test(t, test_bad, 0, sizeof bad / sizeof *bad);
	tcase_add_test(t, test_nul);
	tcase_add_test(t, test_many);
	tcase_add_test(t, test_copy);
	suite_add_tcase(s, t);
	return suite_run(s);
}
