#include "gateway/proc/parent_watch.h"

#include <signal.h>

#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"

enum { LOOK_MS = 500, ASK_MS = 5000 };

static struct parent_proc *keeper_of(struct parent *p)
{
	for (size_t i = 0; i < p->nprocs; i++)
		if (p->procs[i].role == ROLE_KEEPER && p->procs[i].state == PROC_RUNNING && p->procs[i].chan != NULL)
			return &p->procs[i];
	return NULL;
}

static void ask(struct parent *p, struct parent_proc *k)
{
	struct ipc_out o;

	p->watch.pid = k->pid;
	p->watch.asked = loop_now_ms();
	p->watch.twice = p->watch.waiting;
	if (!p->watch.waiting)
		p->watch.first = p->watch.asked;
	p->watch.waiting = true;
	ipc_out_init(&o, CONTROL_PING, ++p->watch.id);
	if (ipc_chan_send(k->chan, &o) != 0)
		log_warn(NULL, "parent", "cannot-ask role=keeper");
}

static void end(struct parent *p, int64_t waited)
{
	log_error(NULL, "parent",
	    "alarm=keeper-hangs pid=%d why=\"the key process has answered nothing for %lld s: it is ended and "
	    "started "
	    "again; mail that needs its keys waits meanwhile and is not lost\"",
	    p->watch.pid, (long long)(waited / 1000));
	kill(p->watch.pid, SIGKILL);
	p->watch.waiting = false;
}

static void look(void *ctx)
{
	struct parent *p = ctx;
	struct parent_proc *k = keeper_of(p);
	int64_t most = conf_top(p->conf)->keeper_timeout, now = loop_now_ms();
	int64_t every = most / 3 < ASK_MS ? most / 3 : ASK_MS;

	loop_timer_set(p->watch.timer, LOOK_MS);
	if (k == NULL || most == 0 || p->goal != PARENT_RUN || (p->watch.waiting && k->pid != p->watch.pid))
		p->watch.waiting = false;
	else if (p->watch.waiting && p->watch.twice && now - p->watch.asked >= every)
		end(p, now - p->watch.first);
	else if (p->watch.waiting && !p->watch.twice && now - p->watch.asked >= most)
		ask(p, k); /* once more: this process may have slept while the answer lay there */
	else if (!p->watch.waiting && now - p->watch.asked >= every)
		ask(p, k);
}

void parent_watch_answered(struct parent *p, uint32_t id)
{
	if (id == p->watch.id)
		p->watch.waiting = false;
}

void parent_watch_begin(struct parent *p)
{
	p->watch.timer = loop_timer_new(p->loop, look, p);
	loop_timer_set(p->watch.timer, LOOK_MS);
}
