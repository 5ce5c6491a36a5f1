/* For test_second.py: asks a judge about files as the kit does. second_ask DIR JUDGE FILE [CERT KEY|-]...; each line
 * on standard input asks again. Prints the judge's name, then an answer or "cannot: why" a line. */
#include "interop/kit/second.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEYS_MAX = 16 };

static struct credential read_credential(const char *cert, const char *key)
{
	struct credential c = {0};
	FILE *f = fopen(cert, "re");

	c.cert = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
	if (f)
		fclose(f);
	f = fopen(key, "re");
	c.key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
	if (f)
		fclose(f);
	if (!c.cert)
		die("%s: no certificate", cert);
	return c;
}

static void ask(struct second *j, const char *file, const struct credential *const *keys, size_t n)
{
	struct buf octets = {0}, why = {0};
	json_t *answer;
	char *text;

	if (file_read(file, &octets, &why) < 0)
		die("%s", why.p);
	answer = second_judge(j, octets.p, octets.n, keys, n, &why);
	text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	if (text)
		puts(text);
	else
		printf("cannot: %s\n", why.n ? why.p : "");
	fflush(stdout);
	free(text);
	json_decref(answer);
	buf_free(&octets);
	buf_free(&why);
}

int main(int argc, char **argv)
{
	struct kit k = {.dir = argv[1], .second = argc > 2 ? argv[2] : NULL};
	struct credential all[KEYS_MAX];
	const struct credential *keys[KEYS_MAX];
	struct buf why = {0};
	struct second *j;
	size_t n = 0;
	int c;

	if (argc < 4)
		die("second_ask DIR JUDGE FILE [CERT KEY|-]...");
	for (int i = 4; i + 1 < argc && n < KEYS_MAX; i += 2, n++) {
		all[n] = read_credential(argv[i], argv[i + 1]);
		keys[n] = &all[n];
	}
	j = second_open(&k, &why);
	if (!j)
		die("%s", why.n ? why.p : "no judge");
	puts(second_name(j));
	ask(j, argv[3], keys, n);
	while ((c = getchar()) != EOF)
		if (c == '\n')
			ask(j, argv[3], keys, n);
	second_close(j);
	for (size_t i = 0; i < n; i++) {
		X509_free(all[i].cert);
		EVP_PKEY_free(all[i].key);
	}
	return 0;
}
