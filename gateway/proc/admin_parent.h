/* Asking the parent for its state and for the key files of a backup. Role admin; does not block. */
#ifndef POSTERN_PROC_ADMIN_PARENT_H
#define POSTERN_PROC_ADMIN_PARENT_H

#include <stdint.h>

#include "gateway/proc/child.h"
#include "gateway/proc/control_proto.h"

struct admin_parent_ask;
struct admin_parent {
	struct child *child;
	struct loop *loop;
	struct control_state keeper; /* as the parent last said */
	struct admin_parent_ask *asks;
	uint32_t last_id;
};
/* One file of the answer, later, from the loop; the last call is the one with an empty name, or with NULL: then there
 * is no answer in time. A status is one file and ends with it. */
typedef void admin_parent_file(void *ctx, const struct control_file *f);

void admin_parent_init(struct admin_parent *p, struct loop *l, struct child *c);
/* type: CONTROL_STATUS or CONTROL_KEYFILES. */
void admin_parent_ask(struct admin_parent *p, uint16_t type, int64_t patience_ms, admin_parent_file *got, void *ctx);
/* CONTROL_STATE, CONTROL_STATUS_REPLY, CONTROL_KEYFILES_REPLY. 0, or -1 when it is none of these or cannot be read.
 */
int admin_parent_message(struct admin_parent *p, struct ipc_in *in) __attribute__((warn_unused_result));

#endif
