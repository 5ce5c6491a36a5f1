/*
 * admin_proto.c: any packet, with 0 to 3 descriptors beside it (the first octet says which): read as a request and as
 * a reply; what was read is written and read again as the same.
 */
#include "certstore/admin_proto.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void give_fds(struct ipc_in *in, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int fd = file_memfd("fuzz", "{\"verb\":\"x\"}", 12);

		if (fd < 0)
			abort();
		in->fds[in->nfds++] = fd;
	}
}

/* The fields of o as its receiver gets them; the descriptors are the receiver's own. */
static struct ipc_in received(const struct ipc_out *o)
{
	struct ipc_in in = {.p = o->b.p + IPC_HEADER, .n = o->b.len - IPC_HEADER, .nfds = o->nfds};

	for (int i = 0; i < o->nfds; i++)
		in.fds[i] = dup(o->fds[i]);
	return in;
}

static void request(struct ipc_in *in)
{
	struct admin_request a, b;
	struct ipc_out o;
	int made;

	if (admin_request_get(in, &a) != 0) {
		if (a.text != NULL)
			abort();
		return;
	}
	ipc_out_init(&o, ADMIN_PROTO_REQUEST, 1);
	if (admin_request_put(&o, &a, &made) != 0)
		abort();
	struct ipc_in again = received(&o);
	if (admin_request_get(&again, &b) != 0 || strcmp(a.who, b.who) != 0 || strcmp(a.text, b.text) != 0)
		abort();
	ipc_out_clear(&o);
	if (made >= 0)
		close(made);
	free(a.text);
	free(b.text);
}

static void reply(struct ipc_in *in)
{
	struct admin_reply r;

	if (admin_reply_get(in, &r) != 0) {
		if (r.text != NULL || r.nfds != 0)
			abort();
		return;
	}
	if (r.nfds < 0 || r.nfds > ADMIN_PROTO_FILES_MAX || r.text == NULL)
		abort();
	for (int i = 0; i < r.nfds; i++)
		close(r.fds[i]);
	free(r.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > IPC_PACKET_MAX)
		return 0;

	/* a copy of exactly this size, so that one octet too far is seen */
	uint8_t *packet = malloc(size);
	struct ipc_in in = {.p = packet, .n = size - 1}, in2 = in;

	memcpy(packet, data + 1, size - 1);
	give_fds(&in, data[0] % 4);
	request(&in);
	give_fds(&in2, data[0] % 4);
	reply(&in2);
	free(packet);
	return 0;
}
