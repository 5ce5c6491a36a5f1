/* The decoders of relay <-> judge about statements: whatever is taken must be encoded again to the same octets. The
 * first octet chooses the message. */
#include "certstore/judge_xsmg_proto.h"
#include "tests/fuzz/fuzz_proto.h"

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

static int again(unsigned kind, struct ipc_in *in, struct arena *a, struct ipc_out *o)
{
	if (get(kind, in, a) != 0)
		return -1;
	put(kind, o);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_proto(data, size, 6, again);
}
