/*
 * Disks that fail, by a VFS of SQLite that stands before the real one: power cuts at every sync, with what was not
 * synced lost or half written; writes refused for want of room or of leave; a damaged page.
 */
#include "gateway/queue/queue_trouble.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include "tests/unit/queue_fixture.h"

/* ---- the VFS ---- */

enum { FILES = 2, WRITES_MAX = 4096, ACKS_MAX = 256 };

struct pending {
	sqlite3_int64 off;
	int n; /* -1: the file was cut to off */
	uint8_t *octets;
};
/* One of the two files that matter: the database and its log. */
struct image {
	uint8_t *durable; /* as of the last sync */
	size_t size, cap;
	struct pending pending[WRITES_MAX]; /* since then */
	size_t npending;
};
struct shim_file {
	sqlite3_file base;
	struct image *image; /* NULL: not one of them */
	sqlite3_file *real;
};

static sqlite3_vfs shim, *below;
static sqlite3_io_methods methods;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct image images[FILES];
static bool tracing;
static const char *cuts_dir;
static int ncuts, acks_at[1024];
static atomic_int acked, refuse; /* refuse: the errno of every write to the log; 0 none */

static void apply(uint8_t **p, size_t *size, size_t *cap, const struct pending *w, int n)
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

static void write_file(const char *path, const uint8_t *p, size_t n)
{
	FILE *f = fopen(path, "w");

	if (!f || (n && fwrite(p, n, 1, f) != 1) || fclose(f))
		abort();
}

/* What a power cut leaves now. half: every second write that was not synced is on the disk, by half. */
static void cut(bool half)
{
	static const char *const names[FILES] = {"queue.db", "queue.db-wal"};
	char path[160];

	if (ncuts == (int)(sizeof acks_at / sizeof acks_at[0]))
		return;
	snprintf(path, sizeof path, "%s/%d", cuts_dir, ncuts);
	if (mkdir(path, 0700))
		abort();
	for (int i = 0; i < FILES; i++) {
		struct image *m = &images[i];
		size_t size = m->size, cap = m->size + 1;
		uint8_t *p = malloc(cap);

		if (m->size)
			memcpy(p, m->durable, m->size);
		for (size_t k = 0; half && k < m->npending; k += 2)
			apply(&p, &size, &cap, &m->pending[k], m->pending[k].n < 0 ? -1 : m->pending[k].n / 2);
		snprintf(path, sizeof path, "%s/%d/%s", cuts_dir, ncuts, names[i]);
		write_file(path, p, size);
		free(p);
	}
	acks_at[ncuts++] = atomic_load(&acked);
}

static struct shim_file *of(sqlite3_file *f)
{
	return (struct shim_file *)f;
}

static void note(struct image *m, const void *p, int n, sqlite3_int64 off)
{
	if (!m)
		return;
	if (m->npending == WRITES_MAX)
		abort();

	struct pending *w = &m->pending[m->npending++];

	*w = (struct pending){.off = off, .n = n, .octets = n > 0 ? malloc((size_t)n) : NULL};
	if (n > 0)
		memcpy(w->octets, p, (size_t)n);
}

static int shim_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 off)
{
	if (of(f)->image == &images[1] && atomic_load(&refuse))
		return atomic_load(&refuse) == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;

	int rc = of(f)->real->pMethods->xWrite(of(f)->real, p, n, off);

	pthread_mutex_lock(&lock);
	if (rc == SQLITE_OK)
		note(of(f)->image, p, n, off);
	pthread_mutex_unlock(&lock);
	return rc;
}

static int shim_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = of(f)->real->pMethods->xTruncate(of(f)->real, size);

	pthread_mutex_lock(&lock);
	if (rc == SQLITE_OK)
		note(of(f)->image, NULL, -1, size);
	pthread_mutex_unlock(&lock);
	return rc;
}

static int shim_sync(sqlite3_file *f, int flags)
{
	struct image *m = of(f)->image;

	pthread_mutex_lock(&lock);
	if (tracing) {
		cut(false);
		cut(true);
	}
	for (size_t i = 0; m && i < m->npending; i++) {
		apply(&m->durable, &m->size, &m->cap, &m->pending[i], m->pending[i].n);
		free(m->pending[i].octets);
	}
	if (m)
		m->npending = 0;
	pthread_mutex_unlock(&lock);
	return of(f)->real->pMethods->xSync(of(f)->real, flags);
}

/* clang-format off */
#define REAL of(f)->real->pMethods
static int shim_close(sqlite3_file *f) { return REAL->xClose(of(f)->real); }
static int shim_read(sqlite3_file *f, void *p, int n, sqlite3_int64 off) { return REAL->xRead(of(f)->real, p, n, off); }
static int shim_size(sqlite3_file *f, sqlite3_int64 *r) { return REAL->xFileSize(of(f)->real, r); }
static int shim_lock(sqlite3_file *f, int l) { return REAL->xLock(of(f)->real, l); }
static int shim_unlock(sqlite3_file *f, int l) { return REAL->xUnlock(of(f)->real, l); }
static int shim_reserved(sqlite3_file *f, int *r) { return REAL->xCheckReservedLock(of(f)->real, r); }
static int shim_sector(sqlite3_file *f) { return REAL->xSectorSize(of(f)->real); }
static int shim_traits(sqlite3_file *f) { (void)f; return 0; } /* nothing is atomic, nothing is in order */
static int shim_map(sqlite3_file *f, int a, int b, int c, void volatile **r) { return REAL->xShmMap(of(f)->real, a, b, c, r); }
static int shim_shmlock(sqlite3_file *f, int a, int b, int c) { return REAL->xShmLock(of(f)->real, a, b, c); }
static void shim_barrier(sqlite3_file *f) { REAL->xShmBarrier(of(f)->real); }
static int shim_unmap(sqlite3_file *f, int d) { return REAL->xShmUnmap(of(f)->real, d); }
/* clang-format on */

static int shim_control(sqlite3_file *f, int op, void *p)
{
	if (op == SQLITE_FCNTL_LAST_ERRNO && atomic_load(&refuse)) {
		*(int *)p = atomic_load(&refuse);
		return SQLITE_OK;
	}
	return REAL->xFileControl(of(f)->real, op, p);
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = s ? strlen(s) : 0, m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static int shim_open(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *f, int flags, int *r)
{
	(void)v;
	of(f)->real = (sqlite3_file *)(of(f) + 1);

	int rc = below->xOpen(below, name, of(f)->real, flags, r);

	of(f)->image = ends_with(name, "/queue.db")	  ? &images[0]
		       : ends_with(name, "/queue.db-wal") ? &images[1]
							  : NULL;
	f->pMethods = rc == SQLITE_OK ? &methods : NULL;
	return rc;
}

static void shim_install(void)
{
	below = sqlite3_vfs_find(NULL);
	shim = *below;
	shim.zName = "shim";
	shim.szOsFile = (int)sizeof(struct shim_file) + below->szOsFile;
	shim.xOpen = shim_open;
	methods = (sqlite3_io_methods){2, shim_close, shim_read, shim_write, shim_truncate, shim_sync, shim_size,
	    shim_lock, shim_unlock, shim_reserved, shim_control, shim_sector, shim_traits, shim_map, shim_shmlock,
	    shim_barrier, shim_unmap, NULL, NULL};
	ck_assert_int_eq(sqlite3_vfs_register(&shim, 1), SQLITE_OK);
}

static void shim_remove(void)
{
	ck_assert_int_eq(sqlite3_vfs_register(below, 1), SQLITE_OK);
	ck_assert_int_eq(sqlite3_vfs_unregister(&shim), SQLITE_OK);
	for (int i = 0; i < FILES; i++)
		free(images[i].durable);
}

/* ---- power cuts ---- */

struct ack {
	char id[QUEUE_ID_MAX];
	int64_t row;
	bool settled;
};
static struct ack acks[ACKS_MAX];

static void put_done(void *ctx, int err, const int64_t *rows, size_t nrows, const struct problem *pr)
{
	ck_assert_msg(err == 0, "%s", pr ? pr->text : "");
	ck_assert_uint_eq(nrows, 1);
	((struct ack *)ctx)->row = rows[0];
	atomic_fetch_add(&acked, 1);
}

static void put_acked(struct fixture *f, struct spool *content, int i)
{
	struct queue_rcpt r = fixture_rcpt("a@1.example", "1.example", QUEUE_QUEUED);
	struct queue_msg m;
	struct queue_tx tx = {.msgs = &m, .nmsgs = 1};

	queue_id(f->q, acks[i].id);
	m = fixture_msg(acks[i].id, content, &r, 1);
	queue_commit(f->q, &tx, put_done, &acks[i]);
}

/* The queue as the cut left it opens, is whole, and has every message that was acknowledged before the cut. */
static void check_cut(struct fixture *f, int n)
{
	struct fixture g = *f;
	char sql[200];

	snprintf(g.dir, sizeof g.dir, "%s/%d", cuts_dir, n);
	ck_assert_msg(fixture_open(&g) == 0, "cut %d: %s", n, g.pr.text);
	for (int i = 0; i < acks_at[n]; i++) {
		int64_t row = acks[i].row;

		snprintf(sql, sizeof sql,
		    "SELECT count(*) FROM rcpt, msg, body WHERE rcpt.id = %lld AND msg.id = %lld AND body.msg = "
		    "msg.id",
		    (long long)row, (long long)(row >> 16));
		ck_assert_msg(fixture_ask(&g, sql) == 1, "cut %d: message %d of %d is lost", n, i, acks_at[n]);
	}
	ck_assert_int_eq(
	    fixture_ask(&g, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
	queue_close(g.q);
	loop_once(f->loop, 0);
}

START_TEST(test_power_cut)
{
	enum { N = 60, GROUP = 4 };
	struct fixture f;
	struct spool *content;
	char dir[] = "/tmp/test_queue_XXXXXX";

	shim_install();
	fixture_init(&f);
	fixture_close(&f);
	f.set.checkpoint = 64 * 1024;
	ck_assert_int_eq(fixture_open(&f), 0);
	cuts_dir = mkdtemp(dir);
	content = fixture_content(&f, "words ", 3000);
	pthread_mutex_lock(&lock);
	tracing = true;
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < N;) {
		for (int k = 0; k < GROUP; k++)
			put_acked(&f, content, i++);
		while (atomic_load(&acked) < i - GROUP / 2) /* some still under way when the next ones come */
			loop_once(f.loop, 1000);
	}
	while (atomic_load(&acked) < N)
		loop_once(f.loop, 1000);
	pthread_mutex_lock(&lock);
	tracing = false;
	pthread_mutex_unlock(&lock);
	spool_free(content);
	fixture_close(&f);
	shim_remove();
	ck_assert_int_ge(ncuts, 40);
	for (int i = 0; i < ncuts; i++)
		check_cut(&f, i);
	ck_assert_int_gt(acks_at[ncuts - 1], N / 2);
	fixture_remove_dir(dir);
	fixture_clear(&f);
}
END_TEST

/* ---- refused writes ---- */

static const struct {
	int error, code;
	const char *enh, *words;
} refusals[] = {
    {ENOSPC, 452, "4.3.1", "no room on the disk"},
    {EDQUOT, 452, "4.3.1", "quota"},
    {EROFS, 451, "4.3.0", "mount the file system read-write"},
    {EIO, 451, "4.3.0", "errors of the disk"},
};

/* New mail is refused, what is there stays, nothing is claimed, a settlement waits; afterwards all goes on by itself.
 */
START_TEST(test_refused_write)
{
	struct fixture f;
	struct queue_job *jobs[4];
	struct problem pr;
	char id[QUEUE_ID_MAX];
	int64_t row;
	long before;

	shim_install();
	fixture_init(&f);
	fixture_put_one(&f, "a@1.example", "1.example", QUEUE_QUEUED, id);
	fixture_put_one(&f, "b@1.example", "1.example", QUEUE_QUEUED, id);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 1), 1);
	row = jobs[0]->rcpts[0].row;
	queue_job_free(jobs[0]);
	ck_assert(!queue_trouble(f.q, NULL));
	atomic_store(&refuse, refusals[_i].error);
	ck_assert_int_eq(fixture_put_one(&f, "c@1.example", "1.example", QUEUE_QUEUED, id), -1);
	ck_assert_int_eq(f.pr.code, refusals[_i].code);
	ck_assert_str_eq(f.pr.enh, refusals[_i].enh);
	ck_assert_msg(strstr(f.pr.text, refusals[_i].words) != NULL, "%s", f.pr.text);
	ck_assert(queue_trouble(f.q, &pr));
	ck_assert_str_eq(pr.text, f.pr.text);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 0);

	struct queue_settle s = {.rcpt = row, .state = QUEUE_DONE, .outcome = QUEUE_DELIVERED, .reason = "250 ok"};
	struct queue_tx tx = {.settles = &s, .nsettles = 1};

	before = f.finished;
	queue_commit(f.q, &tx, fixture_done, &f);
	ck_assert_int_eq(fixture_put_one(&f, "c@1.example", "1.example", QUEUE_QUEUED, id), -1);
	ck_assert_int_eq(f.finished, before + 1); /* the settlement still waits */
	atomic_store(&refuse, 0);
	fixture_wait(&f, before + 2);
	ck_assert_int_eq(f.err, 0);
	ck_assert(!queue_trouble(f.q, NULL));
	ck_assert_int_eq(fixture_put_one(&f, "c@1.example", "1.example", QUEUE_QUEUED, id), 0);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 2);
	queue_job_free(jobs[0]);
	queue_job_free(jobs[1]);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM rcpt WHERE state = 3"), 1);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM msg"), 3);
	fixture_clear(&f);
	shim_remove();
}
END_TEST

/* ---- a damaged page ---- */

/* Met at run time: nothing is written any more, the sentence says what to do. The next start refuses to begin. */
START_TEST(test_damaged)
{
	struct fixture f;
	struct queue_job *jobs[4];
	struct stat st;
	char id[QUEUE_ID_MAX], path[128], garbage[4096];
	int fd;

	fixture_init(&f);
	for (int i = 0; i < 5; i++)
		fixture_put_one(&f, "a@1.example", "1.example", QUEUE_QUEUED, id);
	fixture_reopen(&f);
	snprintf(path, sizeof path, "%s/queue.db", f.dir);
	ck_assert_int_eq(stat(path, &st), 0);
	memset(garbage, 0x5a, sizeof garbage);
	fd = open(path, O_WRONLY);
	for (off_t off = 16384; off < st.st_size; off += (off_t)sizeof garbage)
		ck_assert_int_eq(pwrite(fd, garbage, sizeof garbage, off), (int)sizeof garbage);
	close(fd);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 0);
	ck_assert_int_eq(fixture_put_one(&f, "c@1.example", "1.example", QUEUE_QUEUED, id), -1);
	ck_assert_int_eq(f.pr.code, 451);
	ck_assert_msg(strstr(f.pr.text, "is damaged") && strstr(f.pr.text, ".recover"), "%s", f.pr.text);
	ck_assert_int_eq(fixture_put_one(&f, "c@1.example", "1.example", QUEUE_QUEUED, id), -1);
	ck_assert(queue_trouble(f.q, NULL));
	fixture_close(&f);
	ck_assert_int_eq(fixture_open(&f), -1);
	ck_assert_msg(strstr(f.pr.text, "is damaged"), "%s", f.pr.text);
	loop_free(f.loop);
	fixture_remove_dir(f.dir);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_trouble");
	TCase *t = tcase_create("queue_trouble");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_power_cut);
	tcase_add_loop_test(t, test_refused_write, 0, (int)(sizeof refusals / sizeof refusals[0]));
	tcase_add_test(t, test_damaged);
	suite_add_tcase(s, t);
	return fixture_main(s);
}
