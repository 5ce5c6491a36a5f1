/*
 * The durable queue of one node: SQLite (WAL, synchronous=FULL), one writer thread, group commit (commits at least 1
 * ms apart; a lone message waits for nothing). Role relay. Callbacks run on the loop's thread. Every recipient ends
 * in exactly one recorded outcome (promise P6). The one durable commit point of the gateway is in queue_writer.c; a
 * failed fsync or commit is fatal, never retried in place.
 */
#ifndef POSTERN_QUEUE_QUEUE_H
#define POSTERN_QUEUE_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "gateway/base/problem.h"
#include "gateway/mail/envelope.h"
#include "gateway/queue/spool.h"

#define QUEUE_ID_MAX 24 /* public id: time and counter in a readable alphabet, unique on the node */

enum queue_kind {
	QUEUE_RAW,	/* encrypted mail from outside, as it came; recipients wait for the sealer */
	QUEUE_INBOUND,	/* opened or never encrypted, for an inside server */
	QUEUE_OUTBOUND, /* for the outside */
	QUEUE_NOTICE,	/* a DSN of ours to an inside sender */
};
enum queue_state { QUEUE_QUEUED, QUEUE_ACTIVE, QUEUE_HELD, QUEUE_DONE };
enum queue_outcome {
	QUEUE_NONE,
	QUEUE_DELIVERED,
	QUEUE_BOUNCED,
	QUEUE_EXPIRED,
	QUEUE_DELETED,
	QUEUE_OPENED /* raw: replaced by opened messages */,
	QUEUE_REFUSED
};

/* What a held recipient waits for; the numbers are stored. What it waits for decides whether and when it is judged
 * again by itself (queue_claim_again). */
enum queue_waits {
	QUEUE_WAITS_ADMIN,   /* a person's decision: nothing happens by itself */
	QUEUE_WAITS_TRUST,   /* trust in who signed; waits_for: the author's domain */
	QUEUE_WAITS_KEY,     /* a key of ours that opens it; waits_for: our domain */
	QUEUE_WAITS_INSIDE,  /* the inside server, which refused it or was away; waits_for: next hop */
	QUEUE_WAITS_SERVICE, /* a process or the disk of this machine */
	QUEUE_WAITS_SAME     /* in a settlement of one that is held already: as before */
};
struct queue_hold {
	enum queue_waits waits;
	const char *waits_for; /* NULL is "" */
	int64_t again_at;      /* unix ms; 0: not by the clock (queue_held_again) */
};

struct queue_settings; /* section "queue" of the configuration: queue_settings.h */

struct queue;
/* Opens or makes dir/queue.db and dir/spool/. Schema of a newer version, a corrupt or read-only database, a directory
 * another process has: -1 with the sentence how to mend. Recipients that were active become queued. Blocks. May be
 * called before the sandbox is entered: the writer thread starts with the first commit, claim or admin's verb. */
struct queue *queue_open(const char *dir, const struct queue_settings *set, struct loop *loop, struct problem *pr);
/* Waits for the writer, calls the dones that are left (they must not use the queue any more), checkpoints, closes. On
 * the loop's thread. */
void queue_close(struct queue *q);
/* The spool directory, for spool_new: content past memory-max must be in a file made there. Stays the queue's. */
int queue_spool_dir(const struct queue *q);
const struct queue_settings *queue_settings_of(const struct queue *q);
/* Another wall clock (unix ms), for tests; called from two threads. */
void queue_set_clock(struct queue *q, int64_t (*now_ms)(void *ctx), void *ctx);
/* The queue's wall clock, unix ms. */
int64_t queue_now(const struct queue *q);
/* A new id for one message, any thread. It says when the message came (`arrived` everywhere is the id's time): made
 * when the message begins. */
void queue_id(struct queue *q, char id_r[QUEUE_ID_MAX]);

/* ---- put ---- */
struct queue_rcpt {
	const char *address;
	const char *nexthop;	/* destination key for the scheduler: domain or configured host */
	enum queue_state state; /* QUEUED, ACTIVE (the caller delivers it at once), HELD, DONE (with outcome) */
	enum queue_outcome outcome;
	const char *reason;    /* held/done: sentence; may be NULL else */
	const char *treatment; /* "seal", "sign", "tls", "clear", "open": what was done, for the record */
	struct envelope_rcpt env;
	struct queue_hold hold; /* of one that is HELD */
};
struct queue_msg {
	const char *id;
	enum queue_kind kind;
	const char *sender; /* envelope sender, "" = null */
	struct envelope env;
	const char *trace;	/* header fields put in front at delivery (Received ...), CRLF lines, or "" */
	const char *facts;	/* JSON for later steps (client address, TLS, helo, origin id ...), or "" */
	const char *message_id; /* for logs and DSNs, or "" */
	const char *about;	/* id of the message that this notice is about, or NULL */
	const void *wrapped;	/* wrapped data key */
	size_t wrapped_len;
	struct spool *content; /* finished; a reference is taken */
	const struct queue_rcpt *rcpts;
	size_t nrcpts;
};
struct queue_settle {
	int64_t rcpt;		/* row of the recipient, from claim or put */
	enum queue_state state; /* DONE with outcome; QUEUED with next_at (retry); HELD */
	enum queue_outcome outcome;
	int64_t next_at;	/* unix ms */
	const char *reason;	/* last reply or sentence */
	const char *remote;	/* relay[addr]:port or NULL */
	const char *status;	/* enhanced code or NULL */
	bool warned;		/* a delay notice went out with this (it stays so) */
	struct queue_hold hold; /* with HELD */
};
/* Each settlement counts as an attempt, but not QUEUED without a reason (given back untried). One that names a
 * recipient who has an outcome already is refused with its whole transaction (P6). reason, remote and status NULL
 * leave what was recorded before. */
/* What a report from outside says of a recipient of ours. It stands beside the outcome and the tries, which it never
 * changes; a recipient keeps the newest QUEUE_REPORTS_MAX of them, of one mta with one action the last. */
#define QUEUE_REPORTS_MAX 8
struct queue_report {
	int64_t rcpt;			 /* row */
	const char *action;		 /* "failed", "delayed" ... (RFC 3464 2.3.3) */
	const char *mta;		 /* who reports, or "" */
	const char *status, *diagnostic; /* or "" */
};
/* One transaction: messages, settlements and Message-IDs of sealed mail, all or nothing. Strings are copied. */
struct queue_tx {
	const struct queue_msg *msgs;
	size_t nmsgs;
	const struct queue_settle *settles;
	size_t nsettles;
	const struct queue_report *reports; /* the first of msgs is the report; it must be there */
	size_t nreports;
	const char *const *sealed_ids; /* Message-IDs to remember: replies to them must be sealed */
	size_t nsealed_ids;
	atomic_int *cancel; /* NULL, or 0 at first: decided once, by queue_cancel or by the writer; the caller's
			       until done */
	bool expected;	    /* was announced with queue_expect */
};
/* true: nothing of the transaction is done or will be, and done(-1) comes with 451. false: the writer has begun with
 * it, and done says what became of it. Asked again: the same answer. Any thread. */
bool queue_cancel(atomic_int *cancel);
/* done: err 0 = committed and synced; rows_r = recipient rows of all msgs in order (valid during the call). err -1:
 * nothing happened, pr says why. */
typedef void queue_done(void *ctx, int err, const int64_t *rows, size_t nrows, const struct problem *pr);
void queue_commit(struct queue *q, const struct queue_tx *tx, queue_done *done, void *ctx);
/* Some transaction that a client waits for will come soon: others may wait for it a little (commit-gap), so that one
 * sync serves both. Ended by its queue_commit with `expected`, or by queue_expect_none. Loop thread. */
void queue_expect(struct queue *q);
void queue_expect_none(struct queue *q);
/* Was mail with one of these Message-IDs sealed (kept sealed-ids-days)? 1 yes, 0 no, -1 cannot tell (treat as yes or
 * try later). Blocks for microseconds. */
int queue_was_sealed(struct queue *q, const char *const *ids, size_t n);

/* ---- claim: what is due becomes ACTIVE. ACTIVE is a matter of memory: a claim writes nothing, and whoever is not
 * settled when the process ends is queued at the next start ---- */
struct queue_job {
	int64_t msg;
	char id[QUEUE_ID_MAX];
	enum queue_kind kind;
	char *sender, *trace, *facts, *message_id, *nexthop, *envid;
	struct envelope env;	/* its envid is the job's */
	int64_t arrived;	/* unix ms */
	bool probe;		/* the site failed before: this one tries for all */
	bool stranger;		/* nothing was taken there since the start: this one tries for all */
	bool released;		/* the gateway had held all of these recipients, and the admin released them */
	bool held;		/* of queue_claim_again and queue_claim_stale: stored as held until it is settled */
	enum queue_waits waits; /* a held one: since when, what for, and how often it was judged again */
	int tries;
	uint8_t wrapped[160];
	size_t wrapped_len;
	uint64_t size;
	struct {
		int64_t row;
		char *address;
		int attempts;
		char *treatment, *orcpt;
		struct envelope_rcpt env; /* its orcpt is the job's */
		bool warned;		  /* a delay notice went out */
	} * rcpts;			  /* all due recipients of this message with this nexthop */
	size_t nrcpts;
};
void queue_job_free(struct queue_job *j);
/* At most max jobs, oldest first, none for a nexthop listed in `skip` (busy or backed off). Blocks shortly. Returns
 * the number. *next_due_r: unix ms of the next one (not after now: there is more; INT64_MAX: none). None while the
 * queue cannot be written (queue_trouble). */
size_t queue_claim(struct queue *q, size_t max, const char *const *skip, size_t nskip, struct queue_job **jobs_r,
    int64_t *next_due_r);
struct queue_claim_limits {
	size_t max;
	size_t probes;	  /* next hops whose site failed that may be tried with one message each */
	size_t strangers; /* the same of those where nothing was taken yet; SIZE_MAX: all that is due there at once */
	const char *const *skip;
	size_t nskip;
};
size_t queue_claim_with(
    struct queue *q, const struct queue_claim_limits *l, struct queue_job **jobs_r, int64_t *next_due_r);
/* The site of a next hop failed: nothing for it is claimed before `until` (unix ms), and then one message only, which
 * tries for all (job.probe); but those that waited for delay-warning go by their own schedule. The others wait
 * untried. */
void queue_hop_failed(struct queue *q, const char *nexthop, int64_t until);
/* Something was taken there: all is as usual again. */
void queue_hop_works(struct queue *q, const char *nexthop);
/* What was tried there for all says nothing of the site: another one tries. */
void queue_hop_again(struct queue *q, const char *nexthop);
/* Gives a claimed job back untried; nothing is written. Claimed again at `at` (unix ms; a held one: with the next
 * queue_claim_stale, at is 0). */
void queue_give_back(struct queue *q, const struct queue_job *j, int64_t at);
/* Held recipients whose turn it is to be judged again: by the clock, or because what they wait for may have come
 * (queue_held_changed). They stay held in the database until they are settled, so that one that dies meanwhile is
 * judged again later. *next_due_r as queue_claim. */
size_t queue_claim_again(struct queue *q, size_t max, struct queue_job **jobs_r, int64_t *next_due_r);
/* Trust or keys changed for this domain (NULL or "": for anybody): who waits for that comes with queue_claim_again, a
 * few at a time. Writes nothing; costs nothing when nobody waits. */
void queue_held_changed(struct queue *q, const char *domain);
/* A process of this machine is back: the same for who waits for that (QUEUE_WAITS_SERVICE). */
void queue_held_mended(struct queue *q);
/* When one that waits for this is judged again by the clock, after `tries` times: unix ms, 0 never. */
int64_t queue_held_again(const struct queue *q, enum queue_waits waits, int tries);
/* Held recipients that waited longer than hold-expire become ACTIVE and come as jobs, for the caller to end them
 * (EXPIRED) with a DSN or an alarm. */
size_t queue_claim_stale(struct queue *q, size_t max, struct queue_job **jobs_r);
/* The sealed content of a claimed job under its (unwrapped) key. NULL with pr. Blocks on the disk. */
struct spool *queue_content(struct queue *q, int64_t msg, const uint8_t key[SPOOL_KEY], struct problem *pr);
/* Schedule: when to try again after `attempts` tries (back-off with jitter inside the settings). unix ms. */
int64_t queue_next_try(const struct queue *q, int attempts, int64_t now_ms);
/* A delay notice is due, when none went out yet (rcpts[].warned, settle.warned). */
bool queue_delayed(const struct queue *q, int64_t arrived_ms, int64_t now_ms);
bool queue_expired(const struct queue *q, int64_t arrived_ms, int64_t now_ms);

/* ---- admin (answers as JSON text; caller frees; NULL with pr). All block: on the disk, queue_admin on a commit.
 * ---- */
/* Newest first. state: "queued", "active", "held", "done", or NULL/"" for all: messages with a recipient in it.
 * match: part of an id, address or Message-ID in any case, or NULL/"". before: those that came before this time (unix
 * ms; 0: all). max: how many, and the rest of the last millisecond, so that `before` = the last one's arrived goes on
 * without a gap. */
char *queue_list_json(
    struct queue *q, const char *state, const char *match, int64_t before, size_t max, struct problem *pr);
char *queue_show_json(struct queue *q, const char *id, struct problem *pr);
/* All recipients of message id, or one address (NULL/"": all). hold: queued -> held, and held ones wait for the admin
 * from now on. release: held -> queued, due now. retry: queued -> due now; held ones that wait for something are
 * judged again. delete: queued or held -> done, deleted. Returns the number changed (0: none was in
 * such a state), -1 with pr (unknown, or all that could be are in delivery now). */
enum queue_verb { QUEUE_VERB_HOLD, QUEUE_VERB_RELEASE, QUEUE_VERB_RETRY, QUEUE_VERB_DELETE };
long queue_admin(struct queue *q, enum queue_verb verb, const char *id, const char *address, const char *reason,
    struct problem *pr);
/* The same without waiting; done from the loop (or from inside, for a wrong id). Within `patience_ms` the writer has
 * begun with it, or nothing is done and changed is -1: another process has the database locked. */
typedef void queue_admin_done(void *ctx, long changed, const struct problem *pr);
void queue_admin_begin(struct queue *q, enum queue_verb verb, const char *id, const char *address, const char *reason,
    int64_t patience_ms, queue_admin_done *done, void *ctx);
struct queue_counts {
	int64_t queued, active, held;
	int64_t done;	       /* recipients that got their outcome since the queue was opened */
	int64_t oldest_queued; /* when the oldest queued or active one came, unix ms, 0 none */
};
/* Can nothing be written now: no room on the disk, a read-only file system, a damaged database? pr (may be NULL) says
 * how to mend it. New messages are refused then; what is stored stays, and nothing is claimed. */
bool queue_trouble(struct queue *q, struct problem *pr);
/* As many recipients are held as held-max allows, or of this sender's domain or this client (as in the facts of its
 * messages; NULL: not asked) as held-share does: mail that may have to be held is better refused. From memory while
 * few are held. */
enum queue_room { QUEUE_ROOM, QUEUE_ROOM_NO_SHARE, QUEUE_ROOM_FULL };
enum queue_room queue_held_room(struct queue *q, const char *sender, const char *client);
/* 0 / -1. From memory but for the oldest. */
int queue_counts(struct queue *q, struct queue_counts *c_r);
/* Forgets now what done-keep and sealed-ids-days say is to be forgotten (else the writer does, when idle). Number of
 * messages, -1 with pr. */
long queue_purge(struct queue *q, struct problem *pr);
/* Transactions committed to the disk so far (a group counts as one). */
uint64_t queue_commits(const struct queue *q);

#endif
