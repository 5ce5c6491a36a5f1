/*
 * The MANIFEST of a backup: which files belong to it and their SHA-256, in the format of sha256sum(1), so that it can
 * be checked without Postern. CLI (backup, restore), tests. Parsing is pure; hashing blocks on the disk.
 */
#ifndef POSTERN_CERTSTORE_MANIFEST_H
#define POSTERN_CERTSTORE_MANIFEST_H

#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/problem.h"

#define MANIFEST_FILES_MAX 5000
#define MANIFEST_OCTETS_MAX (1024u * 1024)

struct manifest_file {
	char path[96];	 /* "store.db" or "keys/NAME": nothing else belongs to a backup, and nothing leads out of its
			    directory */
	char sha256[65]; /* lower-case hex */
};
struct manifest {
	struct manifest_file *files;
	size_t n;
};

/* 0, or -1 with pr: another version, a forbidden path, a file twice, no store.db, or the end is missing.
 * manifest_clear in the first case. */
int manifest_parse(const char *text, size_t n, struct manifest *m_r, struct problem *pr)
    __attribute__((warn_unused_result));
void manifest_clear(struct manifest *m);
/* 0, or -1 when the path is forbidden or the manifest full. */
int manifest_add(struct manifest *m, const char *path, const char *sha256) __attribute__((warn_unused_result));
/* comment: one line for people. -1 when it exceeds out. */
int manifest_write(const struct manifest *m, const char *comment, struct buf *out)
    __attribute__((warn_unused_result));
/* The SHA-256 of what can be read from fd; when to >= 0, it is written there as well. *octets_r: how many. 0 / -1
 * with pr. */
int manifest_copy(int fd, int to, char sha256_r[65], long long *octets_r, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
