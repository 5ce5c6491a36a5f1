/*
 * A disk that can fail, below a queue under test. SQLite's files go through a VFS that stands before the real one;
 * the content files of spool/ through linkat, unlinkat, fdatasync and fsync of this program, which come before those
 * of the C library. What was synced is kept as an image. At every sync, and at every name that is made or removed,
 * the disk is written down as a power cut would leave it: once with nothing that was not synced, once with every
 * second write by half and all changes of names. A content that was never synced is empty then. Writes to the log can
 * be refused. Include it in one test program.
 */
#ifndef POSTERN_TESTS_DISK_SHIM_H
#define POSTERN_TESTS_DISK_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "tests/unit/queue_fixture.h"

enum { SHIM_FILES = 2, SHIM_WRITES = 4096, SHIM_NAMES = 256, SHIM_CUTS = 2048 };

struct shim_pending {
	sqlite3_int64 off;
	int n; /* -1: the file was cut to off */
	uint8_t *octets;
};
/* One of the two files that matter: the database and its log. */
struct shim_image {
	uint8_t *durable; /* as of the last sync */
	size_t size, cap;
	struct shim_pending pending[SHIM_WRITES]; /* since then */
	size_t npending;
};
struct shim_file {
	sqlite3_file base;
	struct shim_image *image; /* NULL: not one of them */
	sqlite3_file *real;
};
/* A file of spool/. */
struct shim_name {
	ino_t ino;
	char name[32]; /* "": none yet */
	bool live, durable;
	uint8_t *synced; /* NULL: never */
	size_t size;
};

static sqlite3_vfs shim, *shim_below;
static sqlite3_io_methods shim_methods;
static pthread_mutex_t shim_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct shim_image shim_images[SHIM_FILES];
static struct shim_name shim_names[SHIM_NAMES];
static size_t shim_nnames;
static char shim_dir[128]; /* the queue that is looked at, "" none */
static bool shim_tracing;
static const char *shim_cuts_dir;
static int shim_ncuts;
static void (*shim_at_cut)(int n); /* told of each cut, in the thread that syncs */
static atomic_int shim_refuse;	   /* the errno of every write to the log; 0 none */

static void shim_apply(uint8_t **p, size_t *size, size_t *cap, const struct shim_pending *w, int n)
{
	size_t end = (size_t)w->off + (size_t)(n < 0 ? 0 : n);

	if (n < 0) {
		*size = end < *size ? end : *size;
		return;
	}
	if (end > *cap) {
		*cap = end * 2;
		*p = realloc(*p, *cap);
	}
	if (end > *size) {
		memset(*p + *size, 0, end - *size);
		*size = end;
	}
	memcpy(*p + w->off, w->octets, (size_t)n);
}

static void shim_write_file(const char *path, const uint8_t *p, size_t n)
{
	FILE *f = fopen(path, "w");

	if (!f || (n && fwrite(p, n, 1, f) != 1) || fclose(f))
		abort();
}

static void shim_cut_spool(const char *path, bool half)
{
	char name[256];

	snprintf(name, sizeof name, "%s/spool", path);
	if (mkdir(name, 0700))
		abort();
	for (size_t i = 0; i < shim_nnames; i++) {
		struct shim_name *s = &shim_names[i];

		if (!s->name[0] || !(half ? s->live : s->durable))
			continue;
		snprintf(name, sizeof name, "%s/spool/%s", path, s->name);
		shim_write_file(name, s->synced, s->synced ? s->size : 0);
	}
}

/* What a power cut leaves now. half: every second write that was not synced is on the disk, by half; names are as
 * they were last. */
static void shim_cut(bool half)
{
	static const char *const names[SHIM_FILES] = {"queue.db", "queue.db-wal"};
	char path[160], name[200];

	if (shim_ncuts == SHIM_CUTS)
		abort();
	snprintf(path, sizeof path, "%s/%d", shim_cuts_dir, shim_ncuts);
	if (mkdir(path, 0700))
		abort();
	for (int i = 0; i < SHIM_FILES; i++) {
		struct shim_image *m = &shim_images[i];
		size_t size = m->size, cap = m->size + 1;
		uint8_t *p = malloc(cap);

		if (m->size)
			memcpy(p, m->durable, m->size);
		for (size_t k = 0; half && k < m->npending; k += 2)
			shim_apply(&p, &size, &cap, &m->pending[k], m->pending[k].n < 0 ? -1 : m->pending[k].n / 2);
		snprintf(name, sizeof name, "%s/%s", path, names[i]);
		shim_write_file(name, p, size);
		free(p);
	}
	shim_cut_spool(path, half);
	if (shim_at_cut)
		shim_at_cut(shim_ncuts);
	shim_ncuts++;
}

/* Both kinds. Under the lock. */
static void shim_cuts(void)
{
	if (!shim_tracing)
		return;
	shim_cut(false);
	shim_cut(true);
}

static void shim_trace(bool on)
{
	pthread_mutex_lock(&shim_mutex);
	shim_tracing = on;
	pthread_mutex_unlock(&shim_mutex);
}

/* ---- SQLite's files ---- */

static struct shim_file *shim_of(sqlite3_file *f)
{
	return (struct shim_file *)f;
}

static void shim_note(struct shim_image *m, const void *p, int n, sqlite3_int64 off)
{
	if (!m)
		return;
	if (m->npending == SHIM_WRITES)
		abort();

	struct shim_pending *w = &m->pending[m->npending++];

	*w = (struct shim_pending){.off = off, .n = n, .octets = n > 0 ? malloc((size_t)n) : NULL};
	if (n > 0)
		memcpy(w->octets, p, (size_t)n);
}

static int shim_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 off)
{
	int refused = atomic_load(&shim_refuse);

	if (shim_of(f)->image == &shim_images[1] && refused)
		return refused == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;

	int rc = shim_of(f)->real->pMethods->xWrite(shim_of(f)->real, p, n, off);

	pthread_mutex_lock(&shim_mutex);
	if (rc == SQLITE_OK)
		shim_note(shim_of(f)->image, p, n, off);
	pthread_mutex_unlock(&shim_mutex);
	return rc;
}

static int shim_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = shim_of(f)->real->pMethods->xTruncate(shim_of(f)->real, size);

	pthread_mutex_lock(&shim_mutex);
	if (rc == SQLITE_OK)
		shim_note(shim_of(f)->image, NULL, -1, size);
	pthread_mutex_unlock(&shim_mutex);
	return rc;
}

static int shim_sync(sqlite3_file *f, int flags)
{
	struct shim_image *m = shim_of(f)->image;

	pthread_mutex_lock(&shim_mutex);
	if (m)
		shim_cuts();
	for (size_t i = 0; m && i < m->npending; i++) {
		shim_apply(&m->durable, &m->size, &m->cap, &m->pending[i], m->pending[i].n);
		free(m->pending[i].octets);
	}
	if (m)
		m->npending = 0;
	pthread_mutex_unlock(&shim_mutex);
	return shim_of(f)->real->pMethods->xSync(shim_of(f)->real, flags);
}

/* clang-format off */
#define REAL shim_of(f)->real->pMethods
static int shim_close(sqlite3_file *f) { return REAL->xClose(shim_of(f)->real); }
static int shim_read(sqlite3_file *f, void *p, int n, sqlite3_int64 off) { return REAL->xRead(shim_of(f)->real, p, n, off); }
static int shim_size(sqlite3_file *f, sqlite3_int64 *r) { return REAL->xFileSize(shim_of(f)->real, r); }
static int shim_lock(sqlite3_file *f, int l) { return REAL->xLock(shim_of(f)->real, l); }
static int shim_unlock(sqlite3_file *f, int l) { return REAL->xUnlock(shim_of(f)->real, l); }
static int shim_reserved(sqlite3_file *f, int *r) { return REAL->xCheckReservedLock(shim_of(f)->real, r); }
static int shim_sector(sqlite3_file *f) { return REAL->xSectorSize(shim_of(f)->real); }
static int shim_traits(sqlite3_file *f) { (void)f; return 0; } /* nothing is atomic, nothing is in order */
static int shim_map(sqlite3_file *f, int a, int b, int c, void volatile **r) { return REAL->xShmMap(shim_of(f)->real, a, b, c, r); }
static int shim_shmlock(sqlite3_file *f, int a, int b, int c) { return REAL->xShmLock(shim_of(f)->real, a, b, c); }
static void shim_barrier(sqlite3_file *f) { REAL->xShmBarrier(shim_of(f)->real); }
static int shim_unmap(sqlite3_file *f, int d) { return REAL->xShmUnmap(shim_of(f)->real, d); }
/* clang-format on */

static int shim_control(sqlite3_file *f, int op, void *p)
{
	if (op == SQLITE_FCNTL_LAST_ERRNO && atomic_load(&shim_refuse)) {
		*(int *)p = atomic_load(&shim_refuse);
		return SQLITE_OK;
	}
	return REAL->xFileControl(shim_of(f)->real, op, p);
}

static bool shim_is(const char *path, const char *end)
{
	size_t n = strlen(shim_dir);

	return n && path && strncmp(path, shim_dir, n) == 0 && strcmp(path + n, end) == 0;
}

/* What the file has when it is first seen counts as synced. */
static void shim_begin(struct shim_image *m, sqlite3_file *real)
{
	sqlite3_int64 n = 0;

	if (!m || m->size || m->npending || real->pMethods->xFileSize(real, &n) || n == 0)
		return;
	m->size = m->cap = (size_t)n;
	m->durable = malloc(m->size);
	if (real->pMethods->xRead(real, m->durable, (int)n, 0))
		abort();
}

static int shim_open(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *f, int flags, int *r)
{
	(void)v;
	shim_of(f)->real = (sqlite3_file *)(shim_of(f) + 1);

	int rc = shim_below->xOpen(shim_below, name, shim_of(f)->real, flags, r);

	shim_of(f)->image = shim_is(name, "/queue.db")	     ? &shim_images[0]
			    : shim_is(name, "/queue.db-wal") ? &shim_images[1]
							     : NULL;
	if (rc == SQLITE_OK)
		shim_begin(shim_of(f)->image, shim_of(f)->real);
	f->pMethods = rc == SQLITE_OK ? &shim_methods : NULL;
	return rc;
}

/* ---- the files of spool/ ---- */

/* Is it the descriptor of the spool directory, or of a file in it? */
static bool shim_in_spool(int fd, bool file)
{
	char link[40], path[256], want[160];
	ssize_t n;

	if (!shim_dir[0])
		return false;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	if (n < 0)
		return false;
	path[n] = 0;
	snprintf(want, sizeof want, "%s/spool%s", shim_dir, file ? "/" : "");
	return file ? strncmp(path, want, strlen(want)) == 0 : strcmp(path, want) == 0;
}

static struct shim_name *shim_name_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		abort();
	for (size_t i = 0; i < shim_nnames; i++)
		if (shim_names[i].ino == st.st_ino && !(shim_names[i].name[0] && !shim_names[i].live))
			return &shim_names[i];
	if (shim_nnames == SHIM_NAMES)
		abort();
	shim_names[shim_nnames] = (struct shim_name){.ino = st.st_ino};
	return &shim_names[shim_nnames++];
}

static void shim_content_synced(int fd)
{
	struct shim_name *s = shim_name_of(fd);
	off_t size = lseek(fd, 0, SEEK_END);

	free(s->synced);
	s->size = (size_t)size;
	s->synced = malloc(s->size + 1);
	if (pread(fd, s->synced, s->size, 0) != size)
		abort();
}

/* The calls that the program makes instead of those of the C library. */
int fdatasync(int fd)
{
	if (shim_in_spool(fd, true)) {
		pthread_mutex_lock(&shim_mutex);
		shim_cuts();
		shim_content_synced(fd);
		pthread_mutex_unlock(&shim_mutex);
	}
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	if (shim_in_spool(fd, false)) {
		pthread_mutex_lock(&shim_mutex);
		shim_cuts();
		for (size_t i = 0; i < shim_nnames; i++)
			shim_names[i].durable = shim_names[i].live;
		pthread_mutex_unlock(&shim_mutex);
	}
	return (int)syscall(SYS_fsync, fd);
}

int linkat(int from, const char *path, int to, const char *name, int flags)
{
	int rc = (int)syscall(SYS_linkat, from, path, to, name, flags);

	if (rc == 0 && shim_in_spool(to, false)) {
		int fd = path[0] ? atoi(strrchr(path, '/') + 1) : from;

		pthread_mutex_lock(&shim_mutex);

		struct shim_name *s = shim_name_of(fd);

		snprintf(s->name, sizeof s->name, "%s", name);
		s->live = true;
		shim_cuts();
		pthread_mutex_unlock(&shim_mutex);
	}
	return rc;
}

int unlinkat(int dir, const char *name, int flags)
{
	int rc = (int)syscall(SYS_unlinkat, dir, name, flags);

	if (rc == 0 && shim_in_spool(dir, false)) {
		pthread_mutex_lock(&shim_mutex);
		for (size_t i = 0; i < shim_nnames; i++)
			if (shim_names[i].live && strcmp(shim_names[i].name, name) == 0)
				shim_names[i].live = false;
		shim_cuts();
		pthread_mutex_unlock(&shim_mutex);
	}
	return rc;
}

/* ---- on and off ---- */

/* From now on for the queue below dir (a path without links). */
static void shim_install(const char *dir)
{
	snprintf(shim_dir, sizeof shim_dir, "%s", dir);
	shim_below = sqlite3_vfs_find(NULL);
	shim = *shim_below;
	shim.zName = "shim";
	shim.szOsFile = (int)sizeof(struct shim_file) + shim_below->szOsFile;
	shim.xOpen = shim_open;
	shim_methods = (sqlite3_io_methods){2, shim_close, shim_read, shim_write, shim_truncate, shim_sync, shim_size,
	    shim_lock, shim_unlock, shim_reserved, shim_control, shim_sector, shim_traits, shim_map, shim_shmlock,
	    shim_barrier, shim_unmap, NULL, NULL};
	ck_assert_int_eq(sqlite3_vfs_register(&shim, 1), SQLITE_OK);
}

/* After the queue was closed. */
static void shim_remove(void)
{
	shim_dir[0] = 0;
	ck_assert_int_eq(sqlite3_vfs_register(shim_below, 1), SQLITE_OK);
	ck_assert_int_eq(sqlite3_vfs_unregister(&shim), SQLITE_OK);
	for (int i = 0; i < SHIM_FILES; i++)
		free(shim_images[i].durable);
	for (size_t i = 0; i < shim_nnames; i++)
		free(shim_names[i].synced);
}

#endif
