/*
 * Disks that fail (disk_shim.h): power cuts at every sync of database, log, content files and their directory, with
 * what was not synced lost or half written; writes refused for want of room or of leave; a damaged page.
 */
#include "gateway/queue/queue_trouble.h"

#include "tests/unit/disk_shim.h"

/* ---- power cuts ---- */

/*
 * Lives of messages: each step is one commit, and the next begins when it was answered. After a cut a message must be
 * at the step that was answered last, or at the one that was under way, and what is not done must have its whole
 * content.
 */
enum { LIVES = 24, STEPS = 4, SMALL = 900, LARGE = 20000 };
enum step { END, PUT, RETRY, HELD, DELIVERED, REPLACED, HOLD, RELEASE, DELETE };
static const enum step lives[][STEPS] = {
    {PUT, RETRY, DELIVERED, END},
    {PUT, HOLD, RELEASE, DELIVERED},
    {PUT, REPLACED, HELD, DELETE},
    {PUT, HELD, RELEASE, RETRY},
    {PUT, DELETE, END, END},
    {PUT, REPLACED, DELIVERED, END},
};
static struct life {
	char id[QUEUE_ID_MAX];
	int64_t row, replaced; /* its recipient; the one of the message that took its place */
	atomic_int begun, answered;
} life[LIVES];
static struct {
	int answered[LIVES], begun[LIVES];
} at_cut[SHIM_CUTS];

static size_t kind_of(int i)
{
	return (size_t)i % (sizeof lives / sizeof lives[0]);
}

/* Every third in the database, the others in files. */
static size_t size_of(int i)
{
	return i % 3 ? LARGE : SMALL;
}

static void note_cut(int n)
{
	for (int i = 0; i < LIVES; i++)
		at_cut[n].answered[i] = atomic_load(&life[i].answered);
	for (int i = 0; i < LIVES; i++)
		at_cut[n].begun[i] = atomic_load(&life[i].begun);
}

static void step_done(void *ctx, int err, const int64_t *rows, size_t nrows, const struct problem *pr)
{
	struct life *l = ctx;

	ck_assert_msg(err == 0, "%s", pr ? pr->text : "");
	if (nrows == 1 && !l->row)
		l->row = rows[0];
	else if (nrows == 1)
		l->replaced = rows[0];
	atomic_fetch_add(&l->answered, 1);
}

static void put_step(struct fixture *f, struct life *l, size_t size, const struct queue_settle *s)
{
	struct queue_rcpt r = fixture_rcpt("a@1.example", "1.example", QUEUE_QUEUED);
	struct spool *content = fixture_content(f, "words ", size);
	struct queue_msg m;
	struct queue_tx tx = {.msgs = &m, .nmsgs = 1, .settles = s, .nsettles = s != NULL};

	queue_id(f->q, l->id);
	m = fixture_msg(l->id, content, &r, 1);
	queue_commit(f->q, &tx, step_done, l);
	spool_free(content);
}

static void admin_step(struct fixture *f, struct life *l, enum queue_verb verb)
{
	struct problem pr = {0};

	ck_assert_msg(queue_admin(f->q, verb, l->id, NULL, "by hand", &pr) == 1, "%s", pr.text);
	atomic_fetch_add(&l->answered, 1);
}

static void take_step(struct fixture *f, int i)
{
	struct life *l = &life[i];
	enum step step = lives[kind_of(i)][atomic_fetch_add(&l->begun, 1)];
	struct queue_settle s = {.rcpt = l->replaced ? l->replaced : l->row,
	    .state = step == RETRY  ? QUEUE_QUEUED
		     : step == HELD ? QUEUE_HELD
				    : QUEUE_DONE,
	    .outcome = step == DELIVERED  ? QUEUE_DELIVERED
		       : step == REPLACED ? QUEUE_OPENED
					  : QUEUE_NONE,
	    .next_at = f->now + 60000,
	    .reason = step == RETRY ? "later" : "said so"};
	struct queue_tx tx = {.settles = &s, .nsettles = 1};

	if (step == PUT)
		put_step(f, l, size_of(i), NULL);
	else if (step == REPLACED)
		put_step(f, l, size_of(i + 1), &s);
	else if (step == HOLD || step == RELEASE || step == DELETE)
		admin_step(f, l,
		    step == HOLD      ? QUEUE_VERB_HOLD
		    : step == RELEASE ? QUEUE_VERB_RELEASE
				      : QUEUE_VERB_DELETE);
	else
		queue_commit(f->q, &tx, step_done, l);
}

/* state, outcome and whether the last reason is that of a retry, as one number; -1: there is no such recipient */
static int64_t found(struct fixture *g, int64_t row)
{
	char sql[160];

	snprintf(sql, sizeof sql,
	    "SELECT state * 100 + outcome * 10 + (coalesce(reason, '') = 'later') FROM rcpt WHERE id = %lld",
	    (long long)row);
	return fixture_ask(g, sql);
}

static int64_t wanted(enum step step)
{
	switch (step) {
	case PUT:
	case RELEASE:
		return QUEUE_QUEUED * 100;
	case RETRY:
		return QUEUE_QUEUED * 100 + 1;
	case HELD:
	case HOLD:
		return QUEUE_HELD * 100;
	case DELIVERED:
		return QUEUE_DONE * 100 + QUEUE_DELIVERED * 10;
	case REPLACED:
		return QUEUE_DONE * 100 + QUEUE_OPENED * 10;
	case DELETE:
		return QUEUE_DONE * 100 + QUEUE_DELETED * 10;
	case END:
		break;
	}
	return -2;
}

/* Is the message at that step (counted from 1)? */
static bool is_at(struct fixture *g, int i, int step)
{
	const enum step *steps = lives[kind_of(i)];
	bool replaced = false;

	for (int k = 0; k < step; k++)
		replaced = replaced || steps[k] == REPLACED;
	if (!replaced)
		return found(g, life[i].row) == wanted(steps[step - 1]) &&
		       (life[i].replaced == 0 || found(g, life[i].replaced) == -1);
	if (found(g, life[i].row) != wanted(REPLACED))
		return false;
	return found(g, life[i].replaced) == wanted(steps[step - 1] == REPLACED ? PUT : steps[step - 1]);
}

static void check_life(struct fixture *g, int n, int i)
{
	int from = at_cut[n].answered[i], to = at_cut[n].begun[i];
	int64_t rows[2] = {life[i].row, life[i].replaced};
	bool good = false;

	if (from == 0)
		return; /* nothing was said of it yet */
	for (int step = from; step <= to; step++)
		good = good || is_at(g, i, step);
	ck_assert_msg(good, "cut %d: message %d, answered to step %d of kind %zu, is lost or elsewhere: %lld, %lld",
	    n, i, from, kind_of(i), (long long)found(g, rows[0]), (long long)found(g, rows[1]));
	for (int k = 0; k < 2; k++) {
		int64_t state = found(g, rows[k]);

		if (rows[k] && state >= 0 && state / 100 != QUEUE_DONE)
			fixture_expect_content(g, rows[k] >> 16, "words ", size_of(i + k));
	}
}

/* The queue as the cut left it opens, is whole, and has every message where it was said to be. */
static void check_cut(struct fixture *f, int n)
{
	struct fixture g = *f;

	snprintf(g.dir, sizeof g.dir, "%s/%d", shim_cuts_dir, n);
	ck_assert_msg(fixture_open(&g) == 0, "cut %d: %s", n, g.pr.text);
	for (int i = 0; i < LIVES; i++)
		check_life(&g, n, i);
	ck_assert_int_eq(
	    fixture_ask(&g, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
	queue_close(g.q);
	loop_once(f->loop, 0);
	fixture_remove_dir(g.dir);
}

/* All live at once, each step begun before all others were answered; the cuts of a round are looked at in the end. */
static void live(struct fixture *f)
{
	int checked = 0;

	for (int round = 0; round < STEPS; round++) {
		for (int i = 0; i < LIVES; i++) {
			if (lives[kind_of(i)][round] == END)
				continue;
			take_step(f, i);
			if (i % 4 == 3)
				loop_once(f->loop, 0); /* some still under way when the next ones come */
		}
		for (int i = 0; i < LIVES; i++)
			while (atomic_load(&life[i].answered) < atomic_load(&life[i].begun))
				loop_once(f->loop, 1000);
		shim_trace(false);
		for (; checked < shim_ncuts; checked++)
			check_cut(f, checked);
		shim_trace(round + 1 < STEPS);
	}
}

START_TEST(test_power_cut)
{
	struct fixture f;
	char dir[] = "/tmp/test_queue_XXXXXX";

	fixture_init(&f);
	fixture_close(&f);
	shim_install(f.dir);
	f.set.checkpoint = 64 * 1024;
	f.set.memory_max = 4096;
	ck_assert_int_eq(fixture_open(&f), 0);
	shim_cuts_dir = mkdtemp(dir);
	shim_at_cut = note_cut;
	shim_trace(true);
	live(&f);
	fixture_close(&f);
	shim_remove();
	ck_assert_int_ge(shim_ncuts, 100);
	ck_assert_uint_ge(shim_nnames, LIVES / 2); /* contents in files were among them */
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

	fixture_init(&f);
	fixture_close(&f);
	shim_install(f.dir);
	ck_assert_int_eq(fixture_open(&f), 0);
	fixture_put_one(&f, "a@1.example", "1.example", QUEUE_QUEUED, id);
	fixture_put_one(&f, "b@1.example", "1.example", QUEUE_QUEUED, id);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 1), 1);
	row = jobs[0]->rcpts[0].row;
	queue_job_free(jobs[0]);
	ck_assert(!queue_trouble(f.q, NULL));
	atomic_store(&shim_refuse, refusals[_i].error);
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
	atomic_store(&shim_refuse, 0);
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
	for (off_t off = 8192; off < st.st_size; off += (off_t)sizeof garbage)
		ck_assert_int_eq(pwrite(fd, garbage, sizeof garbage, off), (int)sizeof garbage);
	close(fd);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 0);
	ck_assert_int_eq(fixture_put_one(&f, "c@1.example", "1.example", QUEUE_QUEUED, id), -1);
	ck_assert_int_eq(f.pr.code, 451);
	ck_assert_msg(
	    strstr(f.pr.text, "is damaged") && strstr(f.pr.text, " && mv new.db queue.db`"), "%s", f.pr.text);
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
	return suite_run(s);
}
