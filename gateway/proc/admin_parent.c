/* Asking the parent. Role admin. */
#include "gateway/proc/admin_parent.h"

#include <stdlib.h>

#include "gateway/base/loop.h"
#include "gateway/base/mem.h"

struct admin_parent_ask {
	struct admin_parent_ask *next;
	struct admin_parent *of;
	uint32_t id;
	uint16_t reply; /* its type */
	struct loop_timer *timer;
	admin_parent_file *got;
	void *ctx;
};

void admin_parent_init(struct admin_parent *p, struct loop *l, struct child *c)
{
	*p = (struct admin_parent){.loop = l, .child = c};
}

static void end(struct admin_parent_ask *a)
{
	struct admin_parent_ask **q = &a->of->asks;

	while (*q != a)
		q = &(*q)->next;
	*q = a->next;
	loop_timer_free(a->timer);
	free(a);
}

static void on_timer(void *ctx)
{
	struct admin_parent_ask *a = ctx;
	admin_parent_file *got = a->got;
	void *whose = a->ctx;

	end(a);
	got(whose, NULL);
}

void admin_parent_ask(struct admin_parent *p, uint16_t type, int64_t patience_ms, admin_parent_file *got, void *ctx)
{
	struct admin_parent_ask *a = mem_new(sizeof *a);
	struct ipc_out o;

	*a = (struct admin_parent_ask){.next = p->asks, .of = p, .id = ++p->last_id, .got = got, .ctx = ctx};
	a->reply = type == CONTROL_STATUS ? CONTROL_STATUS_REPLY : CONTROL_KEYFILES_REPLY;
	a->timer = loop_timer_new(p->loop, on_timer, a);
	p->asks = a;
	loop_timer_set(a->timer, patience_ms);
	ipc_out_init(&o, type, a->id);
	child_tell(p->child, &o);
}

static void got_file(struct admin_parent *p, uint16_t type, uint32_t id, const struct control_file *f)
{
	struct admin_parent_ask *a = p->asks;

	while (a != NULL && (a->id != id || a->reply != type))
		a = a->next;
	if (a == NULL) /* given up */
		return;

	admin_parent_file *got = a->got;
	void *ctx = a->ctx;

	if (type == CONTROL_STATUS_REPLY || f->name[0] == '\0')
		end(a);
	got(ctx, f);
}

int admin_parent_message(struct admin_parent *p, struct ipc_in *in)
{
	uint16_t type = in->type;
	uint32_t id = in->id;
	struct control_file f;

	if (type == CONTROL_STATE)
		return control_state_get(in, &p->keeper);
	if ((type != CONTROL_STATUS_REPLY && type != CONTROL_KEYFILES_REPLY) || control_file_get(in, &f) != 0)
		return -1;
	got_file(p, type, id, &f);
	return 0;
}
