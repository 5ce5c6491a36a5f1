/*
 * The MANIFEST of a backup. CLI, tests. The first line says what it is, the last how many files there are: one that
 * was cut off is not taken for whole. Whoever can write to the directory of a backup can forge it; the sums find
 * damage, not malice.
 */
#include "certstore/manifest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

static const char head[] = "# postern backup 1";
enum { HASH_TEXT = 64, COPY_CHUNK = 64 * 1024, NAME_MAX_OCTETS = 80 };

static bool good_path(const char *s, size_t n)
{
	static const char keys[] = "keys/";

	if (n == 8 && memcmp(s, "store.db", 8) == 0)
		return true;
	if (n <= 5 || n - 5 > NAME_MAX_OCTETS || memcmp(s, keys, 5) != 0 || s[5] == '.')
		return false;
	for (size_t i = 5; i < n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789.-", s[i]) || s[i] == '\0')
			return false;
	return true;
}

static bool good_hash(const char *s, size_t n)
{
	if (n != HASH_TEXT)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strchr("0123456789abcdef", s[i]) || s[i] == '\0')
			return false;
	return true;
}

static int add(struct manifest *m, const char *path, size_t n, const char *sha256)
{
	if (m->n >= MANIFEST_FILES_MAX || !good_path(path, n))
		return -1;
	if ((m->n & (m->n + 1)) == 0) /* full at 0, 1, 3, 7 ... */
		m->files = mem_resize(m->files, (2 * m->n + 1) * sizeof *m->files);

	struct manifest_file *f = &m->files[m->n++];

	memset(f, 0, sizeof *f);
	memcpy(f->path, path, n);
	memcpy(f->sha256, sha256, HASH_TEXT);
	return 0;
}

int manifest_add(struct manifest *m, const char *path, const char *sha256)
{
	return good_hash(sha256, strlen(sha256)) ? add(m, path, strlen(path), sha256) : -1;
}

void manifest_clear(struct manifest *m)
{
	free(m->files);
	*m = (struct manifest){NULL, 0};
}

static bool has(const struct manifest *m, const char *path, size_t n)
{
	for (size_t i = 0; i < m->n; i++)
		if (strlen(m->files[i].path) == n && memcmp(m->files[i].path, path, n) == 0)
			return true;
	return false;
}

/* "<64 hex>  <path>" */
static int parse_file(struct manifest *m, const char *s, size_t n, struct problem *pr)
{
	const char *path = s + HASH_TEXT + 2;

	if (n < HASH_TEXT + 3 || !good_hash(s, HASH_TEXT) || s[HASH_TEXT] != ' ' || s[HASH_TEXT + 1] != ' ')
		return problem_perm(pr, "file %zu of the MANIFEST cannot be read", m->n + 1);
	n -= HASH_TEXT + 2;
	if (has(m, path, n))
		return problem_perm(pr, "the MANIFEST names a file twice");
	if (add(m, path, n, s) < 0)
		return problem_perm(pr, "file %zu of the MANIFEST cannot belong to a backup", m->n + 1);
	return 0;
}

/* The last line. */
static bool is_end(const struct manifest *m, const char *s, size_t n)
{
	char want[40];
	int len = snprintf(want, sizeof want, "# end %zu", m->n);

	return len > 0 && n == (size_t)len && memcmp(s, want, n) == 0;
}

static int parse(struct manifest *m, const char *text, size_t n, struct problem *pr)
{
	bool first = true, ended = false;

	while (n > 0) {
		const char *nl = memchr(text, '\n', n);
		size_t len = nl ? (size_t)(nl - text) : n;

		if (!nl || ended)
			return problem_perm(pr, "the MANIFEST does not end where it should: the backup is not whole");
		if (first && (len < sizeof head - 1 || memcmp(text, head, sizeof head - 1) != 0 ||
				 (len > sizeof head - 1 && text[sizeof head - 1] != ',')))
			return problem_perm(pr, "this is not the MANIFEST of a backup that this version can read");
		ended = is_end(m, text, len);
		if (!ended && text[0] != '#' && parse_file(m, text, len, pr) < 0)
			return -1;
		first = false;
		text += len + 1;
		n -= len + 1;
	}
	if (!ended)
		return problem_perm(pr, "the MANIFEST has no end: the backup is not whole");
	return has(m, "store.db", 8) ? 0
				     : problem_perm(pr, "the MANIFEST names no store.db: the backup is not whole");
}

int manifest_parse(const char *text, size_t n, struct manifest *m_r, struct problem *pr)
{
	*m_r = (struct manifest){NULL, 0};
	if (parse(m_r, text, n, pr) == 0)
		return 0;
	manifest_clear(m_r);
	return -1;
}

int manifest_write(const struct manifest *m, const char *comment, struct buf *out)
{
	if (buf_addf(out, "%s, %s\n", head, comment) < 0)
		return -1;
	for (size_t i = 0; i < m->n; i++)
		if (buf_addf(out, "%s  %s\n", m->files[i].sha256, m->files[i].path) < 0)
			return -1;
	return buf_addf(out, "# end %zu\n", m->n);
}

static int write_all(int to, const uint8_t *p, size_t n, struct problem *pr)
{
	while (n > 0) {
		ssize_t w = write(to, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return problem_temp(pr, "cannot write: %s", strerror(errno));
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

static int pump(int fd, int to, EVP_MD_CTX *md, long long *octets_r, struct problem *pr)
{
	uint8_t chunk[COPY_CHUNK];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return problem_temp(pr, "cannot read: %s", strerror(errno));
		if (n == 0)
			return 0;
		*octets_r += n;
		if (EVP_DigestUpdate(md, chunk, (size_t)n) != 1)
			log_fatal("SHA-256 failed");
		if (to >= 0 && write_all(to, chunk, (size_t)n, pr) < 0)
			return -1;
	}
}

int manifest_copy(int fd, int to, char sha256_r[65], long long *octets_r, struct problem *pr)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	int rc;

	*octets_r = 0;
	sha256_r[0] = '\0';
	if (!md || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		log_fatal("SHA-256 failed");
	rc = pump(fd, to, md, octets_r, pr);
	if (rc == 0) {
		if (EVP_DigestFinal_ex(md, sum, &n) != 1 || n != 32)
			log_fatal("SHA-256 failed");
		encode_hex(sum, n, sha256_r);
	}
	EVP_MD_CTX_free(md);
	return rc;
}
