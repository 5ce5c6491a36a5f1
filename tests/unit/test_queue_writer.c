/*
 * The writer: group commit, a full disk, a failed sync, and kill -9 at random moments: what was acknowledged is there
 * and whole, and what is there is whole.
 */
#include "tests/unit/queue_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* ---- group commit ---- */

START_TEST(test_groups)
{
	enum { N = 600 };
	struct fixture f;
	struct queue_rcpt r = fixture_rcpt("a@1.example", "1.example", QUEUE_QUEUED);
	struct spool *s;
	char id[QUEUE_ID_MAX];

	fixture_init(&f);
	s = fixture_content(&f, "x", 2000);

	uint64_t before = queue_commits(f.q);

	for (int i = 0; i < N; i++) {
		struct queue_msg m;
		struct queue_tx tx = {.msgs = &m, .nmsgs = 1};

		queue_id(f.q, id);
		m = fixture_msg(id, s, &r, 1);
		queue_commit(f.q, &tx, fixture_done, &f);
	}
	fixture_wait(&f, N);
	ck_assert_int_eq(f.err, 0);
	ck_assert_uint_le(queue_commits(f.q) - before, N / 10);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM msg"), N);
	spool_free(s);
	fixture_clear(&f);
}
END_TEST

struct order {
	long next;
};

struct numbered {
	struct order *o;
	long number;
};

static void numbered_done(void *ctx, int err, const int64_t *rows, size_t nrows, const struct problem *pr)
{
	struct numbered *n = ctx;

	(void)rows;
	(void)pr;
	ck_assert_int_eq(err, 0);
	ck_assert_uint_eq(nrows, 1);
	ck_assert_int_eq(n->number, n->o->next);
	n->o->next++;
}

START_TEST(test_order)
{
	enum { N = 300 };
	static struct numbered all[N];
	struct fixture f;
	struct order o = {0};
	struct queue_rcpt r = fixture_rcpt("a@1.example", "1.example", QUEUE_QUEUED);
	struct spool *s;
	char id[QUEUE_ID_MAX];

	fixture_init(&f);
	s = fixture_content(&f, "x", 100);
	for (int i = 0; i < N; i++) {
		struct queue_msg m;
		struct queue_tx tx = {.msgs = &m, .nmsgs = 1};

		queue_id(f.q, id);
		m = fixture_msg(id, s, &r, 1);
		all[i] = (struct numbered){.o = &o, .number = i};
		queue_commit(f.q, &tx, numbered_done, &all[i]);
		if (i % 50 == 0)
			loop_once(f.loop, 0);
	}
	while (o.next < N)
		loop_once(f.loop, 10000);
	spool_free(s);
	fixture_clear(&f);
}
END_TEST

/* ---- a disk that refuses: the log file's write and sync are ours while a queue is open ---- */

static sqlite3_vfs *machine, faulty;
static const sqlite3_io_methods *real;
static sqlite3_io_methods patched;
static atomic_int refuse_writes, refuse_syncs, refuse_contents, hold_sync;
static sem_t in_sync, go_on;

static int faulty_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 at)
{
	if (atomic_load(&refuse_writes)) {
		if (atomic_load(&refuse_writes) > 0)
			atomic_fetch_sub(&refuse_writes, 1);
		return SQLITE_FULL;
	}
	return real->xWrite(file, p, n, at);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
	if (atomic_exchange(&hold_sync, 0)) {
		sem_post(&in_sync);
		sem_wait(&go_on);
	}
	return atomic_load(&refuse_syncs) ? SQLITE_IOERR_FSYNC : real->xSync(file, flags);
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *flags_r)
{
	int rc = machine->xOpen(machine, name, file, flags, flags_r);

	(void)vfs;
	if (rc == SQLITE_OK && (flags & SQLITE_OPEN_WAL)) {
		real = file->pMethods;
		patched = *real;
		patched.xWrite = faulty_write;
		patched.xSync = faulty_sync;
		file->pMethods = &patched;
	}
	return rc;
}

static void make_disk_faulty(void)
{
	machine = sqlite3_vfs_find(NULL);
	faulty = *machine;
	faulty.zName = "faulty";
	faulty.xOpen = faulty_open;
	ck_assert_int_eq(sqlite3_vfs_register(&faulty, 1), SQLITE_OK);
}

static void mend_disk(void)
{
	sqlite3_vfs_unregister(&faulty);
	sqlite3_vfs_register(machine, 1);
}

START_TEST(test_full)
{
	struct fixture f;
	char id[QUEUE_ID_MAX], kept[QUEUE_ID_MAX];
	struct queue_rcpt r = fixture_rcpt("a@1.example", "1.example", QUEUE_ACTIVE);
	struct queue_job *jobs[4];
	struct problem pr = {0};

	make_disk_faulty();
	fixture_init(&f);
	ck_assert_int_eq(fixture_put(&f, &r, 1, 1000, kept), 0);

	int64_t row = f.rows[0];

	/* new mail is refused, and nothing of it stays */
	atomic_store(&refuse_writes, -1);
	ck_assert_int_eq(fixture_put(&f, &r, 1, 400000, id), -1);
	ck_assert_int_eq(f.pr.code, 452);
	ck_assert_str_eq(f.pr.enh, "4.3.1");
	ck_assert(!fixture_has_file(&f, id));
	ck_assert_int_eq(
	    queue_admin(f.q, QUEUE_VERB_HOLD, kept, NULL, NULL, &pr), -1); /* in delivery: nothing to write */
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM msg"), 1);

	/* a settlement is not lost: it waits for room */
	struct queue_settle s = {.rcpt = row, .state = QUEUE_DONE, .outcome = QUEUE_DELIVERED, .reason = "250 ok"};
	struct queue_tx tx = {.settles = &s, .nsettles = 1};
	long before = f.finished;

	atomic_store(&refuse_writes, 1);
	queue_commit(f.q, &tx, fixture_done, &f);
	fixture_wait(&f, before + 1);
	ck_assert_int_eq(atomic_load(&refuse_writes), 0);
	ck_assert_int_eq(f.err, 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM rcpt WHERE state = 3"), 1);

	/* room again: everything goes on, also after a restart */
	ck_assert_int_eq(fixture_put(&f, &r, 1, 400000, id), 0);
	ck_assert(fixture_has_file(&f, id));
	fixture_reopen(&f);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 1);
	fixture_expect_content(&f, jobs[0]->msg, "words ", 400000);
	queue_job_free(jobs[0]);

	/* stopping while it is full: the settlement's caller is told that it was not written */
	before = f.finished;
	atomic_store(&refuse_writes, -1);
	s.rcpt = fixture_ask(&f, "SELECT id FROM rcpt WHERE state = 0");
	queue_commit(f.q, &tx, fixture_done, &f);
	fixture_close(&f);
	ck_assert_int_eq(f.finished, before + 1);
	ck_assert_int_eq(f.err, -1);
	atomic_store(&refuse_writes, 0);
	mend_disk();
	ck_assert_int_eq(fixture_open(&f), 0);
	fixture_clear(&f);
}
END_TEST

/* A claim in the middle of the commit that settles a recipient: that one is neither queued nor free, the next one is.
 */
START_TEST(test_claim_during_commit)
{
	struct fixture f;
	char ids[2][QUEUE_ID_MAX];
	struct queue_job *jobs[4];
	struct queue_settle s = {.state = QUEUE_DONE, .outcome = QUEUE_DELIVERED};
	struct queue_tx tx = {.settles = &s, .nsettles = 1};
	long before;

	sem_init(&in_sync, 0, 0);
	sem_init(&go_on, 0, 0);
	make_disk_faulty();
	fixture_init(&f);
	for (int i = 0; i < 2; i++)
		fixture_put_one(&f, "a@1.example", "1.example", QUEUE_QUEUED, ids[i]);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 1), 1);
	s.rcpt = jobs[0]->rcpts[0].row;
	queue_job_free(jobs[0]);
	before = f.finished;
	atomic_store(&hold_sync, 1);
	queue_commit(f.q, &tx, fixture_done, &f);
	sem_wait(&in_sync);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM rcpt WHERE state = 0"), 2);

	size_t n = fixture_claim(&f, jobs, 4);

	sem_post(&go_on);
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(jobs[0]->id, ids[1]);
	queue_job_free(jobs[0]);
	fixture_wait(&f, before + 1);
	ck_assert_int_eq(f.err, 0);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 0);
	fixture_clear(&f);
	mend_disk();
	sem_destroy(&in_sync);
	sem_destroy(&go_on);
}
END_TEST

/* The contents' own sync. */
int fdatasync(int fd)
{
	if (atomic_load(&refuse_contents)) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static int64_t cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void expect_unsynced(struct fixture *f, size_t octets)
{
	struct queue_rcpt r = fixture_rcpt("b@1.example", "1.example", QUEUE_QUEUED);
	char id[QUEUE_ID_MAX];

	ck_assert_int_eq(fixture_put(f, &r, 1, octets, id), -1);
	ck_assert_int_eq(f->pr.code, 451);
	ck_assert_msg(strstr(f->pr.text, "failed to sync") && strstr(f->pr.text, "kernel's log"), "%s", f->pr.text);
	ck_assert(!fixture_has_file(f, id));
}

/* A failed sync, of the log or of a content: who waits is refused, and so are all who come, though it would succeed
 * now; nothing is claimed, what became of a recipient waits without spinning, and nothing that was refused is there
 * at the next start. */
START_TEST(test_failed_sync)
{
	struct fixture f;
	char id[QUEUE_ID_MAX];
	struct queue_job *jobs[4];

	make_disk_faulty();
	fixture_init(&f);
	fixture_put_one(&f, "a@1.example", "1.example", QUEUE_QUEUED, id);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 1), 1);
	fixture_put_one(&f, "a@2.example", "2.example", QUEUE_QUEUED, id);
	atomic_store(_i ? &refuse_contents : &refuse_syncs, 1);
	expect_unsynced(&f, _i ? 400000 : 1000);
	atomic_store(_i ? &refuse_contents : &refuse_syncs, 0);
	expect_unsynced(&f, 1000);
	expect_unsynced(&f, 400000);
	ck_assert(queue_trouble(f.q, NULL));
	ck_assert_uint_eq(fixture_claim(&f, jobs + 1, 3), 0);

	struct queue_settle s = {.rcpt = jobs[0]->rcpts[0].row, .state = QUEUE_DONE, .outcome = QUEUE_DELIVERED};
	struct queue_tx tx = {.settles = &s, .nsettles = 1};
	long before = f.finished;
	int64_t cpu = cpu_ms();

	queue_commit(f.q, &tx, fixture_done, &f);
	for (int i = 0; i < 20; i++)
		loop_once(f.loop, 100);
	usleep(1500000);
	ck_assert_int_eq(f.finished, before);
	ck_assert_int_lt(cpu_ms() - cpu, 700);
	queue_job_free(jobs[0]);
	fixture_close(&f);
	ck_assert_int_eq(fixture_open(&f), 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM msg"), 2);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 2);
	queue_job_free(jobs[0]);
	queue_job_free(jobs[1]);
	fixture_clear(&f);
	mend_disk();
}
END_TEST

/* What a crash left in the log is synced before anything is written behind it, or the queue does not open. */
START_TEST(test_failed_sync_at_the_start)
{
	struct fixture f;
	char id[QUEUE_ID_MAX];
	int status;

	fixture_init(&f);
	fixture_close(&f);

	pid_t pid = fork();

	if (pid == 0)
		_exit(fixture_open(&f) || fixture_put_one(&f, "a@1.example", "1.example", QUEUE_QUEUED, id) ? 1 : 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	make_disk_faulty();
	atomic_store(&refuse_syncs, 1);
	ck_assert_int_eq(fixture_open(&f), -1);
	ck_assert_msg(strstr(f.pr.text, "failed to sync") != NULL, "%s", f.pr.text);
	atomic_store(&refuse_syncs, 0);
	ck_assert_int_eq(fixture_open(&f), 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM msg"), 1);
	fixture_clear(&f);
	mend_disk();
}
END_TEST

/* ---- kill -9 ---- */

enum { SMALL = 3000, LARGE = 300000, IN_FLIGHT = 24 };

struct child {
	struct fixture *f;
	int fd;
	struct spool *small;
	unsigned long n;
};

struct put_ctx {
	struct child *c;
	char id[QUEUE_ID_MAX];
};

static void report(struct child *c, char what, const char *id)
{
	char line[QUEUE_ID_MAX + 4];
	int n = snprintf(line, sizeof line, "%c%s\n", what, id);

	if (write(c->fd, line, (size_t)n) != n)
		_exit(1);
}

static void child_put(struct child *c);

static void child_settled(void *ctx, int err, const int64_t *rows, size_t nrows, const struct problem *pr)
{
	struct put_ctx *p = ctx;
	struct child *c = p->c;

	(void)rows;
	(void)nrows;
	(void)pr;
	if (err)
		_exit(1);
	report(c, 'D', p->id);
	free(p);
	child_put(c);
}

/* Every second message is settled; before, the parent is told that it will be: whether it was is open then. */
static void child_was_put(void *ctx, int err, const int64_t *rows, size_t nrows, const struct problem *pr)
{
	struct put_ctx *p = ctx;
	struct queue_settle s = {.state = QUEUE_DONE, .outcome = QUEUE_DELIVERED};
	struct queue_tx tx = {.settles = &s, .nsettles = 1};

	(void)pr;
	if (err || nrows != 2)
		_exit(1);
	report(p->c, 'P', p->id);
	if (p->c->n++ % 2) {
		child_put(p->c);
		free(p);
		return;
	}
	report(p->c, 'S', p->id);
	s.rcpt = rows[0];

	struct queue_settle both[2] = {s, s};

	both[1].rcpt = rows[1];
	tx.settles = both;
	tx.nsettles = 2;
	queue_commit(p->c->f->q, &tx, child_settled, p);
}

static void child_put(struct child *c)
{
	struct queue_rcpt r[2] = {fixture_rcpt("a@1.example", "1.example", QUEUE_ACTIVE),
	    fixture_rcpt("b@1.example", "1.example", QUEUE_ACTIVE)};
	struct put_ctx *p = calloc(1, sizeof *p);
	struct queue_msg m;
	struct queue_tx tx = {.msgs = &m, .nmsgs = 1};
	bool large = c->n % 8 == 5;
	struct spool *s = large ? fixture_make(c->f, "large one ", LARGE) : spool_ref(c->small);

	if (!p || !s)
		_exit(1);
	p->c = c;
	queue_id(c->f->q, p->id);
	m = fixture_msg(p->id, s, r, 2);
	m.message_id = large ? "large" : "small";
	queue_commit(c->f->q, &tx, child_was_put, p);
	spool_free(s);
}

static void run_child(struct fixture *f, int fd)
{
	struct child c = {.f = f, .fd = fd};

	f->loop = loop_new();
	if (fixture_open(f))
		_exit(1);
	c.small = fixture_make(f, "small one ", SMALL);
	for (int i = 0; i < IN_FLIGHT; i++)
		child_put(&c);
	loop_run(f->loop);
	_exit(1);
}

/* What the parent heard of a message. */
struct heard {
	char id[QUEUE_ID_MAX];
	bool put, settling, done;
};

struct heard_list {
	struct heard *v;
	size_t n, cap;
};

static struct heard *hear(struct heard_list *l, const char *id)
{
	for (size_t i = l->n; i > 0; i--)
		if (strcmp(l->v[i - 1].id, id) == 0)
			return &l->v[i - 1];
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 256;
		l->v = realloc(l->v, l->cap * sizeof *l->v);
		ck_assert_ptr_nonnull(l->v);
	}
	memset(&l->v[l->n], 0, sizeof l->v[0]);
	snprintf(l->v[l->n].id, QUEUE_ID_MAX, "%s", id);
	return &l->v[l->n++];
}

static void hear_line(struct heard_list *l, const char *line)
{
	struct heard *h = hear(l, line + 1);

	if (line[0] == 'P')
		h->put = true;
	else if (line[0] == 'S')
		h->settling = true;
	else
		h->done = true;
}

/* Listens until `reports` lines were heard, kills, and listens to what was still in the pipe. */
static void listen_and_kill(struct heard_list *l, pid_t pid, int fd, unsigned reports)
{
	FILE *in = fdopen(fd, "r");
	char line[64];
	unsigned n = 0;
	int status;

	ck_assert_ptr_nonnull(in);
	while (n < reports && fgets(line, sizeof line, in)) {
		line[strcspn(line, "\n")] = 0;
		hear_line(l, line);
		n++;
	}
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	while (fgets(line, sizeof line, in)) {
		if (!strchr(line, '\n'))
			break; /* cut by the kill */
		line[strcspn(line, "\n")] = 0;
		hear_line(l, line);
	}
	fclose(in);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); /* else the child failed by itself */
}

static struct heard *known(struct heard_list *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].id, id) == 0)
			return &l->v[i];
	return NULL;
}

/* Every message in the queue is whole; its file is there; each file has its message. Marks what was found by clearing
 * `put`. */
static void check_queue(struct fixture *f, struct heard_list *l)
{
	struct queue_job *jobs[64];
	size_t n, files = 0, large = 0;
	char path[128];

	while ((n = fixture_claim(f, jobs, 64)) > 0) {
		for (size_t i = 0; i < n; i++) {
			struct heard *h = known(l, jobs[i]->id);
			bool is_large = strcmp(jobs[i]->message_id, "large") == 0;

			ck_assert_uint_eq(jobs[i]->nrcpts, 2); /* both recipients or none: settled together */
			fixture_expect_content(
			    f, jobs[i]->msg, is_large ? "large one " : "small one ", is_large ? LARGE : SMALL);
			ck_assert_int_eq(fixture_has_file(f, jobs[i]->id), is_large);
			large += is_large;
			if (h) {
				ck_assert_msg(!h->done, "%s was settled and is queued", h->id);
				h->put = false;
			}
			queue_job_free(jobs[i]);
		}
	}
	snprintf(path, sizeof path, "%s/spool", f->dir);

	DIR *d = opendir(path);

	for (struct dirent *e; (e = readdir(d));)
		files += e->d_name[0] != '.';
	closedir(d);
	ck_assert_uint_eq(files, large);
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].put && !l->v[i].settling)
			ck_abort_msg("%s was acknowledged and is lost", l->v[i].id);
	ck_assert_int_eq(
	    fixture_ask(f, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
}

START_TEST(test_kill)
{
	struct fixture f;
	struct heard_list l = {0};
	uint16_t random;
	int fds[2];
	struct queue_counts c;

	fixture_init(&f);
	f.set.active_max = 100000;
	fixture_close(&f);
	for (int round = 0; round < 2; round++) {
		ck_assert_int_eq(pipe(fds), 0);
		ck_assert_int_eq(getrandom(&random, sizeof random, 0), sizeof random);

		pid_t pid = fork();

		if (pid == 0) {
			close(fds[0]);
			run_child(&f, fds[1]);
		}
		close(fds[1]);
		listen_and_kill(&l, pid, fds[0], random % 400);
	}
	ck_assert_int_eq(fixture_open(&f), 0);
	queue_counts(f.q, &c);
	ck_assert_int_eq(c.active, 0);
	check_queue(&f, &l);
	free(l.v);
	fixture_clear(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_writer");
	TCase *t = tcase_create("queue_writer"), *k = tcase_create("kill");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_groups);
	tcase_add_test(t, test_order);
	tcase_add_test(t, test_full);
	tcase_add_test(t, test_claim_during_commit);
	tcase_add_loop_test(t, test_failed_sync, 0, 2);
	tcase_add_test(t, test_failed_sync_at_the_start);
	suite_add_tcase(s, t);
	tcase_set_timeout(k, 300);
	tcase_add_loop_test(k, test_kill, 0, 20);
	suite_add_tcase(s, k);
	return suite_run(s);
}
