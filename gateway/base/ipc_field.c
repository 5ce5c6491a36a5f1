/* Fields of an IPC packet that are held to a range. Every process; pure. */
#include "gateway/base/ipc_field.h"

uint8_t ipc_field_number(struct ipc_in *in, unsigned least, unsigned most)
{
	uint8_t v = ipc_get_u8(in);

	if (v < least || v > most) {
		in->bad = true;
		return (uint8_t)least;
	}
	return v;
}

bool ipc_field_bool(struct ipc_in *in)
{
	return ipc_field_number(in, 0, 1) == 1;
}

size_t ipc_field_count(struct ipc_in *in, size_t most)
{
	uint16_t n = ipc_get_u16(in);

	if (n > most) {
		in->bad = true;
		return 0;
	}
	return n;
}

uint32_t ipc_field_count32(struct ipc_in *in, uint32_t most)
{
	uint32_t n = ipc_get_u32(in);

	if (n > most) {
		in->bad = true;
		return 0;
	}
	return n;
}

const uint8_t *ipc_field_octets(struct ipc_in *in, struct arena *a, size_t most, size_t *n_r)
{
	size_t n = 0;
	const uint8_t *p = ipc_get_bytes(in, &n), *copy;

	*n_r = 0;
	if (n > most)
		in->bad = true;
	if (in->bad || n == 0)
		return NULL;
	copy = (const uint8_t *)arena_dup(a, p, n);
	if (copy)
		*n_r = n;
	else
		in->bad = true;
	return copy;
}

void ipc_field_problem_put(struct ipc_out *o, const struct problem *pr)
{
	ipc_put_u8(o, (uint8_t)pr->cls);
	ipc_put_u16(o, (uint16_t)pr->code);
	ipc_put_str(o, pr->enh);
	ipc_put_str(o, pr->rfc);
	ipc_put_str(o, pr->text);
}

void ipc_field_problem(struct ipc_in *in, struct problem *pr_r)
{
	pr_r->cls = (enum problem_class)ipc_field_number(in, PROBLEM_NONE, PROBLEM_POLICY);
	pr_r->code = ipc_get_u16(in);
	if (pr_r->code != 0 && (pr_r->code < 400 || pr_r->code > 599))
		in->bad = true;
	ipc_get_str(in, pr_r->enh, sizeof pr_r->enh);
	ipc_get_str(in, pr_r->rfc, sizeof pr_r->rfc);
	ipc_get_str(in, pr_r->text, sizeof pr_r->text);
}
