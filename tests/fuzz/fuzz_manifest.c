/* manifest.c: any text; what is taken leads nowhere else and is the same when written and read again. */
#include "certstore/manifest.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_paths(const struct manifest *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const char *p = m->files[i].path;

		if (strcmp(p, "store.db") != 0 &&
		    (strncmp(p, "keys/", 5) != 0 || strchr(p + 5, '/') || p[5] == '.' || !p[5]))
			abort();
		if (strlen(m->files[i].sha256) != 64)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);
	struct manifest a, b;
	struct problem pr = {0};
	struct buf out;

	memcpy(text, data, size);
	if (manifest_parse(text, size, &a, &pr) == 0) {
		check_paths(&a);
		buf_init(&out, MANIFEST_OCTETS_MAX);
		if (manifest_write(&a, "again", &out) == 0) {
			if (manifest_parse(buf_str(&out), out.len, &b, &pr) != 0 || a.n != b.n ||
			    memcmp(a.files, b.files, a.n * sizeof *a.files) != 0)
				abort();
			manifest_clear(&b);
		}
		buf_clear(&out);
		manifest_clear(&a);
	} else if (!pr.text[0]) {
		abort();
	}
	free(text);
	return 0;
}
