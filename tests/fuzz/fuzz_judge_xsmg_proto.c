/* The decoders of relay <-> judge about statements: whatever is taken must be encoded again to the same octets. The
 * first octet chooses the message. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/judge_xsmg_proto.h"
#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static union {
	struct judge_statement_get get;
	struct judge_statement_found found;
	struct judge_statement_came came;
	struct judge_xsmg_question question;
	struct judge_xsmg_duty duty;
	struct judge_xsmg_note note;
} m;

static int get(unsigned kind, struct ipc_in *in, struct arena *a)
{
	switch (kind) {
	case 0:
		return judge_statement_get_get(in, &m.get);
	case 1:
		return judge_statement_found_get(in, a, &m.found);
	case 2:
		return judge_statement_came_get(in, a, &m.came);
	case 3:
		return judge_xsmg_question_get(in, &m.question);
	case 4:
		return judge_xsmg_duty_get(in, a, &m.duty);
	default:
		return judge_xsmg_note_get(in, &m.note);
	}
}

static void put(unsigned kind, struct ipc_out *o)
{
	switch (kind) {
	case 0:
		judge_statement_get_put(o, &m.get);
		break;
	case 1:
		judge_statement_found_put(o, &m.found);
		break;
	case 2:
		judge_statement_came_put(o, &m.came);
		break;
	case 3:
		judge_xsmg_question_put(o, &m.question);
		break;
	case 4:
		judge_xsmg_duty_put(o, &m.duty);
		break;
	default:
		judge_xsmg_note_put(o, &m.note);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipc_in in = {0};
	struct ipc_out o;
	struct arena *a;
	uint8_t *p;

	if (size < 1 || size > IPC_PACKET_MAX - IPC_HEADER)
		return 0;
	p = malloc(size); /* its own block: reading past the end is seen */
	memcpy(p, data + 1, size - 1);
	a = arena_new(1 << 20);
	in.p = p;
	in.n = size - 1;
	if (get(data[0] % 6, &in, a) == 0) {
		ipc_out_init(&o, 1, 1);
		put(data[0] % 6, &o);
		REQUIRE(!o.bad && o.b.len - IPC_HEADER == size - 1 && memcmp(o.b.p + IPC_HEADER, p, size - 1) == 0);
		ipc_out_clear(&o);
	}
	arena_free(a);
	free(p);
	return 0;
}
