/* A directory of its own for a test that writes files. Header only; the caller includes Check before. */
#ifndef POSTERN_TESTS_TESTDIR_H
#define POSTERN_TESTS_TESTDIR_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void testdir_make(char out[64])
{
	(void)snprintf(out, 64, "/tmp/postern-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(out));
}

static inline int testdir_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

static inline void testdir_remove(const char *dir)
{
	(void)nftw(dir, testdir_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
