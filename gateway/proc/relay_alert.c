#include "gateway/proc/relay_alert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/alert_mail.h"
#include "gateway/proc/alert_memory.h"
#include "gateway/proc/alert_settings.h"
#include "gateway/proc/relay_deliver.h"
#include "gateway/proc/relay_hops.h"
#include "gateway/proc/relay_notice.h"
#include "gateway/queue/history.h"

enum { MEMORY_MAX = 64 * 1024, FILE_MAX = 16 << 20, ARENA_MAX = 1 << 20 };

static char path[400], fresh[400];
static json_t *memory;

void relay_alert_init(const char *dir)
{
	(void)snprintf(path, sizeof path, "%s/alerts.json", dir);
	(void)snprintf(fresh, sizeof fresh, "%s/alerts.json.new", dir);
}

/* One that is damaged is begun anew: an alert that is told twice is better than none. */
static void read_memory(void)
{
	if (memory)
		return;
	memory = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(memory)) {
		if (access(path, F_OK) == 0)
			log_warn(NULL, "relay", "alerts-forgotten why=\"%s cannot be read: it begins anew\"", path);
		json_decref(memory);
		memory = json_object();
	}
}

static int write_memory(const json_t *m, struct problem *pr)
{
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int bad = fd < 0 || json_dumpfd(m, fd, JSON_COMPACT) != 0 || fsync(fd) != 0;

	if (fd >= 0 && close(fd) != 0)
		bad = 1;
	if (bad || rename(fresh, path) != 0)
		return problem_temp(pr, "%s cannot be written: %s", path, strerror(errno));
	return 0;
}

/* ---- the mail ---- */

struct mail {
	struct relay *r;
	struct arena *a;
	struct queue_msg m;
	struct buf wrapped;
};

static void mail_free(struct mail *k)
{
	spool_free(k->m.content);
	buf_clear(&k->wrapped);
	arena_free(k->a);
	free(k);
}

static void note(const struct mail *k)
{
	struct history_rcpt *v = arena_alloc(k->a, k->m.nrcpts * sizeof *v);

	REQUIRE(v);
	for (size_t i = 0; i < k->m.nrcpts; i++)
		v[i] = (struct history_rcpt){.place = (int64_t)i,
		    .outcome = HISTORY_QUEUED,
		    .address = k->m.rcpts[i].address,
		    .treatment = "notice"};
	history_note(k->r->history, &(struct history_note){.event = "accepted",
					.id = k->m.id,
					.direction = HISTORY_NOTICE,
					.text = "what wants the admin (alert-mail)",
					.sender = "",
					.message_id = k->m.message_id,
					.size = spool_size(k->m.content),
					.rcpts = v,
					.nrcpts = k->m.nrcpts});
}

static void committed(void *ctx, int err, const int64_t *rows, size_t n, const struct problem *pr)
{
	struct mail *k = ctx;

	(void)rows;
	(void)n;
	if (err != 0) {
		log_error(NULL, "relay", "alarm=alerts why=\"%s: a mail to alert-mail is lost\"", pr->text);
	} else {
		log_info(k->m.id, "relay", "alert recipients=%zu", k->m.nrcpts);
		note(k);
		if (!k->r->stopping)
			relay_deliver_kick(k->r->deliver);
	}
	mail_free(k);
}

static struct spool *write_content(
    struct relay *r, const struct alert_mail *m, const uint8_t *key, struct problem *pr)
{
	struct spool *c = spool_new(key, MEMORY_MAX, r->spool_dir, -1, 2 * ALERT_MAIL_MAX);
	struct buf b;
	int err;

	buf_init(&b, ALERT_MAIL_MAX);
	alert_mail_write(m, &b);
	err = stream_write(spool_writer(c), b.p, b.len, pr) != 0 || spool_finish(c, pr) != 0;
	buf_clear(&b);
	if (err) {
		spool_free(c);
		return NULL;
	}
	return c;
}

static void address_mail(struct mail *k, const struct settings_list *to)
{
	struct queue_rcpt *rc = arena_alloc(k->a, to->n * sizeof *rc);

	REQUIRE(rc);
	memset(rc, 0, to->n * sizeof *rc);
	for (size_t i = 0; i < to->n; i++) {
		char hop[RELAY_HOP_MAX];

		relay_hops_key(k->r, strrchr(to->v[i], '@') + 1, hop);
		rc[i].address = to->v[i];
		rc[i].nexthop = arena_str(k->a, hop);
		rc[i].state = QUEUE_QUEUED;
		rc[i].treatment = "notice";
		REQUIRE(rc[i].nexthop);
	}
	k->m.rcpts = rc;
	k->m.nrcpts = to->n;
}

/* NULL with pr: keeper away, disk. */
static struct mail *make(
    struct relay *r, const struct alert_settings *set, const json_t *due, bool digest, struct problem *pr)
{
	struct mail *k = mem_new(sizeof *k);
	uint8_t key[SPOOL_KEY];
	char id[QUEUE_ID_MAX], from[ADDRESS_TEXT_MAX];
	struct alert_mail m = {.hostname = r->top->hostname,
	    .from = from,
	    .to = &set->mail,
	    .alerts = due,
	    .digest = digest,
	    .now = queue_now(r->queue) / 1000};

	*k = (struct mail){.r = r, .a = arena_new(ARENA_MAX)};
	buf_init(&k->wrapped, DATAKEYS_WRAPPED_MAX);
	queue_id(r->queue, id);
	relay_notice_postmaster(r, from);
	m.message_id = arena_printf(k->a, "<alert.%s@%s>", id, r->top->hostname);
	/* a mail of ours that cannot be delivered is told to nobody else */
	k->m = (struct queue_msg){.kind = QUEUE_NOTICE,
	    .sender = "",
	    .trace = "",
	    .facts = RELAY_NOTICE_DOUBLE,
	    .id = arena_str(k->a, id),
	    .message_id = m.message_id};
	REQUIRE(k->m.id && k->m.message_id);
	address_mail(k, &set->mail);
	relay_data_key(key);
	if (datakeys_wrap(r->datakeys, key, &k->wrapped, pr) == 0)
		k->m.content = write_content(r, &m, key, pr);
	mem_wipe(key, sizeof key);
	k->m.wrapped = k->wrapped.p;
	k->m.wrapped_len = k->wrapped.len;
	if (k->m.content)
		return k;
	mail_free(k);
	return NULL;
}

static long send_due(struct relay *r, const struct alert_settings *set, json_t *changed, const json_t *due,
    bool digest, struct problem *pr)
{
	size_t n = json_array_size(due);
	struct mail *k;

	if (n == 0) /* that something is still there, or was looked at, need not be on the disk each minute */
		return digest ? write_memory(changed, pr) : 0;
	k = make(r, set, due, digest, pr);
	if (!k)
		return -1;
	if (write_memory(changed, pr) != 0) {
		mail_free(k);
		return -1;
	}
	queue_commit(r->queue, &(struct queue_tx){.msgs = &k->m, .nmsgs = 1}, committed, k);
	return (long)n;
}

long relay_alert_tell(struct relay *r, const json_t *alerts, struct problem *pr)
{
	const struct alert_settings *set = conf_section(r->conf, "alerts");
	const struct alert_memory_limits lim = {set->digest_hour, set->mails_per_day};
	json_t *changed, *due;
	bool digest;
	long n;

	if (set->mail.n == 0 || r->stopping)
		return 0;
	read_memory();
	changed = json_deep_copy(memory);
	if (!changed)
		log_fatal("out of memory: JSON");
	log_debug(NULL, "relay", "alerts n=%zu", json_array_size(alerts));
	due = alert_memory_due(changed, alerts, &lim, queue_now(r->queue) / 1000, &digest);
	n = send_due(r, set, changed, due, digest, pr);
	json_decref(due);
	if (n >= 0) {
		json_decref(memory);
		memory = changed;
	} else {
		json_decref(changed);
	}
	return n;
}
