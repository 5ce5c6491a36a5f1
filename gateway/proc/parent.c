#include "gateway/proc/parent.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/sandbox.h"
#include "gateway/proc/parent_child.h"
#include "gateway/proc/parent_rcpts.h"
#include "gateway/proc/parent_setup.h"
#include "gateway/proc/parent_watch.h"
#include "gateway/proc/public_settings.h"
#include "gateway/proc/web_settings.h"

enum { EXIT_CONFIG = 78, RELAY_PATIENCE_MS = 30000, PATIENCE_MS = 5000, PASSPHRASE_MS = 2000 };

static const enum control_role order[] = {
    ROLE_KEEPER, ROLE_JUDGE, ROLE_SCOUT, ROLE_SEALER, ROLE_RELAY, ROLE_ADMIN, ROLE_PUBLIC, ROLE_WEB, ROLE_OPENER};

static void go_on(struct parent *p);

static struct parent_proc *proc_of(struct parent *p, enum control_role r)
{
	for (size_t i = 0; i < p->nprocs; i++)
		if (p->procs[i].role == r)
			return &p->procs[i];
	return NULL;
}

static bool all_are(const struct parent *p, enum parent_state st)
{
	for (size_t i = 0; i < p->nprocs; i++)
		if (p->procs[i].state != st && (p->procs[i].role != ROLE_OPENER || st == PROC_DEAD))
			return false;
	return true;
}

/* ---- starting ---- */

static void start_again(void *ctx)
{
	struct parent_proc *c = ctx;
	struct problem pr = {0};

	if (c->of->goal != PARENT_RUN || c->pid > 0)
		return;
	if (parent_child_start(c, &pr) != 0) {
		log_error(NULL, "parent", "alarm=start role=%s why=\"%s\"", control_role_word(c->role), pr.text);
		if (c->pid > 0)
			kill(c->pid, SIGKILL);
	}
}

static void start_later(struct parent_proc *c)
{
	int64_t ms = parent_child_pause(c);

	if (ms > 0 && c->role != ROLE_OPENER)
		log_warn(NULL, "parent", "waiting role=%s ms=%lld why=\"it died too often within a minute\"",
		    control_role_word(c->role), (long long)ms);
	loop_timer_free(c->timer);
	c->timer = loop_timer_new(c->of->loop, start_again, c);
	loop_timer_set(c->timer, ms > 0 ? ms : c->role == ROLE_OPENER ? 0 : 50);
}

static size_t how_many(const struct parent *p, enum control_role r, size_t sealers)
{
	const struct public_settings *set = conf_section(p->conf, "public");
	const struct web_settings *web = conf_section(p->conf, "web");

	if (r == ROLE_PUBLIC)
		return set->address[0] != '\0';
	if (r == ROLE_WEB)
		return web->address[0] != '\0';
	return r == ROLE_SEALER ? sealers : 1;
}

static void places(struct parent *p)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t sealers = conf_top(p->conf)->sealers > 0 ? (size_t)conf_top(p->conf)->sealers
			 : cores > 0			? (size_t)cores
							: 1;

	if (sealers > 64)
		sealers = 64;
	for (size_t i = 0; i < p->nprocs; i++)
		loop_timer_free(p->procs[i].timer); /* of one that waited for its restart */
	memset(p->procs, 0, sizeof(p->procs));
	p->nprocs = 0;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		for (size_t n = 0; n < how_many(p, order[i], sealers); n++) {
			struct parent_proc *c = &p->procs[p->nprocs++];

			c->of = p;
			c->role = order[i];
			c->index = (unsigned)n;
		}
}

static int start_all(struct parent *p, struct problem *pr)
{
	places(p);
	p->keeper = KEYS_UNREACHABLE;
	for (size_t i = 0; i < p->nprocs; i++)
		if (p->procs[i].role != ROLE_OPENER && parent_child_start(&p->procs[i], pr) != 0)
			return -1;
	return 0;
}

/* For one file; too many within a minute wait as those do that die too often. One that is there still is on its way
 * out. */
static void start_opener(struct parent *p)
{
	struct parent_proc *c = proc_of(p, ROLE_OPENER);

	if (c == NULL || p->goal != PARENT_RUN)
		return;
	c->again = c->pid != 0;
	if (!c->again)
		start_later(c);
}

/* ---- messages ---- */

static void broadcast_state(struct parent *p)
{
	struct control_state st = {(uint8_t)p->keeper, p->keys};

	for (size_t i = 0; i < p->nprocs; i++) {
		struct parent_proc *c = &p->procs[i];
		struct ipc_out o;

		if (c->chan == NULL || (c->role != ROLE_RELAY && c->role != ROLE_ADMIN))
			continue;
		ipc_out_init(&o, CONTROL_STATE, 0);
		control_state_put(&o, &st);
		if (ipc_chan_send(c->chan, &o) != 0)
			log_warn(NULL, "parent", "cannot-tell role=%s", control_role_word(c->role));
	}
}

static void keeper_state(struct parent_proc *c, struct ipc_in *in)
{
	struct parent *p = c->of;
	struct control_state st;

	if (control_state_get(in, &st) != 0 || st.state > KEYS_UNREACHABLE)
		log_fatal("the keeper's state cannot be read");
	if (p->unsealing &&
	    st.state == KEYS_SEALED) { /* said before it got the passphrase: nobody needs to hear of that moment */
		p->unsealing = false;
		return;
	}
	p->unsealing = false;
	p->keeper = (enum keys_state)st.state;
	p->keys = st.keys;
	if (p->keeper == KEYS_SEALED)
		log_warn(NULL, "parent", "sealed why=\"the keys wait for the passphrase in %s\"",
		    parent_setup_passphrase_path(p));
	else
		log_info(NULL, "parent", "keys-ready number=%u", p->keys);
	broadcast_state(p);
}

static void acknowledge(struct parent_proc *c, uint32_t id, const char *name, const struct problem *pr)
{
	struct control_ack ack = {pr->cls == PROBLEM_NONE, ""};
	struct ipc_out o;

	if (!ack.ok) {
		snprintf(ack.text, sizeof(ack.text), "%s", pr->text);
		log_error(NULL, "parent", "alarm=key-file name=%s why=\"%s\"", name, pr->text);
	}
	ipc_out_init(&o, CONTROL_KEYFILE_ACK, id);
	control_ack_put(&o, &ack);
	if (ipc_chan_send(c->chan, &o) != 0)
		log_error(NULL, "parent", "cannot-tell role=keeper");
}

/* KEYFILE_PUT and KEYFILE_DROP */
static void key_file(struct parent_proc *c, struct ipc_in *in)
{
	bool drop = in->type == CONTROL_KEYFILE_DROP;
	struct control_file f;
	struct problem pr = {0};
	uint32_t id = in->id;
	int err;

	if (control_file_get(in, &f) != 0 || (drop && f.n != 0))
		log_fatal("the keeper's key file cannot be read");
	err =
	    drop ? parent_setup_keyfile_drop(c->of, f.name, &pr) : parent_setup_keyfile(c->of, f.name, f.p, f.n, &pr);
	REQUIRE((err == 0) == (pr.cls == PROBLEM_NONE));
	acknowledge(c, id, f.name, &pr);
}

static json_t *status_json(struct parent *p)
{
	json_t *roles = json_array(), *o;
	const char *state_words[] = {"dead", "starting", "running", "stopping"};
	const char *keeper_words[] = {"ready", "sealed", "unreachable"};

	for (size_t i = 0; i < p->nprocs; i++) {
		const struct parent_proc *c = &p->procs[i];

		if (c->role == ROLE_OPENER && c->pid == 0)
			continue;
		json_array_append_new(
		    roles, json_pack("{s:s, s:i, s:i, s:s, s:i, s:I}", "role", control_role_word(c->role), "number",
			       (int)c->index, "pid", c->pid, "state", state_words[c->state], "starts", (int)c->starts,
			       "since", (json_int_t)parent_child_since(c)));
	}
	o = json_pack("{s:s, s:i, s:s, s:I, s:o}", "keeper", keeper_words[p->keeper], "keys", (int)p->keys,
	    "passphrase", parent_setup_passphrase_path(p), "uptime_s",
	    (json_int_t)((loop_now_ms() - p->began) / 1000), "roles", roles);
	return o;
}

static void reply_file(
    struct parent_proc *c, uint16_t type, uint32_t id, const char *name, const void *data, size_t n)
{
	struct control_file f = {.p = data, .n = n};
	struct ipc_out o;

	if (mem_copy_str(f.name, sizeof(f.name), name) != 0 || c->chan == NULL)
		return;
	ipc_out_init(&o, type, id);
	control_file_put(&o, &f);
	if (ipc_chan_send(c->chan, &o) != 0)
		log_warn(NULL, "parent", "cannot-tell role=%s", control_role_word(c->role));
}

static void reply_status(struct parent_proc *c, uint32_t id);

/* The judge hears of each change: the pages show what runs. */
static void tell_judge(struct parent *p)
{
	for (size_t i = 0; i < p->nprocs; i++)
		if (p->procs[i].role == ROLE_JUDGE && p->procs[i].state == PROC_RUNNING)
			reply_status(&p->procs[i], 0);
}

static void reply_status(struct parent_proc *c, uint32_t id)
{
	json_t *o = status_json(c->of);
	char *text = json_dumps(o, JSON_COMPACT);

	REQUIRE(text != NULL);
	reply_file(c, CONTROL_STATUS_REPLY, id, "status", text, strlen(text));
	free(text);
	json_decref(o);
}

struct keyfile_reply {
	struct parent_proc *c;
	uint32_t id;
};

static void reply_keyfile(void *ctx, const char *name, const struct buf *b)
{
	struct keyfile_reply *k = ctx;

	reply_file(k->c, CONTROL_KEYFILES_REPLY, k->id, name, b->p, b->len);
}

static size_t running(const struct parent *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nprocs; i++)
		n += p->procs[i].state == PROC_RUNNING;
	return n;
}

static void child_ready_now(struct parent_proc *c)
{
	if (c->state == PROC_STARTING)
		c->state = PROC_RUNNING;
	log_info(NULL, "parent", "ready role=%s number=%u pid=%d", control_role_word(c->role), c->index, c->pid);
	tell_judge(c->of);
	if (!c->of->said_ready && all_are(c->of, PROC_RUNNING)) {
		c->of->said_ready = true;
		log_info(NULL, "parent", "ready all=%zu", running(c->of));
		sd_notify(0, "READY=1");
	}
}

void parent_on_message(struct parent_proc *c, struct ipc_in *in)
{
	struct problem pr = {0};
	struct keyfile_reply k = {c, in->id};

	if (in->type == CONTROL_READY)
		child_ready_now(c);
	else if (in->type == CONTROL_STATE && c->role == ROLE_KEEPER)
		keeper_state(c, in);
	else if (in->type == CONTROL_PONG && c->role == ROLE_KEEPER)
		parent_watch_answered(c->of, in->id);
	else if ((in->type == CONTROL_KEYFILE_PUT || in->type == CONTROL_KEYFILE_DROP) && c->role == ROLE_KEEPER)
		key_file(c, in);
	else if (in->type == CONTROL_OPENER && c->role == ROLE_JUDGE)
		start_opener(c->of);
	else if (in->type == CONTROL_STATUS && c->role == ROLE_ADMIN)
		reply_status(c, in->id);
	else if (in->type == CONTROL_KEYFILES && c->role == ROLE_ADMIN) {
		if (parent_setup_keyfiles(c->of, reply_keyfile, &k, &pr) != 0)
			log_error(NULL, "parent", "alarm=backup why=\"%s\"", pr.text);
		reply_file(c, CONTROL_KEYFILES_REPLY, k.id, "", pr.text, strlen(pr.text));
	} else {
		log_error(NULL, "parent", "alarm=message role=%s type=%u", control_role_word(c->role), in->type);
		kill(c->pid, SIGKILL);
	}
}

/* ---- signals ---- */

static void on_child(void *ctx, int signo)
{
	struct parent *p = ctx;
	int status, pid;

	(void)signo;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < p->nprocs; i++)
			if (p->procs[i].pid == pid) {
				struct parent_proc *c = &p->procs[i];

				parent_child_gone(c, status);
				if (c->role == ROLE_KEEPER && p->goal == PARENT_RUN) {
					p->keeper = KEYS_UNREACHABLE;
					broadcast_state(p);
				}
				if (p->goal == PARENT_RUN && (c->role != ROLE_OPENER || c->again))
					start_later(c);
				if (p->goal == PARENT_RUN)
					tell_judge(p);
				c->again = false;
			}
	go_on(p);
}

static void on_term(void *ctx, int signo)
{
	struct parent *p = ctx;

	log_info(NULL, "parent", "stopping signal=%d", signo);
	sd_notify(0, "STOPPING=1");
	p->goal = PARENT_STOP;
	go_on(p);
}

/* What the parent itself holds on to: a change needs a new start. */
static int check_fixed(const struct parent *p, const struct conf *old, struct problem *pr)
{
	const struct conf_top *a = conf_top(old), *b = conf_top(p->conf);
	const char *name = strcmp(a->data_directory, b->data_directory) != 0   ? "data-directory"
			   : strcmp(a->control_socket, b->control_socket) != 0 ? "control-socket"
			   : strcmp(a->control_group, b->control_group) != 0   ? "control-group"
									       : NULL;

	return name == NULL
		   ? 0
		   : problem_perm(pr, "%s: %s was changed: that needs a stop and a new start", p->file, name);
}

/* All of the new configuration or nothing of it. */
static int load_again(struct parent *p, struct problem *pr)
{
	struct conf *conf = p->conf;
	struct parent_rcpts *rcpts = p->rcpts;
	char *text = p->text;
	size_t len = p->text_len;

	p->conf = NULL;
	p->rcpts = NULL;
	p->text = NULL;
	if (parent_setup_conf(p, pr) == 0 && check_fixed(p, conf, pr) == 0 && parent_setup_dirs(p, pr) == 0 &&
	    parent_setup_listen(p, pr) == 0) {
		parent_rcpts_free(rcpts);
		conf_free(conf);
		free(text);
		return 0;
	}
	parent_rcpts_free(p->rcpts);
	conf_free(p->conf);
	free(p->text);
	p->conf = conf;
	p->rcpts = rcpts;
	p->text = text;
	p->text_len = len;
	return -1;
}

/*
 * SIGHUP: a good new configuration replaces the children one and all; the listening sockets stay open, clients wait
 * for a moment in their backlog. A second one that comes while they still stop is loaded too: those that start then
 * get it.
 */
static void on_hup(void *ctx, int signo)
{
	struct parent *p = ctx;
	struct problem pr = {0};

	(void)signo;
	if (p->goal == PARENT_STOP)
		return;
	if (load_again(p, &pr) != 0) {
		log_error(NULL, "parent", "alarm=reload why=\"%s; the old configuration goes on\"", pr.text);
		return;
	}
	log_init("parent", (enum log_level)conf_top(p->conf)->log_level);
	log_info(NULL, "parent", "reload file=%s", p->file);
	p->said_ready = false;
	p->goal = PARENT_RELOAD;
	go_on(p);
}

/* Towards the end, or towards the new beginning: the relay first, so that it can still answer and settle with
 * everybody's help; then the rest. */
static void go_on(struct parent *p)
{
	struct parent_proc *relay = proc_of(p, ROLE_RELAY);
	struct problem pr = {0};

	if (p->goal == PARENT_RUN)
		return;
	if (relay->pid > 0) {
		parent_child_stop(relay, RELAY_PATIENCE_MS);
		return;
	}
	if (!all_are(p, PROC_DEAD)) {
		for (size_t i = 0; i < p->nprocs; i++)
			parent_child_stop(&p->procs[i], PATIENCE_MS);
		return;
	}
	if (p->goal == PARENT_STOP) {
		loop_stop(p->loop);
		return;
	}
	p->goal = PARENT_RUN;
	if (start_all(p, &pr) != 0)
		log_fatal("reload: %s", pr.text);
}

static void look_for_passphrase(void *ctx)
{
	struct parent *p = ctx;
	struct parent_proc *k = proc_of(p, ROLE_KEEPER);

	if (p->keeper == KEYS_SEALED && k != NULL && k->chan != NULL && p->goal == PARENT_RUN)
		parent_child_passphrase(k);
	loop_timer_set(p->passphrase, PASSPHRASE_MS);
}

/* ---- */

static int setup(struct parent *p, struct problem *pr)
{
	if (parent_setup_conf(p, pr) != 0)
		return -1;
	log_init("parent", (enum log_level)conf_top(p->conf)->log_level);
	if (parent_setup_lock(p, pr) != 0 || parent_setup_dirs(p, pr) != 0 || parent_setup_listen(p, pr) != 0)
		return -1;
	return parent_setup_control(p, pr);
}

int parent_main(const char *file)
{
	struct parent *p = mem_new(sizeof(*p));
	struct problem pr = {0};

	log_init("parent", LOG_LEVEL_INFO);
	signal(SIGPIPE, SIG_IGN);
	sandbox_limits();
	p->file = file;
	p->control = -1;
	p->began = loop_now_ms();
	if (getrandom(p->permit, sizeof(p->permit), 0) != (ssize_t)sizeof(p->permit))
		log_fatal("no random numbers");
	if (setup(p, &pr) != 0) {
		log_error(NULL, "parent", "configuration why=\"%s\"", pr.text);
		return EXIT_CONFIG;
	}
	p->loop = loop_new();
	loop_on_signal(p->loop, SIGCHLD, on_child, p);
	loop_on_signal(p->loop, SIGTERM, on_term, p);
	loop_on_signal(p->loop, SIGINT, on_term, p);
	loop_on_signal(p->loop, SIGHUP, on_hup, p);
	p->passphrase = loop_timer_new(p->loop, look_for_passphrase, p);
	loop_timer_set(p->passphrase, PASSPHRASE_MS);
	parent_watch_begin(p);
	if (start_all(p, &pr) != 0) {
		log_error(NULL, "parent", "start why=\"%s\"", pr.text);
		p->goal = PARENT_STOP;
		go_on(p);
		if (!all_are(p, PROC_DEAD))
			loop_run(p->loop);
		return 1;
	}
	loop_run(p->loop);
	unlink(conf_top(p->conf)->control_socket);
	log_info(NULL, "parent", "stopped all=yes");
	return 0;
}

int parent_check(const char *file)
{
	struct parent p = {.file = file};
	struct problem pr = {0};

	if (parent_setup_conf(&p, &pr) != 0) {
		fprintf(stderr, "posternd: %s\n", pr.text);
		return EXIT_CONFIG;
	}
	printf("%s is good\n", file);
	parent_rcpts_free(p.rcpts);
	conf_free(p.conf);
	free(p.text);
	return 0;
}
