/*
 * The decoders of parent <-> child: a child that was taken over speaks to the parent, which runs as root. The first
 * octet chooses the message, the second says how many descriptors came with it. Whatever is taken must be encoded
 * again to the same octets; no descriptor may be lost, however the packet ends.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/proc/control_proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static union {
	struct control_start start;
	struct control_peer peer;
	struct control_file file;
	struct control_state state;
	struct control_ack ack;
} m;

static int get(unsigned kind, struct ipc_in *in, int *fd_r)
{
	int err;

	*fd_r = -1;
	switch (kind) {
	case 0:
		err = control_start_get(in, &m.start);
		*fd_r = err == 0 ? m.start.fd : -1;
		return err;
	case 1:
		err = control_peer_get(in, &m.peer);
		*fd_r = err == 0 ? m.peer.fd : -1;
		return err;
	case 2:
		return control_file_get(in, &m.file);
	case 3:
		return control_state_get(in, &m.state);
	default:
		return control_ack_get(in, &m.ack);
	}
}

static void put(unsigned kind, struct ipc_out *o)
{
	switch (kind) {
	case 0:
		control_start_put(o, &m.start);
		break;
	case 1:
		control_peer_put(o, &m.peer);
		break;
	case 2:
		control_file_put(o, &m.file);
		break;
	case 3:
		control_state_put(o, &m.state);
		break;
	default:
		control_ack_put(o, &m.ack);
	}
}

static int next_free(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	close(fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipc_in in = {0};
	struct ipc_out o;
	unsigned kind;
	uint8_t *p;
	int fd, first;

	if (size < 2 || size > IPC_PACKET_MAX - IPC_HEADER)
		return 0;
	kind = data[0] % 5;
	p = malloc(size); /* its own block: reading past the end is seen */
	memcpy(p, data + 2, size - 2);
	first = next_free();
	while (in.nfds < data[1] % 3)
		in.fds[in.nfds++] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	in.p = p;
	in.n = size - 2;
	if (get(kind, &in, &fd) == 0) {
		ipc_out_init(&o, 1, 1);
		put(kind, &o);
		if (kind == 4 && !m.ack.ok)
			p[0] = 0; /* every octet but 1 says no */
		REQUIRE(!o.bad && o.b.len - IPC_HEADER == size - 2 && memcmp(o.b.p + IPC_HEADER, p, size - 2) == 0);
		ipc_out_clear(&o);
	}
	if (fd >= 0)
		close(fd);
	REQUIRE(next_free() == first);
	free(p);
	return 0;
}
